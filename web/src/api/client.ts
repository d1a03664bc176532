/**
 * The requests that the page makes. Their types come from the program's own description: `npm run api` writes
 * `schema.ts` from docs/openapi.json, and `npm run check` fails when the two no longer agree.
 */

import type { AgentId, ChosenState, Fact, InteractionId, QueueId, RecordingId, Timestamp } from "./center.ts";
import type { Explanation } from "../call/explanation.ts";
import type { Me, Tenant } from "./identity.ts";
import { type Answer, json, send } from "./request.ts";
import type { components } from "./schema.ts";
import type {
  Agents,
  Assignment,
  Because,
  Done,
  Importance,
  MoveTo,
  QueueReport,
  Queues,
  SetState,
  Switch,
  Trunks,
  WantedCallback,
  Conclusion,
} from "./shapes.ts";

type Schemas = components["schemas"];

/** Everything that happened in one interaction. */
export type SuggestedExpert = Schemas["SuggestedExpert"];
export type Story = { facts: Fact[]; cut: boolean };

/** Who asks: the token that goes with a request, and another one if that is no longer good. */
export type Bearer = {
  readonly token: string;
  /** Asks for another token than this one; true if there is one. */
  renewed(than: string): Promise<boolean>;
};

export class Client {
  /** The tenant that somebody of the installation looks at; nobody else says any. */
  tenant: string | undefined;
  readonly #bearer: Bearer;
  #offset_us = 0;

  constructor(bearer: Bearer) {
    this.#bearer = bearer;
  }

  /** The program's time, by the last of its answers: within a second. */
  now(): Timestamp {
    return Date.now() * 1000 + this.#offset_us;
  }

  /** Who asks, and what they may do. */
  async me(): Promise<Answer<Me>> {
    return await this.ask("/api/v1/me");
  }

  /** The tenants of the installation. */
  async tenantList(): Promise<Answer<{ tenants: Tenant[] }>> {
    return await this.ask("/api/v1/tenants");
  }

  /** Sets what an agent is: now, or after the conversation that goes on. */
  async agentStateSet(id: AgentId, chosen: ChosenState): Promise<Answer<Done>> {
    return await this.command("PUT", `/api/v1/agents/${encodeURIComponent(id)}/state`, chosen satisfies SetState);
  }

  /** The story of an interaction, also of one that has long been over. */
  async callStory(id: InteractionId): Promise<Answer<Story>> {
    const answer = await this.ask<Schemas["Story"]>(`/api/v1/calls/${id}`);
    if (!answer.ok) return answer;
    const { timeline, cut } = answer.value;
    // The description leaves open what is in a fact: there are as many forms as kinds.
    return { ok: true, value: { facts: timeline.map(({ fact }) => fact as unknown as Fact), cut } };
  }

  /** Lets a customer wait in another queue. */
  async callMove(id: InteractionId, to: MoveTo): Promise<Answer<Done>> {
    return await this.command("POST", `/api/v1/calls/${id}/move`, to);
  }

  /** Gives a customer who waits another priority. */
  async callPrioritise(id: InteractionId, importance: Importance): Promise<Answer<Done>> {
    return await this.command("POST", `/api/v1/calls/${id}/priority`, importance);
  }

  /** Lets a customer wait for one agent only. */
  async callAssign(id: InteractionId, assignment: Assignment): Promise<Answer<Done>> {
    return await this.command("POST", `/api/v1/calls/${id}/assignment`, assignment);
  }

  /** Does not call a customer back after all. */
  async callbackCancel(id: InteractionId, because: Because): Promise<Answer<Done>> {
    return await this.command("DELETE", `/api/v1/calls/${id}/callback`, because);
  }

  /** Calls a customer, now or at a time. */
  async callbackSchedule(wanted: WantedCallback): Promise<Answer<Done>> {
    return await this.command("POST", "/api/v1/callbacks", wanted);
  }

  /** Closes a queue or opens it again. */
  async queueSwitch(id: QueueId, to: Switch): Promise<Answer<Done>> {
    return await this.command("PUT", `/api/v1/queues/${encodeURIComponent(id)}/switch`, to);
  }

