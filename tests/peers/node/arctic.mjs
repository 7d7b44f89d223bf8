// arctic: GitHub, Google, 42 and its general client. It checks nothing of an ID Token (its documentation says so) and
// leaves `state` and UserInfo to the application; what it does itself is the token request, refresh and revocation.

import * as arctic from "arctic";
import { Browser, Declined } from "./browser.mjs";

// arctic's providers have their endpoints built in. Whatever they and the "browser" ask of these hosts goes to the
// tenant instead, path and query unchanged; everything else is asked where it is.
const HOSTS = {
  github: ["https://github.com", "https://api.github.com"],
  google: ["https://accounts.google.com", "https://oauth2.googleapis.com", "https://openidconnect.googleapis.com"],
  intra42: ["https://api.intra.42.fr"],
};

async function redirected(job, work) {
  const real = globalThis.fetch;
  globalThis.fetch = (input, init) => {
    const request = new Request(input, init);
    const url = new URL(request.url);
    if (!HOSTS[job.provider]?.includes(url.origin)) return real(request);
    return real(new Request(`${job.issuer}${url.pathname}${url.search}`, request));
  };
  try {
    return await work();
  } finally {
    globalThis.fetch = real;
  }
}

export const run = (job, at, seen) => redirected(job, () => (job.provider === "oidc" ? general : PROVIDERS[job.provider])(job, at, seen));

const PROVIDERS = {
  async github(job, at, seen) {
    const github = new arctic.GitHub(job.client_id, job.client_secret, job.redirect_uri);
    const code = await codeFor(job, at, (state) => github.createAuthorizationURL(state, ["user:email"]));
    at("token");
    const tokens = await github.validateAuthorizationCode(code);
    seen.token_type = tokens.tokenType();
    at("userinfo");
    seen.profile = await api("https://api.github.com/user", tokens.accessToken());
    seen.emails = await api("https://api.github.com/user/emails", tokens.accessToken());
    if (job.then.includes("refresh") && tokens.hasRefreshToken()) {
      at("refresh");
      await api("https://api.github.com/user", (await github.refreshAccessToken(tokens.refreshToken())).accessToken());
      seen.refreshed = true;
    }
  },
  async google(job, at, seen) {
    const google = new arctic.Google(job.client_id, job.client_secret, job.redirect_uri);
    const verifier = arctic.generateCodeVerifier();
    const code = await codeFor(job, at, (state) => {
      const url = google.createAuthorizationURL(state, verifier, ["openid", "profile", "email"]);
      url.searchParams.set("access_type", "offline");
      return url;
    });
    at("token");
    const tokens = await google.validateAuthorizationCode(code, verifier);
    seen.claims = arctic.decodeIdToken(tokens.idToken());
    at("userinfo");
    seen.profile = await api("https://openidconnect.googleapis.com/v1/userinfo", tokens.accessToken());
    if (job.then.includes("refresh")) {
      at("refresh");
      const again = await google.refreshAccessToken(tokens.refreshToken());
      await api("https://openidconnect.googleapis.com/v1/userinfo", again.accessToken());
      seen.refreshed = true;
    }
    if (job.then.includes("revoke")) {
      at("revoke");
      await google.revokeToken(tokens.accessToken());
      seen.usable_after_revocation = await usable("https://openidconnect.googleapis.com/v1/userinfo", tokens);
    }
  },
  async intra42(job, at, seen) {
    const intra = new arctic.FortyTwo(job.client_id, job.client_secret, job.redirect_uri);
    const code = await codeFor(job, at, (state) => intra.createAuthorizationURL(state, ["public"]));
    at("token");
    const tokens = await intra.validateAuthorizationCode(code);
    seen.token = { ...tokens.data, access_token: "", refresh_token: "" };
    at("userinfo");
    seen.profile = await api("https://api.intra.42.fr/v2/me", tokens.accessToken());
  },
};

async function general(job, at, seen) {
  at("discovery");
  const metadata = await (await fetch(`${job.issuer}/.well-known/openid-configuration`)).json();
  const secret = job.auth === "none" ? null : job.client_secret;
  const client = new arctic.OAuth2Client(job.client_id, secret, job.redirect_uri);
  const verifier = arctic.generateCodeVerifier();
  const code = await codeFor(job, at, (state) =>
    client.createAuthorizationURLWithPKCE(
      metadata.authorization_endpoint,
      state,
      arctic.CodeChallengeMethod.S256,
      verifier,
      job.scope.split(" "),
    ),
  );
  at("token");
  const tokens = await client.validateAuthorizationCode(metadata.token_endpoint, code, verifier);
  Object.assign(seen, { token_type: tokens.tokenType(), scope: tokens.hasScopes() ? tokens.scopes().join(" ") : null });
  seen.sub = arctic.decodeIdToken(tokens.idToken()).sub;
  let token = tokens.accessToken();
  if (job.then.includes("userinfo")) {
    at("userinfo");
    seen.profile = await api(metadata.userinfo_endpoint, token);
  }
  if (job.then.includes("refresh") && tokens.hasRefreshToken()) {
    at("refresh");
    const again = await client.refreshAccessToken(metadata.token_endpoint, tokens.refreshToken(), []);
    token = again.accessToken();
    seen.refreshed_sub = arctic.decodeIdToken(again.idToken()).sub;
    seen.rotated = again.hasRefreshToken() && again.refreshToken() !== tokens.refreshToken();
    await api(metadata.userinfo_endpoint, token);
  }
  if (job.then.includes("revoke")) {
    at("revoke");
    await client.revokeToken(metadata.revocation_endpoint, token);
    seen.usable_after_revocation = await api(metadata.userinfo_endpoint, token).then(
      () => true,
      () => false,
    );
  }
}

async function codeFor(job, at, authorizationUrl) {
  at("authorization");
  const state = arctic.generateState();
  const url = authorizationUrl(state);
  for (const [name, value] of Object.entries(job.parameters)) url.searchParams.set(name, value);
  const callback = await new Browser().visit(url, job.redirect_uri);
  // arctic leaves this to the application; the lines are those of its guides.
  const { searchParams } = new URL(callback.url);
  const code = searchParams.get("code");
  if (code === null || searchParams.get("state") !== state) throw new Declined("no code, or another state");
  return code;
}

async function api(url, token) {
  const response = await fetch(url, { headers: { Authorization: `Bearer ${token}`, "User-Agent": "arctic" } });
  if (!response.ok) throw new Declined(`${new URL(url).pathname} answered ${response.status}`);
  return response.json();
}

const usable = (url, tokens) =>
  api(url, tokens.accessToken()).then(
    () => true,
    () => false,
  );
