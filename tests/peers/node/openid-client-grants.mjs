// openid-client: grants without a browser. `job.grant` says which.

import * as client from "openid-client";

export async function run(job, at, seen) {
  at("discovery");
  const execute = [client.allowInsecureRequests]; // the issuer is on loopback without TLS
  const config = await client.discovery(
    new URL(job.issuer),
    job.client_id,
    undefined,
    client.ClientSecretBasic(job.client_secret),
    { execute, timeout: job.timeout_s },
  );
  config.timeout = job.timeout_s;
  at("token");
  await GRANTS[job.grant](config, job, seen);
}

const GRANTS = {
  async client_credentials(config, job, seen) {
    const tokens = await client.clientCredentialsGrant(config, { scope: "email" });
    const said = await client.tokenIntrospection(config, tokens.access_token);
    Object.assign(seen, { sub: said.sub, scope: tokens.scope });
  },

  async device_code(config, job, seen) {
    const started = await client.initiateDeviceAuthorization(config, { scope: job.scope });
    await connect(started.verification_uri, started.user_code, job.timeout_s);
    // Somebody has decided already, so there is nothing to wait for before the first question.
    const tokens = await client.pollDeviceAuthorizationGrant(config, { ...started, interval: 0.01 });
    const { sub } = tokens.claims();
    Object.assign(seen, { sub, profile: await client.fetchUserInfo(config, tokens.access_token, sub) });
  },

  async token_exchange(config, job, seen) {
    const tokens = await client.genericGrantRequest(config, "urn:ietf:params:oauth:grant-type:token-exchange", {
      subject_token: job.subject_token,
      subject_token_type: "urn:ietf:params:oauth:token-type:access_token",
    });
    const said = await client.tokenIntrospection(config, tokens.access_token);
    Object.assign(seen, { sub: said.sub, issued_token_type: tokens.issued_token_type });
  },
};

// What a person does on the page that the device names.
async function connect(page, user_code, timeout_s) {
  const body = new URLSearchParams({ user_code, account: "alice" });
  const response = await fetch(page, { method: "POST", body, signal: AbortSignal.timeout(timeout_s * 1000) });
  if (!response.ok) throw new Error(`the page of the device answered ${response.status}: ${await response.text()}`);
}
