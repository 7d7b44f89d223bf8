// oauth4webapi: the same, each request and each check of a response called by hand.

import { importJWK } from "jose";
import * as oauth from "oauth4webapi";
import { Browser } from "./browser.mjs";

export async function run(job, at, seen) {
  const options = {
    [oauth.allowInsecureRequests]: job.issuer.startsWith("http:"),
    signal: () => AbortSignal.timeout(job.timeout_s * 1000),
  };
  at("discovery");
  const issuer = new URL(job.issuer);
  const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, options));
  const metadata = {
    id_token_signed_response_alg: job.signing_alg,
    userinfo_signed_response_alg: job.userinfo_alg ?? undefined,
  };
  const client = job.register
    ? await registered(as, { ...metadata, redirect_uris: [job.redirect_uri] }, options)
    : { ...metadata, client_id: job.client_id };
  const authentication = await authenticationOf(job.register ? { ...job, ...client } : job);
  if (job.dpop) options.DPoP = oauth.DPoP(client, await oauth.generateKeyPair(job.dpop));

  at("authorization");
  const verifier = oauth.generateRandomCodeVerifier();
  const state = oauth.generateRandomState();
  const nonce = job.nonce ? oauth.generateRandomNonce() : undefined;
  let parameters = new URLSearchParams({
    client_id: client.client_id,
    redirect_uri: job.redirect_uri,
    response_type: job.response_type,
    scope: job.scope,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
    state,
    ...(job.nonce ? { nonce } : {}),
    ...job.parameters,
  });
  if (job.request_object) {
    const key = { key: await importJWK(job.private_key), kid: job.private_key.kid };
    const request = await oauth.issueRequestObject(as, client, parameters, key);
    parameters = new URLSearchParams({ client_id: client.client_id, request });
  }
  if (job.pushed) {
    const pushed = await withNonce(options, async () =>
      oauth.processPushedAuthorizationResponse(
        as,
        client,
        await oauth.pushedAuthorizationRequest(as, client, authentication, parameters, options),
      ),
    );
    parameters = new URLSearchParams({ client_id: client.client_id, request_uri: pushed.request_uri });
  }
  const url = `${as.authorization_endpoint}?${parameters}`;
  const callback = await new Browser().visit(url, job.redirect_uri);
  const answer =
    job.response_type === "code"
      ? oauth.validateAuthResponse(as, client, await parametersOf(callback), state)
      : await oauth.validateCodeIdTokenResponse(as, client, callback, nonce, state, undefined, options);

  at("token");
  const expected = { expectedNonce: nonce, requireIdToken: true };
  if (job.parameters.max_age !== undefined) expected.maxAge = Number(job.parameters.max_age);
  let tokens = await withNonce(options, async () => {
    const response = await oauth.authorizationCodeGrantRequest(
      as,
      client,
      authentication,
      answer,
      job.redirect_uri,
      verifier,
      options,
    );
    const processed = await oauth.processAuthorizationCodeResponse(as, client, response, expected);
    if (job.signatures) await oauth.validateApplicationLevelSignature(as, response, options);
    return processed;
  });
  const { sub } = oauth.getValidatedIdTokenClaims(tokens);
  Object.assign(seen, { sub, token_type: tokens.token_type, scope: tokens.scope });

  const userinfo = () =>
    withNonce(options, async () => {
      const response = await oauth.userInfoRequest(as, client, tokens.access_token, options);
      const profile = await oauth.processUserInfoResponse(as, client, sub, response);
      if (job.userinfo_alg) await oauth.validateApplicationLevelSignature(as, response, options);
      return profile;
    });
  if (job.then.includes("userinfo")) {
    at("userinfo");
    seen.profile = await userinfo();
  }
  if (job.then.includes("refresh") && tokens.refresh_token) {
    at("refresh");
    const before = tokens;
    tokens = await withNonce(options, async () => {
      const response = await oauth.refreshTokenGrantRequest(as, client, authentication, before.refresh_token, options);
      const processed = await oauth.processRefreshTokenResponse(as, client, response);
      if (job.signatures && processed.id_token) await oauth.validateApplicationLevelSignature(as, response, options);
      return processed;
    });
    seen.refreshed_sub = oauth.getValidatedIdTokenClaims(tokens)?.sub;
    seen.rotated = tokens.refresh_token !== undefined && tokens.refresh_token !== before.refresh_token;
    await userinfo();
  }
  if (job.then.includes("introspect")) {
    at("introspect");
    const response = await oauth.introspectionRequest(as, client, authentication, tokens.access_token, options);
    seen.active = (await oauth.processIntrospectionResponse(as, client, response)).active;
  }
  if (job.then.includes("revoke")) {
    at("revoke");
    const response = await oauth.revocationRequest(as, client, authentication, tokens.access_token, options);
    await oauth.processRevocationResponse(response);
    seen.usable_after_revocation = await userinfo().then(
      () => true,
      () => false,
    );
  }
}

async function registered(as, metadata, options) {
  const grant_types = ["authorization_code", "refresh_token"];
  const response = await oauth.dynamicClientRegistrationRequest(as, { ...metadata, grant_types }, options);
  return oauth.processDynamicClientRegistrationResponse(response);
}

async function parametersOf(callback) {
  return callback.method === "POST" ? new URLSearchParams(await oauth.formPostResponse(callback)) : new URL(callback.url);
}

// A server may ask for a nonce of its own in DPoP proofs (RFC 9449, section 8); the handle then knows it.
async function withNonce(options, request) {
  try {
    return await request();
  } catch (error) {
    if (options.DPoP && oauth.isDPoPNonceError(error)) return request();
    throw error;
  }
}

async function authenticationOf(job) {
  switch (job.auth) {
    case "none":
      return oauth.None();
    case "client_secret_basic":
      return oauth.ClientSecretBasic(job.client_secret);
    case "client_secret_post":
      return oauth.ClientSecretPost(job.client_secret);
    case "client_secret_jwt":
      return oauth.ClientSecretJwt(job.client_secret);
    case "private_key_jwt":
      return oauth.PrivateKeyJwt({ key: await importJWK(job.private_key), kid: job.private_key.kid });
    default:
      throw new Error(`no authentication ${job.auth}`);
  }
}
