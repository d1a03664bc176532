// Microsoft's own client library for sign-in, unchanged, against the simulated Entra ID: what it takes for Entra ID is
// faithful enough. Started by a test of the sandbox, which says in the environment where everything is.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { ConfidentialClientApplication, CryptoProvider, InteractionRequiredAuthError } from "@azure/msal-node";

const { SANDBOX_HTTP, SANDBOX_HTTPS, TENANT, OTHER_TENANT, APP, SECRET, OLD_SECRET, KEY_FILE, THUMBPRINT } = process.env;
const GRAPH = ["https://graph.microsoft.com/.default"];
const API = [`api://localhost/${APP}/access_as_user`];
const CALLBACK = "http://localhost:8080/auth/entra/callback";

function client(credential = { clientSecret: SECRET }, tenant = TENANT) {
  return new ConfidentialClientApplication({
    auth: {
      clientId: APP,
      authority: `${SANDBOX_HTTPS}/${tenant}`,
      knownAuthorities: [new URL(SANDBOX_HTTPS).host],
      ...credential,
    },
  });
}

function claims(token) {
  return JSON.parse(Buffer.from(token.split(".")[1], "base64url"));
}

async function command(method, path, body) {
  const headers = { "content-type": "application/json" };
  const response = await fetch(SANDBOX_HTTP + path, { method, headers, body: body && JSON.stringify(body) });
  assert.ok(response.ok, `${method} ${path}: ${response.status}`);
  return response.status === 204 ? undefined : response.json();
}

async function refused(promise) {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  return assert.fail("it was not refused");
}

// What a person does in a browser: looks at the form, chooses an account, and is sent back with a code.
async function signIn(address, user) {
  const page = await fetch(address);
  const html = await page.text();
  assert.equal(page.status, 200, html);
  const action = html.match(/<form method="post" action="([^"]*)"/)[1].replaceAll("&amp;", "&");
  const sent = await fetch(new URL(action, address), {
    method: "POST",
    body: new URLSearchParams({ user }),
    redirect: "manual",
  });
  assert.equal(sent.status, 302, await sent.text());
  return new URL(sent.headers.get("location")).searchParams;
}

async function signedIn(app, user) {
  const { verifier, challenge } = await new CryptoProvider().generatePkceCodes();
  const address = await app.getAuthCodeUrl({
    scopes: API,
    redirectUri: CALLBACK,
    state: "the state",
    nonce: "the nonce",
    codeChallenge: challenge,
    codeChallengeMethod: "S256",
    prompt: "select_account",
  });
  assert.ok(address.startsWith(`${SANDBOX_HTTP}/`), address);
  const back = await signIn(address, user);
  assert.equal(back.get("state"), "the state");
  const answer = { code: back.get("code"), state: back.get("state") };
  const expected = { state: "the state", nonce: "the nonce" };
  return app.acquireTokenByCode(
    { code: answer.code, codeVerifier: verifier, scopes: API, redirectUri: CALLBACK, ...expected },
    answer,
  );
}

test("a program asks with a secret, and is not asked again while the token is good", async () => {
  const app = client();
  const first = await app.acquireTokenByClientCredential({ scopes: GRAPH });
  assert.equal(first.fromCache, false);
  assert.ok(claims(first.accessToken).roles.includes("Presence.Read.All"));
  assert.ok(first.expiresOn > new Date(Date.now() + 50 * 60_000));
  const second = await app.acquireTokenByClientCredential({ scopes: GRAPH });
  assert.equal(second.fromCache, true);
  assert.equal(second.accessToken, first.accessToken);
});

test("a program asks with a certificate", async () => {
  const privateKey = readFileSync(KEY_FILE, "utf8");
  const app = client({ clientCertificate: { thumbprintSha256: THUMBPRINT, privateKey } });
  const { accessToken } = await app.acquireTokenByClientCredential({ scopes: GRAPH });
  assert.equal(claims(accessToken).appidacr, "2");
});

