// Microsoft's own client library for Graph, unchanged, against the simulated Graph: what it takes for Graph is faithful
// enough. Started by a test of the sandbox, which says in the environment where everything is. What is exchanged here is
// also what scripts/check-contracts holds against a contract: it asks for a little of everything.

import assert from "node:assert/strict";
import { createDecipheriv, createHmac, privateDecrypt, timingSafeEqual, constants } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { after, before, test } from "node:test";

import { ConfidentialClientApplication } from "@azure/msal-node";
import {
  BatchRequestContent, BatchResponseContent, Client, GraphError, PageIterator, ResponseType,
} from "@microsoft/microsoft-graph-client";

const { SANDBOX_HTTP, SANDBOX_HTTPS, TENANT, APP, SECRET, USER_TOKEN, CERTIFICATE, KEY_FILE } = process.env;

function graph(token) {
  const baseUrl = `${SANDBOX_HTTPS}/`;
  const customHosts = new Set([new URL(SANDBOX_HTTPS).hostname]);
  return Client.initWithMiddleware({ baseUrl, customHosts, authProvider: { getAccessToken: async () => token } });
}

async function appToken() {
  const login = new ConfidentialClientApplication({
    auth: {
      clientId: APP,
      authority: `${SANDBOX_HTTPS}/${TENANT}`,
      knownAuthorities: [new URL(SANDBOX_HTTPS).host],
      clientSecret: SECRET,
    },
  });
  const got = await login.acquireTokenByClientCredential({ scopes: ["https://graph.microsoft.com/.default"] });
  return got.accessToken;
}

async function command(method, path, body) {
  const headers = { "content-type": "application/json" };
  const response = await fetch(SANDBOX_HTTP + path, { method, headers, body: body && JSON.stringify(body) });
  assert.ok(response.ok, `${method} ${path}: ${response.status} ${await response.clone().text()}`);
}

async function refused(promise) {
  try {
    await promise;
  } catch (error) {
    assert.ok(error instanceof GraphError, String(error));
    return error;
  }
  return assert.fail("it was not refused");
}

// An endpoint for notifications: shakes hands, and keeps what it is told.
class Endpoint {
  constructor() {
    this.told = [];
    this.waiting = [];
    this.server = createServer(async (request, response) => {
      const token = new URL(request.url, "http://localhost").searchParams.get("validationToken");
      if (token !== null) {
        response.writeHead(200, { "content-type": "text/plain" }).end(token);
        return;
      }
      const parts = [];
      for await (const part of request) parts.push(part);
      response.writeHead(202).end();
      const body = JSON.parse(Buffer.concat(parts));
      const next = this.waiting.shift();
      if (next) next({ path: request.url, body });
      else this.told.push({ path: request.url, body });
    });
  }

  async listen() {
    this.server.listen(0, "127.0.0.1");
    await once(this.server, "listening");
    this.base = `http://127.0.0.1:${this.server.address().port}`;
  }

  next() {
    return this.told.length > 0 ? this.told.shift() : new Promise((done) => { this.waiting.push(done); });
  }
}

// "Set up change notifications that include resource data", step by step.
function open(content, key) {
  const oaep = { key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: "sha1" };
  const secret = privateDecrypt(oaep, Buffer.from(content.dataKey, "base64"));
  assert.equal(secret.length, 32);
  const data = Buffer.from(content.data, "base64");
  const signature = createHmac("sha256", secret).update(data).digest();
  assert.ok(timingSafeEqual(signature, Buffer.from(content.dataSignature, "base64")));
  const cipher = createDecipheriv("aes-256-cbc", secret, secret.subarray(0, 16));
  return JSON.parse(Buffer.concat([cipher.update(data), cipher.final()]));
}

let app;
let alice;
let people;
const endpoint = new Endpoint();

before(async () => {
  app = graph(await appToken());
  alice = graph(USER_TOKEN);
  await endpoint.listen();
});
after(() => { endpoint.server.close(); });

