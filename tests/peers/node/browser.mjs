// The browser of one login. It keeps cookies, and goes where the provider sends it until that is the relying party.

// The provider showed a page where it should have sent the browser back.
export class NotSentBack extends Error {}

// The client sent the browser to a host that is not the provider's.
export class Strayed extends Error {}

// The application refuses, in what its client's documentation leaves to it.
export class Declined extends Error {}

const MOST_HOPS = 3;
const TIMEOUT_MS = 5000;

export class Browser {
  #cookies = new Map();

  // What the browser brings to the relying party's server: a Request, without the fragment, which servers never see.
  async visit(url, until) {
    for (let hop = 0; hop < MOST_HOPS; hop += 1) {
      const response = await this.#get(url);
      const text = await response.text();
      url = response.headers.get("location");
      if (url === null) return posted(response, text);
      if (url.startsWith(until)) return new Request(url.split("#")[0]);
    }
    throw new NotSentBack(`the provider never sent the browser to ${until}, at last to ${url}`);
  }

  async #get(url) {
    const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const headers = cookie ? { cookie } : {};
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const response = await fetch(url, { headers, redirect: "manual", signal }).catch((error) => {
      throw new Strayed(`the browser was sent to ${url}: ${error.cause ?? error}`);
    });
    for (const line of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=]*)=([^;]*)/.exec(line);
      this.#cookies.set(name, value);
    }
    return response;
  }
}

function posted(response, text) {
  const action = /<form[^>]* action="(http[^"]*)"/.exec(text);
  if (action === null) {
    const shown = text.replace(/<style.*?<\/style>|<[^>]*>/gs, " ").replace(/\s+/g, " ");
    throw new NotSentBack(`the provider showed a page (${response.status}): ${shown.slice(0, 400)}`);
  }
  const fields = [...text.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)"/g)];
  const body = new URLSearchParams(fields.map(([, name, value]) => [unescape(name), unescape(value)]));
  return new Request(unescape(action[1]), { method: "POST", body });
}

const ENTITIES = { amp: "&", lt: "<", gt: ">", quot: '"' };

function unescape(text) {
  return text.replace(/&(?:#(\d+)|(\w+));/g, (whole, number, name) =>
    number ? String.fromCodePoint(Number(number)) : (ENTITIES[name] ?? whole),
  );
}
