// openid-client: discovery, code flow with PKCE, state and nonce, UserInfo, refresh, revocation and logout.

import { importJWK } from "jose";
import * as client from "openid-client";
import { Browser } from "./browser.mjs";

export async function run(job, at, seen) {
  at("discovery");
  const metadata = {
    id_token_signed_response_alg: job.signing_alg,
    userinfo_signed_response_alg: job.userinfo_alg ?? undefined,
  };
  const options = {
    execute: job.issuer.startsWith("http:") ? [client.allowInsecureRequests] : [],
    timeout: job.timeout_s,
  };
  const config = job.register
    ? await client.dynamicClientRegistration(
        new URL(job.issuer),
        { ...metadata, redirect_uris: [job.redirect_uri], grant_types: ["authorization_code", "refresh_token"] },
        undefined,
        options,
      )
    : await client.discovery(new URL(job.issuer), job.client_id, metadata, await authentication(job), options);
  config.timeout = job.timeout_s;
  if (job.signatures) client.enableNonRepudiationChecks(config);
  if (job.response_type === "code id_token") client.useCodeIdTokenResponseType(config);
  if (job.response_type === "id_token") client.useIdTokenResponseType(config);
  const DPoP = job.dpop ? client.getDPoPHandle(config, await client.randomDPoPKeyPair(job.dpop)) : undefined;

  at("authorization");
  const verifier = client.randomPKCECodeVerifier();
  const state = client.randomState();
  const nonce = job.nonce ? client.randomNonce() : undefined;
  const parameters = {
    redirect_uri: job.redirect_uri,
    scope: job.scope,
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
    state,
    ...(job.nonce ? { nonce } : {}),
    ...job.parameters,
  };
  const url = await authorizationUrl(config, job, parameters, { DPoP });
  const browser = new Browser();
  const callback = await browser.visit(url, job.redirect_uri);

  if (job.response_type === "id_token") {
    Object.assign(seen, await client.implicitAuthentication(config, callback, nonce, { expectedState: state }));
    return;
  }

  at("token");
  const checks = { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true };
  if (job.parameters.max_age !== undefined) checks.maxAge = Number(job.parameters.max_age);
  let tokens = await client.authorizationCodeGrant(config, callback, checks, undefined, { DPoP });
  const { sub } = tokens.claims();
  Object.assign(seen, { sub, token_type: tokens.token_type, scope: tokens.scope });

  if (job.then.includes("userinfo")) {
    at("userinfo");
    seen.profile = await client.fetchUserInfo(config, tokens.access_token, sub, { DPoP });
  }
  if (job.then.includes("refresh") && tokens.refresh_token) {
    at("refresh");
    const before = tokens;
    tokens = await client.refreshTokenGrant(config, before.refresh_token, undefined, { DPoP });
    seen.refreshed_sub = tokens.claims()?.sub;
    seen.rotated = tokens.refresh_token !== undefined && tokens.refresh_token !== before.refresh_token;
    await client.fetchUserInfo(config, tokens.access_token, sub, { DPoP });
  }
  if (job.then.includes("introspect")) {
    at("introspect");
    seen.active = (await client.tokenIntrospection(config, tokens.access_token)).active;
  }
  if (job.then.includes("revoke")) {
    at("revoke");
    await client.tokenRevocation(config, tokens.access_token);
    seen.usable_after_revocation = await client.fetchUserInfo(config, tokens.access_token, sub, { DPoP }).then(
      () => true,
      () => false,
    );
  }
  if (job.then.includes("logout")) {
    at("logout");
    const end = client.buildEndSessionUrl(config, {
      id_token_hint: tokens.id_token,
      post_logout_redirect_uri: job.post_logout_redirect_uri,
      state: "STATE",
    });
    seen.logged_out_to = (await browser.visit(end, job.post_logout_redirect_uri)).url;
  }
}

async function authorizationUrl(config, job, parameters, options) {
  let asked = parameters;
  if (job.request_object) {
    const key = { key: await importJWK(job.private_key), kid: job.private_key.kid };
    const signed = await client.buildAuthorizationUrlWithJAR(config, parameters, key);
    if (!job.pushed) return signed;
    asked = signed.searchParams;
  }
  if (job.pushed) return client.buildAuthorizationUrlWithPAR(config, asked, options);
  return client.buildAuthorizationUrl(config, asked);
}

async function authentication(job) {
  switch (job.auth) {
    case "none":
      return client.None();
    case "client_secret_basic":
      return client.ClientSecretBasic(job.client_secret);
    case "client_secret_post":
      return client.ClientSecretPost(job.client_secret);
    case "client_secret_jwt":
      return client.ClientSecretJwt(job.client_secret);
    case "private_key_jwt":
      return client.PrivateKeyJwt({ key: await importJWK(job.private_key), kid: job.private_key.kid });
    default:
      throw new Error(`no authentication ${job.auth}`);
  }
}