test("users come in pages that the client's own iterator follows", async () => {
  const first = await app.api("/users").select(["id", "displayName", "userPrincipalName", "department"]).top(3).get();
  assert.equal(first.value.length, 3);
  people = [];
  await new PageIterator(app, first, (user) => { people.push(user); return true; }).iterate();
  assert.ok(people.length > 8);
  assert.ok(people.some((user) => user.displayName === "Béla Varga"));
  await command("PUT", "/sandbox/graph/switches", { empty_pages: 1 });
  const again = [];
  const page = await app.api("/users").top(999).get();
  assert.equal(page.value.length, 0, "an empty page with a link to the next");
  await new PageIterator(app, page, (user) => { again.push(user); return true; }).iterate();
  assert.equal(again.length, people.length);
});

test("people are found by filter, by search, and one by one", async () => {
  const filtered = await app.api("/users").filter("startswith(displayName,'hana')").get();
  assert.equal(filtered.value[0].displayName, "Hana Suzuki");
  const found = await app.api("/users").header("ConsistencyLevel", "eventual").count(true)
    .search('"displayName:suz" OR "mail:suz"').get();
  assert.equal(found["@odata.count"], 1);
  const hana = await app.api(`/users/${found.value[0].id}`).select("displayName,skills,jobTitle").get();
  assert.ok(hana.skills.includes("Networks"));
  const nobody = await refused(app.api("/users/nobody@contoso.example").get());
  assert.deepEqual([nobody.statusCode, nobody.code], [404, "Request_ResourceNotFound"]);
  const wrong = await refused(app.api("/users").search('"displayName:suz"').get());
  assert.deepEqual([wrong.statusCode, wrong.code], [400, "Request_UnsupportedQuery"]);
});

test("changes are followed by delta links, until they are too old", async () => {
  let page = await app.api("/users/delta").select("id,displayName,jobTitle").get();
  while (page["@odata.nextLink"]) page = await app.api(page["@odata.nextLink"]).get();
  await command("DELETE", "/sandbox/people/goran");
  const changed = await app.api(page["@odata.deltaLink"]).get();
  assert.equal(changed.value.length, 1);
  assert.ok(changed.value[0]["@removed"]);
  await command("POST", "/sandbox/graph/delta/forget");
  const gone = await refused(app.api(changed["@odata.deltaLink"]).get());
  assert.deepEqual([gone.statusCode, gone.code], [410, "syncStateNotFound"]);
  const groups = await app.api("/groups/delta").get();
  assert.ok(groups.value[0]["members@delta"].length > 0);
});

test("groups, members and memberships", async () => {
  const groups = await app.api("/groups").select("id,displayName").top(2).get();
  const all = [];
  await new PageIterator(app, groups, (group) => { all.push(group); return true; }).iterate();
  const sales = all.find((group) => group.displayName === "Sales");
  assert.equal((await app.api(`/groups/${sales.id}`).get()).securityEnabled, true);
  const members = await app.api(`/groups/${sales.id}/members`).select("id,displayName").get();
  assert.equal(members.value[0]["@odata.type"], "#microsoft.graph.user");
  const users = await app.api(`/groups/${sales.id}/transitiveMembers/microsoft.graph.user`).get();
  assert.equal(users.value.length, members.value.length);
  const one = members.value[0].id;
  const checked = await app.api(`/users/${one}/checkMemberGroups`).post({ groupIds: [sales.id] });
  assert.deepEqual(checked.value, [sales.id]);
  for (const act of ["getMemberGroups", "getMemberObjects"]) {
    const ids = await app.api(`/users/${one}/${act}`).post({ securityEnabledOnly: true });
    assert.ok(ids.value.includes(sales.id));
  }
  const of = await app.api(`/users/${one}/transitiveMemberOf`).get();
  assert.ok(of.value.some((group) => group.id === sales.id));
});

