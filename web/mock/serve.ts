/** The made-up center behind the same addresses as the real one: the live web socket, and the requests of the page. */

import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";
import type { ChosenState, Fact } from "../src/api/center.ts";
import { UNAUTHORIZED } from "../src/api/live.ts";
import { waitingIn } from "../src/floor/waiting.ts";
import type { MockCenter, Refused } from "./center.ts";
import { expertsOf } from "./experts.ts";
import { MockIdentity, type MockPerson, TENANTS } from "./identity.ts";
import { creationOptions, MockOffice, type Request } from "./office.ts";
import { CODES, QUEUES } from "./names.ts";

export type ServeSettings = {
  center: MockCenter;
  /** The root key; none if it is empty. */
  token?: string;
};

export class MockServer {
  /** If set, every command is refused with this. */
  refusal: { status: number; code: string; message: string } | undefined;
  readonly identity: MockIdentity;
  readonly office: MockOffice;
  /** What was said first on every live socket, and later. */
  readonly greetings: { token: string; tenant?: string }[] = [];
  /** Every request that was made, with whom it was made for. */
  readonly asked: { method: string; path: string; tenant: string | undefined }[] = [];
  /** What it was told to do, in order. */
  readonly commands: { method: string; path: string; body: Record<string, unknown> }[] = [];
  readonly #center: MockCenter;
  readonly #token: string;
  readonly #sockets = new WebSocketServer({ noServer: true });
  readonly #followers = new Set<WebSocket>();

  constructor({ center, token = "" }: ServeSettings) {
    this.#center = center;
    this.#token = token;
    this.identity = new MockIdentity(center.agents.map(({ id }) => id));
    this.office = new MockOffice(center, this.identity);
  }

