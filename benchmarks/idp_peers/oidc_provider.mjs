// oidc-provider with one client and one account, whose login and consent are given at once (no page).
// Run in the folder whose node_modules holds it: node oidc_provider.mjs PORT
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const require = createRequire(pathToFileURL(`${process.cwd()}/`));
const { Provider } = await import(pathToFileURL(require.resolve("oidc-provider")));
const port = Number(process.argv[2]);

const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [
    {
      client_id: "bench",
      client_secret: "bench-secret",
      redirect_uris: ["http://127.0.0.1:9/callback"],
      grant_types: ["authorization_code", "client_credentials"],
    },
  ],
  cookies: { keys: ["benchmark"] },
  claims: { openid: ["sub"], profile: ["name"], email: ["email", "email_verified"] },
  features: { devInteractions: { enabled: false }, clientCredentials: { enabled: true } },
  interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
  findAccount: (_, sub) => ({
    accountId: sub,
    claims: () => ({ sub, name: "Alice", email: "alice@example.test", email_verified: true }),
  }),
  async loadExistingGrant(ctx) {
    const grant = new provider.Grant({
      clientId: ctx.oidc.client.clientId,
      accountId: ctx.oidc.session.accountId,
    });
    grant.addOIDCScope("openid profile email");
    await grant.save();
    return grant;
  },
});

const answer = provider.callback();
const { createServer } = await import("node:http");
createServer(async (request, response) => {
  if (!request.url.startsWith("/interaction/")) {
    answer(request, response);
    return;
  }
  try {
    await provider.interactionFinished(request, response, { login: { accountId: "alice" } });
  } catch (error) {
    response.writeHead(500).end(String(error));
  }
}).listen(port, "127.0.0.1");