test("the tenant, the application, and what it was granted", async () => {
  const tenants = await app.api("/organization").get();
  assert.equal(tenants.value[0].id, TENANT);
  const own = await app.api(`/servicePrincipals(appId='${APP}')`).get();
  assert.equal(own.appDisplayName, "Tandem");
  const granted = await app.api(`/servicePrincipals/${own.id}/appRoleAssignments`).get();
  const resource = await app.api(`/servicePrincipals/${granted.value[0].resourceId}`).get();
  const names = granted.value.map(({ appRoleId }) => resource.appRoles.find(({ id }) => id === appRoleId).value);
  assert.ok(names.includes("Presence.Read.All"));
  const roles = await app.api(`/servicePrincipals/${own.id}/appRoleAssignedTo`).get();
  assert.ok(roles.value.some((assigned) => assigned.principalDisplayName === "Alice Reyes"));
  const grants = await app.api("/oauth2PermissionGrants").filter(`clientId eq '${own.id}'`).get();
  assert.equal(grants.value[0].consentType, "AllPrincipals");
});

test("a person reads about himself, and about nobody else", async () => {
  const me = await alice.api("/me").get();
  assert.equal(me.displayName, "Alice Reyes");
  assert.equal((await alice.api("/me/presence").get()).availability, "Available");
  assert.ok((await alice.api("/me/memberOf").get()).value.length > 0);
  const denied = await refused(alice.api("/groups").get());
  assert.deepEqual([denied.statusCode, denied.code], [403, "Authorization_RequestDenied"]);
});

test("photos have sizes, and not everybody has one", async () => {
  const bela = people.find((user) => user.displayName === "Béla Varga");
  const described = await app.api(`/users/${bela.id}/photo`).get();
  assert.equal(described["@odata.mediaContentType"], "image/jpeg");
  const picture = await app.api(`/users/${bela.id}/photos/96x96/$value`).responseType(ResponseType.ARRAYBUFFER).get();
  assert.deepEqual([...new Uint8Array(picture).subarray(0, 3)], [0xff, 0xd8, 0xff]);
  const guest = people.find((user) => user.userPrincipalName.includes("#EXT#"));
  const none = await refused(app.api(`/users/${guest.id}/photo/$value`).get());
  assert.deepEqual([none.statusCode, none.code], [404, "ImageNotFound"]);
});

test("a batch is taken apart by the client's own content classes", async () => {
  const ask = (id, path) => ({ id, request: new Request(`${SANDBOX_HTTPS}${path}`, { method: "GET" }) });
  const bela = people.find((user) => user.displayName === "Béla Varga");
  const content = new BatchRequestContent([
    ask("1", `/users/${bela.id}?$select=id,skills`),
    ask("2", `/users/${bela.id}/photos/48x48/$value`),
    ask("3", "/users/nobody@contoso.example"),
  ]);
  const answers = new BatchResponseContent(await app.api("/$batch").post(await content.getContent()));
  assert.equal(answers.getResponseById("1").status, 200);
  assert.ok((await answers.getResponseById("1").json()).skills.includes("Invoices"));
  assert.equal(answers.getResponseById("2").status, 200);
  assert.equal(answers.getResponseById("3").status, 404);
});

test("presence is read in many and written by the application", async () => {
  const [bela, chidi] = ["Béla Varga", "Chidi Okafor"].map((name) => people.find((user) => user.displayName === name));
  const told = await app.api("/communications/getPresencesByUserId").post({ ids: [bela.id, chidi.id] });
  assert.deepEqual(told.value.map((presence) => presence.availability), ["Available", "Available"]);
  const session = { sessionId: APP, availability: "Busy", activity: "InACall", expirationDuration: "PT30M" };
  await app.api(`/users/${chidi.id}/presence/setPresence`).post(session);
  assert.equal((await app.api(`/communications/presences/${chidi.id}`).get()).activity, "InACall");
  await app.api(`/users/${chidi.id}/presence/clearPresence`).post({ sessionId: APP });
  const quiet = { availability: "DoNotDisturb", activity: "DoNotDisturb", expirationDuration: "PT8H" };
  await app.api(`/users/${chidi.id}/presence/setUserPreferredPresence`).post(quiet);
  const message = { message: { content: "With a customer", contentType: "text" } };
  await app.api(`/users/${chidi.id}/presence/setStatusMessage`).post({ statusMessage: message });
  const now = await app.api(`/users/${chidi.id}/presence`).get();
  assert.deepEqual([now.availability, now.statusMessage.message.content], ["DoNotDisturb", "With a customer"]);
  await app.api(`/users/${chidi.id}/presence/clearUserPreferredPresence`).post({});
  const wrong = await refused(app.api(`/users/${chidi.id}/presence/setPresence`).post({ ...session, activity: "Out" }));
  assert.equal(wrong.statusCode, 400);
});

