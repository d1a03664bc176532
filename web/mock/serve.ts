/** The made-up center behind the same addresses as the real one: the live web socket, and the requests of the page. */

import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";
import type { ChosenState, Fact } from "../src/api/center.ts";
import { UNAUTHORIZED } from "../src/api/live.ts";
import type { MockCenter } from "./center.ts";

export type ServeSettings = {
  center: MockCenter;
  /** The token that is demanded; none if it is empty. */
  token?: string;
};

export class MockServer {
  /** If set, every command is refused with this. */
  refusal: { status: number; code: string; message: string } | undefined;
  readonly #center: MockCenter;
  readonly #token: string;
  readonly #sockets = new WebSocketServer({ noServer: true });
  readonly #followers = new Set<WebSocket>();

  constructor({ center, token = "" }: ServeSettings) {
    this.#center = center;
    this.#token = token;
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
      follower.once("message", (data) => this.#greeted(follower, textOf(data)));
      follower.on("close", () => this.#followers.delete(follower));
    });
    return true;
  }

  /** Takes a request; false if it is not for this server. */
  request(request: IncomingMessage, response: ServerResponse): boolean {
    const { method = "GET", url = "/" } = request;
    if (url === "/healthz") return answer(response, 200, {});
    if (!url.startsWith("/api/")) return false;
    if (this.#token && request.headers.authorization !== `Bearer ${this.#token}`) {
      return answer(response, 401, { code: "unauthorized", message: "the token is missing or wrong" });
    }
    const call = /^\/api\/v1\/calls\/(\d+)$/.exec(url)?.[1];
    if (call !== undefined && method === "GET") return this.#story(response, Number(call));
    const agent = /^\/api\/v1\/agents\/([^/]+)\/state$/.exec(url)?.[1];
    if (agent !== undefined && method === "PUT") {
      void bodyOf(request).then((body) => this.#choose(response, decodeURIComponent(agent), body));
      return true;
    }
    return answer(response, 404, { code: "no_route", message: `there is nothing at ${url}` });
  }

  #greeted(follower: WebSocket, greeting: string): void {
    const { token } = JSON.parse(greeting) as { token: string };
    if (this.#token && token !== this.#token) {
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

  #choose(response: ServerResponse, agent: string, body: string): boolean {
    if (this.refusal) return answer(response, this.refusal.status, this.refusal);
    const facts = this.#center.choose(agent, JSON.parse(body) as ChosenState);
    if (facts === "unknown_agent") {
      return answer(response, 404, { code: "not_found", message: `there is no agent "${agent}"` });
    }
    this.tell(facts);
    return answer(response, 200, { number: this.#center.view.live.number });
  }
}

function answer(response: ServerResponse, status: number, body: unknown): true {
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