  /** Ends an agent's wrap-up. */
  async wrapUpEnd(id: AgentId, said: Conclusion): Promise<Answer<Done>> {
    return await this.command("DELETE", `/api/v1/agents/${encodeURIComponent(id)}/wrap-up`, said);
  }

  /** Gives an agent more time for the wrap-up. */
  async wrapUpExtend(id: AgentId): Promise<Answer<Done>> {
    return await this.command("POST", `/api/v1/agents/${encodeURIComponent(id)}/wrap-up/extension`, undefined);
  }

  /** The agents, with what the live view does not say: skills, queues. */
  async agentList(): Promise<Answer<Agents>> {
    return await this.ask("/api/v1/agents");
  }

  /** The queues, with what the live view does not say: strategies, expected waits, codes. */
  async queueList(): Promise<Answer<Queues>> {
    return await this.ask("/api/v1/queues");
  }

  /** What is counted of the queues from a moment on, with the thresholds of the field: 20 s to answer, 5 s for short abandons. */
  async queueReport(from: Timestamp): Promise<Answer<QueueReport>> {
    return await this.ask(`/api/v1/reports/queues?from=${from}&interval=1h&threshold_s=20&short_s=5`);
  }

  /** The lines over which customers can be called. */
  async trunkList(): Promise<Answer<Trunks>> {
    return await this.ask("/api/v1/trunks");
  }

  /** Why somebody waits, or why the agent of an offer was rung: the number of the fact that told it. */
  async callExplanation(id: InteractionId, offer?: number): Promise<Answer<Explanation>> {
    const path = `/api/v1/calls/${id}/explanation${offer === undefined ? "" : `?offer=${offer}`}`;
    const answer = await this.ask<Schemas["Explanation"]>(path);
    // The sentences beside the details are English; the page says all of it in the reader's language.
    return answer.ok ? { ok: true, value: answer.value.details as unknown as Explanation } : answer;
  }

  /** Whom to ask about a call. */
  async callExperts(id: InteractionId): Promise<Answer<Schemas["Experts"]>> {
    return await this.ask(`/api/v1/calls/${id}/experts`);
  }

  /** The sound of a message. */
  async recording(id: RecordingId): Promise<Answer<Blob>> {
    return await this.blob(`/api/v1/recordings/${id}`);
  }

  /** Has something done. The same command that arrives twice is carried out once. */
  async command<T = Done>(method: string, path: string, body?: object): Promise<Answer<T>> {
    const headers: Record<string, string> = { "Idempotency-Key": crypto.randomUUID() };
    if (!body) return await this.#send(path, { method, headers }, json<T>);
    headers["Content-Type"] = "application/json";
    return await this.#send(path, { method, headers, body: JSON.stringify(body) }, json<T>);
  }

  /** Asks for something. */
  async ask<T>(path: string): Promise<Answer<T>> {
    return await this.#send(path, {}, json<T>);
  }

  /** Asks for something that is no text. */
  async blob(path: string): Promise<Answer<Blob>> {
    return await this.#send(path, {}, (response) => response.blob());
  }

  async #send<T>(path: string, request: RequestInit, read: (response: Response) => Promise<T>): Promise<Answer<T>> {
    const { token } = this.#bearer;
    const readTimed = async (response: Response): Promise<T> => {
      this.#timeIs(response.headers.get("Date"));
      return await read(response);
    };
    const answer = await send(path, this.#signed(request), readTimed);
    if (answer.ok || !STRANGER.has(answer.problem.code) || !(await this.#bearer.renewed(token))) return answer;
    return await send(path, this.#signed(request), readTimed);
  }

  /** The header says whole seconds: it was half a second later, in the mean. */
  #timeIs(date: string | null): void {
    const at_ms = Date.parse(date ?? "");
    if (!Number.isNaN(at_ms)) this.#offset_us = (at_ms + 500 - Date.now()) * 1000;
  }

  #signed(request: RequestInit): RequestInit {
    const headers = new Headers(request.headers);
    if (this.#bearer.token) headers.set("Authorization", `Bearer ${this.#bearer.token}`);
    if (this.tenant !== undefined) headers.set("Tandem-Tenant", this.tenant);
    return { ...request, headers };
  }
}

/** The words with which the program says that it does not know the one who asks, or not any more. */
const STRANGER: ReadonlySet<string> = new Set(["unauthorized", "expired", "signed_out"]);