test("who is throttled or finds the service down tries again by itself and gets through", async () => {
  const troubles = [
    { path: "/organization", times: 1, what: { throttled: { retry_after_s: 1 } } },
    { path: "/organization", times: 1, what: { unavailable: { retry_after_s: 1 } } },
  ];
  await command("PUT", "/sandbox/graph/switches", { troubles });
  assert.equal((await app.api("/organization").get()).value.length, 1);
});

test("changes of presence are told, encrypted, to who subscribed", { timeout: 30_000 }, async () => {
  const bela = people.find((user) => user.displayName === "Béla Varga");
  const inMinutes = (minutes) => new Date(Date.now() + minutes * 60_000).toISOString();
  const wanted = {
    changeType: "updated",
    resource: `/communications/presences?$filter=id in ('${bela.id}')`,
    notificationUrl: `${endpoint.base}/told`,
    lifecycleNotificationUrl: `${endpoint.base}/lifecycle`,
    expirationDateTime: inMinutes(30),
    clientState: "secret",
    includeResourceData: true,
    encryptionCertificate: CERTIFICATE,
    encryptionCertificateId: "first",
  };
  const denied = await refused(app.api("/subscriptions").post(wanted));
  assert.equal(denied.statusCode, 403, "applications cannot watch presence");
  const long = await refused(alice.api("/subscriptions").post({ ...wanted, expirationDateTime: inMinutes(90) }));
  assert.equal(long.statusCode, 400);
  const made = await alice.api("/subscriptions").post(wanted);
  assert.equal(made.clientState, "secret");
  const twice = await refused(alice.api("/subscriptions").post(wanted));
  assert.equal(twice.statusCode, 409);

  await command("PUT", "/sandbox/people/bela/presence", { choice: "do_not_disturb" });
  const { path, body } = await endpoint.next();
  assert.equal(path, "/told");
  assert.equal(body.validationTokens.length, 1);
  const [item] = body.value;
  assert.deepEqual([item.clientState, item.subscriptionId, item.resourceData.id], ["secret", made.id, bela.id]);
  const opened = open(item.encryptedContent, readFileSync(KEY_FILE));
  assert.deepEqual([opened.id, opened.availability, opened.activity], [bela.id, "DoNotDisturb", "DoNotDisturb"]);

  await command("POST", `/sandbox/graph/subscriptions/${made.id}/lifecycle`, { event: "reauthorizationRequired" });
  const lifecycle = await endpoint.next();
  assert.equal(lifecycle.path, "/lifecycle");
  assert.equal(lifecycle.body.value[0].lifecycleEvent, "reauthorizationRequired");
  await alice.api(`/subscriptions/${made.id}/reauthorize`).post({});
  const renewed = await alice.api(`/subscriptions/${made.id}`).patch({ expirationDateTime: inMinutes(60) });
  assert.equal(renewed.id, made.id);
  assert.equal((await alice.api("/subscriptions").get()).value.length, 1);
  assert.equal((await alice.api(`/subscriptions/${made.id}`).get()).clientState, null);
  await alice.api(`/subscriptions/${made.id}`).delete();
  const gone = await refused(alice.api(`/subscriptions/${made.id}`).get());
  assert.equal(gone.statusCode, 404);
});

test("consent that is withdrawn closes the door", async () => {
  await command("DELETE", `/sandbox/tenants/${TENANT}/apps/${APP}`);
  const closed = await refused(app.api("/users").get());
  assert.deepEqual([closed.statusCode, closed.code], [401, "Authorization_IdentityNotFound"]);
});