test("a person signs in with a code and a challenge, and the login is refreshed", async () => {
  const app = client();
  const result = await signedIn(app, "dana");
  assert.equal(result.account.username, "dana@contoso.example");
  assert.equal(result.account.tenantId, TENANT);
  assert.equal(result.account.homeAccountId, `${claims(result.idToken).oid}.${TENANT}`);
  assert.deepEqual(result.idTokenClaims.roles, ["Agent", "Supervisor"]);
  assert.deepEqual(result.scopes.filter((scope) => scope.startsWith("api:")), API);
  assert.equal(claims(result.accessToken).aud, APP);

  const silent = await app.acquireTokenSilent({ account: result.account, scopes: API });
  assert.equal(silent.fromCache, true);
  const refreshed = await app.acquireTokenSilent({ account: result.account, scopes: API, forceRefresh: true });
  assert.equal(refreshed.fromCache, false);
  assert.notEqual(refreshed.accessToken, result.accessToken);

  // Logins are revoked by the second: the next one has to have come.
  await command("PUT", "/sandbox/clock", { ahead_s: 2 });
  await command("POST", "/sandbox/people/dana/revoke");
  const ended = await refused(app.acquireTokenSilent({ account: result.account, scopes: API, forceRefresh: true }));
  assert.match(String(ended), /invalid_grant/);
  assert.match(ended.errorMessage, /AADSTS50173/);
});

test("the token of a tab is exchanged for one for Graph", async () => {
  const { token } = await command("POST", "/sandbox/tab-token", { user: "alice" });
  const app = client();
  const result = await app.acquireTokenOnBehalfOf({ oboAssertion: token, scopes: GRAPH });
  assert.equal(claims(result.accessToken).oid, claims(token).oid);
  assert.ok(claims(result.accessToken).scp.split(" ").includes("User.Read"));
  const again = await app.acquireTokenOnBehalfOf({ oboAssertion: token, scopes: GRAPH });
  assert.equal(again.fromCache, true);
});

test("each refusal is read as what it is", async () => {
  const program = { scopes: GRAPH, skipCache: true };
  const wrong = await refused(client({ clientSecret: "guessed" }).acquireTokenByClientCredential(program));
  assert.equal(wrong.errorCode, "invalid_client");
  assert.match(wrong.errorMessage, /AADSTS7000215/);
  assert.equal(String(wrong.errorNo), "7000215");

  const old = await refused(client({ clientSecret: OLD_SECRET }).acquireTokenByClientCredential(program));
  assert.match(old.errorMessage, /AADSTS7000222/);

  const elsewhere = await refused(client(undefined, OTHER_TENANT).acquireTokenByClientCredential(program));
  assert.equal(elsewhere.errorCode, "unauthorized_client");
  assert.match(elsewhere.errorMessage, /AADSTS700016/);

  const nowhere = client(undefined, "00000000-0000-0000-0000-00000000dead");
  const unknown = await refused(nowhere.acquireTokenByClientCredential(program));
  assert.equal(unknown.errorCode, "endpoints_resolution_error");
});

test("what a person has to do is told as an interaction", async () => {
  const app = client();
  const { token } = await command("POST", "/sandbox/tab-token", { user: "bela" });
  const scopes = ["https://graph.microsoft.com/Chat.Read"];
  const consent = await refused(app.acquireTokenOnBehalfOf({ oboAssertion: token, scopes }));
  assert.ok(consent instanceof InteractionRequiredAuthError, String(consent));
  assert.equal(consent.subError, "consent_required");

  await command("PUT", "/sandbox/entra/policy", { mfa: ["bela"] });
  const more = await refused(app.acquireTokenOnBehalfOf({ oboAssertion: token, scopes: GRAPH, skipCache: true }));
  await command("PUT", "/sandbox/entra/policy", {});
  assert.ok(more instanceof InteractionRequiredAuthError, String(more));
  assert.match(more.claims, /capolids/);
});

test("trouble that passes is borne, and what does not pass is told", async () => {
  await command("PUT", "/sandbox/entra/trouble", [{ at: "token", status: 429, retry_after_s: 1 }]);
  const throttled = await refused(client().acquireTokenByClientCredential({ scopes: GRAPH, skipCache: true }));
  await command("DELETE", "/sandbox/entra/trouble");
  assert.match(String(throttled), /temporarily_unavailable|AADSTS90006/);
  const { accessToken } = await client().acquireTokenByClientCredential({ scopes: GRAPH, skipCache: true });
  assert.ok(accessToken);
});