  /** Lets time pass, and tells everybody who follows what happened. */
  advance(now: number): void {
    this.tell(this.#center.advance(now));
  }

  /** Tells facts to everybody who follows. */
  tell(facts: readonly Fact[]): void {
    if (facts.length === 0) return;
    const message = JSON.stringify({ type: "facts", facts });
    for (const follower of this.#followers) follower.send(message);
  }

  /** Cuts everybody off. */
  cut(): void {
    for (const follower of this.#followers) follower.terminate();
  }

  /** Takes a request to open a web socket; false if it is not for this server. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): boolean {
    if (request.url !== "/live") return false;
    this.#sockets.handleUpgrade(request, socket, head, (follower) => {
      follower.once("message", (data) => {
        this.#greeted(follower, textOf(data));
        follower.on("message", (more) => this.greetings.push(JSON.parse(textOf(more)) as { token: string }));
      });
      follower.on("close", () => this.#followers.delete(follower));
    });
    return true;
  }

  /** Takes a request; false if it is not for this server. */
  request(request: IncomingMessage, response: ServerResponse): boolean {
    const { method = "GET", url = "/" } = request;
    const { pathname: path, searchParams: query } = new URL(url, "http://localhost");
    response.setHeader("Date", new Date(this.#center.now / 1000).toUTCString());
    if (url === "/healthz") return answer(response, 200, {});
    if (url.startsWith("/auth/")) return this.#door(request, response, path);
    if (!url.startsWith("/api/")) return false;
    const tenant = request.headers["tandem-tenant"];
    this.asked.push({ method, path, tenant: typeof tenant === "string" ? tenant : undefined });
    const caller = this.#caller(request);
    if (!caller) return answer(response, 401, UNKNOWN);
    if (path === "/api/v1/me") return answer(response, 200, caller === "console" ? this.identity.console() : this.identity.me(caller));
    if (path === "/api/v1/tenants") {
      const tenants = TENANTS.map(({ id, name }) => ({ id, name, agents: 8, signed_in: 6, queues: 3, open: 12 }));
      return answer(response, 200, { tenants });
    }
    if (method === "GET") {
      const reply = this.office.answer({ method, path, query, body: {}, caller });
      return reply ? answer(response, reply.status, reply.body) : this.#look(response, path, query);
    }
    void bodyOf(request).then((text) => this.#command(response, { method, path, query, body: parsed(text), caller }));
    return true;
  }

  #command(response: ServerResponse, request: Request & { body: Record<string, never> }): boolean {
    const { method, path, body } = request;
    this.commands.push({ method, path, body });
    const route = ROUTES.find((one) => one.method === method && one.path.test(path));
    if (!route) {
      const reply = this.refusal ? { status: this.refusal.status, body: this.refusal } : this.office.answer(request);
      if (reply) return answer(response, reply.status, reply.body);
      return answer(response, 404, { code: "no_route", message: `there is nothing at ${path}` });
    }
    const names = (route.path.exec(path) ?? []).slice(1).map((name) => decodeURIComponent(name));
    return this.#carryOut(response, route, names, body);
  }

  /** Answers somebody who is not known yet. */
  #door(request: IncomingMessage, response: ServerResponse, path: string): boolean {
    const { identity } = this;
    if (path === "/auth/methods") return answer(response, 200, { ...identity.methods, one_click: identity.oneClick() });
    if (path === "/auth/refresh") {
      const cookie = /tandem_refresh=([^;]+)/.exec(request.headers.cookie ?? "")?.[1] ?? "";
      const renewed = identity.renew(cookie);
      if (!renewed) return answer(response, 401, { ...UNKNOWN, code: "signed_out" });
      return this.#signedIn(response, renewed.person, renewed);
    }
    if (path === "/auth/sign-out") {
      const caller = this.#caller(request);
      if (!caller || caller === "console") return answer(response, 401, UNKNOWN);
      identity.revoke(caller.id);
      response.writeHead(204, { "Set-Cookie": "tandem_refresh=; Path=/auth; Max-Age=0; HttpOnly; SameSite=Strict" }).end();
      return true;
    }
    void bodyOf(request).then((text) => this.#letIn(response, path, parsed(text)));
    return true;
  }

  #letIn(response: ServerResponse, path: string, body: Record<string, string>): boolean {
    const { identity } = this;
    const { user_name = "", password, code, token } = body;
    const open = (person: MockPerson | undefined): boolean => {
      if (person) return this.#signedIn(response, person.id, identity.open(person));
      return answer(response, 401, { code: "wrong_credential", message: "this does not let anybody in", remedy: "try again" });
    };
    const named = identity.byName(user_name);
    switch (path) {
      case "/auth/demo":
        return open(identity.isDemo ? named : undefined);
      case "/auth/password":
        return open(named?.password === password ? named : undefined);
      case "/auth/teams": {
        if (identity.teamsRefusal) return answer(response, identity.teamsRefusal.status, identity.teamsRefusal);
        const person = identity.byName(token ?? "");
        if (!person) return open(person);
        // In Teams there is no cookie: whoever asks again asks Teams.
        return answer(response, 200, { access_token: identity.open(person).access, expires_in_s: identity.expiresIn_s, person: person.id });
      }
      case "/auth/passkey/begin":
        return answer(response, 200, { challenge: "Y2hhbGxlbmdl", rpId: "localhost", userVerification: "required", allowCredentials: [] });
      case "/auth/passkey/finish":
        // What is proved is the business of the program; here whoever has a passkey is the administrator.
        return open(this.office.passkeys.some(({ id }) => id === body["id"]) ? identity.byName("ada") : undefined);
      case "/auth/setup/passkey":
      case "/auth/invitation/passkey":
        return answer(response, 200, creationOptions(user_name || "eve"));
      case "/auth/setup":
        if (code !== SETUP_CODE) return answer(response, 403, { code: "setup_wrong", message: "the code is wrong", remedy: "look at the console" });
        return open(identity.byName("ada"));
      case "/auth/invitation":
        return open(code === INVITATION_CODE ? identity.byName("eve") : undefined);
      default:
        return answer(response, 404, { code: "no_route", message: `there is nothing at ${path}` });
    }
  }

  #signedIn(response: ServerResponse, person: string, tokens: { access: string; refresh: string }): true {
    response.setHeader("Set-Cookie", `tandem_refresh=${tokens.refresh}; Path=/auth; HttpOnly; SameSite=Strict`);
    return answer(response, 200, { access_token: tokens.access, expires_in_s: this.identity.expiresIn_s, person });
  }

  #caller({ headers: { authorization = "" } }: IncomingMessage): MockPerson | "console" | undefined {
    return this.#knownBy(authorization.replace("Bearer ", ""));
  }

  #knownBy(token: string): MockPerson | "console" | undefined {
    return this.#token !== "" && token === this.#token ? "console" : this.identity.known(token);
  }

  /** Answers what is asked for beside the live view. */
  #look(response: ServerResponse, path: string, query: URLSearchParams): boolean {
    const call = /^\/api\/v1\/calls\/(\d+)$/.exec(path)?.[1];
    if (call !== undefined) return this.#story(response, Number(call));
    const why = /^\/api\/v1\/calls\/(\d+)\/explanation$/.exec(path)?.[1];
    if (why !== undefined) return this.#explain(response, Number(why), query.get("offer"));
    const whom = /^\/api\/v1\/calls\/(\d+)\/experts$/.exec(path)?.[1];
    if (whom !== undefined) {
      const experts = expertsOf(this.#center, Number(whom));
      return experts ? answer(response, 200, experts) : answer(response, 404, { code: "not_found", message: "there is no such call" });
    }
    if (path.startsWith("/api/v1/recordings/")) return sound(response);
    const { agents } = this.#center;
    switch (path) {
      case "/api/v1/agents":
        return answer(response, 200, {
          agents: agents.map(({ id, name, skills, queues }) => ({ id, name, skills, queues: queues.map((queue) => queue.id) })),
        });
      case "/api/v1/queues":
        return answer(response, 200, {
          queues: QUEUES.map(({ id, name, strategy = "longest_idle" }) => {
            const waiting = waitingIn(this.#center.view).filter((one) => one.call.queue === id).length;
            return { id, name, strategy, expected_us: 95e6, codes: CODES, waiting, closed: false };
          }),
        });
      case "/api/v1/reports/queues":
        return answer(response, 200, { rows: [{ channel: "call", metrics: this.#center.levels() }] });
      case "/api/v1/trunks":
        return answer(response, 200, { trunks: [{ name: "carrier", proxies: [] }] });
      default:
        return answer(response, 404, { code: "no_route", message: `there is nothing at ${path}` });
    }
  }

  #explain(response: ServerResponse, id: number, offer: string | null): boolean {
    const explanation = this.#center.explain(id, offer === null ? undefined : Number(offer));
    if (typeof explanation === "string") return answer(response, 409, { code: explanation, message: explanation });
    return answer(response, 200, { details: explanation, sentences: [], eligible: [], excluded: [], at: explanation.at });
  }

  #carryOut(response: ServerResponse, route: Route, names: string[], body: Record<string, never>): boolean {
    if (this.refusal) return answer(response, this.refusal.status, this.refusal);
    const facts = route.act(this.#center, names, body);
    if (typeof facts === "string") {
      const code = facts === "unknown_agent" ? "not_found" : facts;
      return answer(response, code === "not_found" ? 404 : 409, { code, message: code });
    }
    this.tell(facts);
    return answer(response, 200, { number: this.#center.view.live.number });
  }

  #greeted(follower: WebSocket, greeting: string): void {
    const said = JSON.parse(greeting) as { token: string; tenant?: string };
    this.greetings.push(said);
    const caller = this.#knownBy(said.token);
    if (!caller) {
      follower.close(UNAUTHORIZED, "the token is missing or wrong");
      return;
    }
    const { view } = this.#center;
    follower.send(JSON.stringify({ type: "state", number: view.live.number, now: this.#center.now, state: view }));
    this.#followers.add(follower);
  }

  #story(response: ServerResponse, id: number): boolean {
    const facts = this.#center.story(id);
    if (!facts) return answer(response, 404, { code: "not_found", message: `there is no call "${id}"` });
    return answer(response, 200, { call: { id }, timeline: facts.map((fact) => ({ fact })), cut: false });
  }
}

/** The code with which the first person is let in. */
export const SETUP_CODE = "AAAAA-BBBBB";

/** The code of an invitation of the expert. */
export const INVITATION_CODE = "invited-1";

const UNKNOWN = { code: "unauthorized", message: "nobody is known by this token", remedy: "sign in" };

/** What can be done over the API. */
type Route = {
  method: string;
  path: RegExp;
  act: (center: MockCenter, names: string[], body: Record<string, never>) => Fact[] | Refused | "unknown_agent";
};

const ROUTES: readonly Route[] = [
  { method: "PUT", path: /^\/api\/v1\/agents\/([^/]+)\/state$/, act: (center, [id = ""], body) => center.choose(id, body as unknown as ChosenState) },
  {
    method: "DELETE",
    path: /^\/api\/v1\/agents\/([^/]+)\/wrap-up$/,
    act: (center, [id = ""], body) => center.endWrapUp(id, body),
  },
  {
    method: "POST",
    path: /^\/api\/v1\/agents\/([^/]+)\/wrap-up\/extension$/,
    act: (center, [id = ""]) => center.extendWrapUp(id),
  },
  {
    method: "POST",
    path: /^\/api\/v1\/calls\/(\d+)\/move$/,
    act: (center, [id], { queue }) => center.move(Number(id), queue ?? ""),
  },
  {
    method: "POST",
    path: /^\/api\/v1\/calls\/(\d+)\/priority$/,
    act: (center, [id], { priority, vip, reason }) => center.prioritise(Number(id), Number(priority), Boolean(vip), reason),
  },
  {
    method: "POST",
    path: /^\/api\/v1\/calls\/(\d+)\/assignment$/,
    act: (center, [id], { agent, reason }) => center.assign(Number(id), agent ?? "", reason),
  },
  {
    method: "DELETE",
    path: /^\/api\/v1\/calls\/(\d+)\/callback$/,
    act: (center, [id], { reason }) => center.cancelCallback(Number(id), reason),
  },
  {
    method: "POST",
    path: /^\/api\/v1\/callbacks$/,
    act: (center, _, { phone, name, queue, at }) => center.callBack(phone ?? "", name ?? "", queue ?? "", at ?? 0),
  },
  {
    method: "PUT",
    path: /^\/api\/v1\/queues\/([^/]+)\/switch$/,
    act: (center, [id = ""], { closed, reason }) => center.switchQueue(id, Boolean(closed), reason),
  },
];

function parsed(body: string): Record<string, never> {
  return body === "" ? {} : (JSON.parse(body) as Record<string, never>);
}

/** A second of a tone, as a telephone would record it. */
function sound(response: ServerResponse): true {
  const samples = Buffer.alloc(16_000);
  for (let at = 0; at < 8_000; at += 1) samples.writeInt16LE(Math.round(6_000 * Math.sin((at * 2 * Math.PI * 440) / 8_000)), at * 2);
  const head = Buffer.alloc(44);
  head.write("RIFF", 0);
  head.writeUInt32LE(36 + samples.length, 4);
  head.write("WAVEfmt ", 8);
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(1, 22);
  head.writeUInt32LE(8_000, 24);
  head.writeUInt32LE(16_000, 28);
  head.writeUInt16LE(2, 32);
  head.writeUInt16LE(16, 34);
  head.write("data", 36);
  head.writeUInt32LE(samples.length, 40);
  response.writeHead(200, { "Content-Type": "audio/wav" });
  response.end(Buffer.concat([head, samples]));
  return true;
}

function answer(response: ServerResponse, status: number, body: unknown): true {
  if (status === 204) {
    response.writeHead(204).end();
    return true;
  }
  response.writeHead(status, { "Content-Type": "application/json", "Cache-Control": "no-store" });
  response.end(JSON.stringify(body));
  return true;
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts).toString();
}

function textOf(data: Buffer | ArrayBuffer | Buffer[]): string {
  return Array.isArray(data) ? Buffer.concat(data).toString() : Buffer.from(data as Buffer).toString();
}
