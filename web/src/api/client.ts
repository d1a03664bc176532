/**
 * The requests that the page makes. Their types come from the program's own description: `npm run api` writes
 * `schema.ts` from docs/openapi.json, and `npm run check` fails when the two no longer agree.
 */

import type { AgentId, ChosenState, Fact, InteractionId, QueueId, RecordingId, Timestamp } from "./center.ts";
import type { Explanation } from "../call/explanation.ts";
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

/**
 * What went wrong: a stable word, and a sentence in English. `unreachable` is our own word for no answer at all, and
 * `other` for one that is not the program's.
 */
export type Problem = Pick<Schemas["ErrorBody"], "code" | "message">;

export type Answer<T> = { ok: true; value: T } | { ok: false; problem: Problem };

/** Everything that happened in one interaction. */
export type Story = { facts: Fact[]; cut: boolean };

export class Client {
  /** The token that the program demands; empty if none is known. */
  token = "";

  /** Sets what an agent is: now, or after the conversation that goes on. */
  async agentStateSet(id: AgentId, chosen: ChosenState): Promise<Answer<Done>> {
    return await this.#command("PUT", `/api/v1/agents/${encodeURIComponent(id)}/state`, chosen satisfies SetState);
  }

  /** The story of an interaction, also of one that has long been over. */
  async callStory(id: InteractionId): Promise<Answer<Story>> {
    const answer = await this.#ask<Schemas["Story"]>(`/api/v1/calls/${id}`, {});
    if (!answer.ok) return answer;
    const { timeline, cut } = answer.value;
    // The description leaves open what is in a fact: there are as many forms as kinds.
    return { ok: true, value: { facts: timeline.map(({ fact }) => fact as unknown as Fact), cut } };
  }

  /** Lets a customer wait in another queue. */
  async callMove(id: InteractionId, to: MoveTo): Promise<Answer<Done>> {
    return await this.#command("POST", `/api/v1/calls/${id}/move`, to);
  }

  /** Gives a customer who waits another priority. */
  async callPrioritise(id: InteractionId, importance: Importance): Promise<Answer<Done>> {
    return await this.#command("POST", `/api/v1/calls/${id}/priority`, importance);
  }

  /** Lets a customer wait for one agent only. */
  async callAssign(id: InteractionId, assignment: Assignment): Promise<Answer<Done>> {
    return await this.#command("POST", `/api/v1/calls/${id}/assignment`, assignment);
  }

  /** Does not call a customer back after all. */
  async callbackCancel(id: InteractionId, because: Because): Promise<Answer<Done>> {
    return await this.#command("DELETE", `/api/v1/calls/${id}/callback`, because);
  }

  /** Calls a customer, now or at a time. */
  async callbackSchedule(wanted: WantedCallback): Promise<Answer<Done>> {
    return await this.#command("POST", "/api/v1/callbacks", wanted);
  }

  /** Closes a queue or opens it again. */
  async queueSwitch(id: QueueId, to: Switch): Promise<Answer<Done>> {
    return await this.#command("PUT", `/api/v1/queues/${encodeURIComponent(id)}/switch`, to);
  }

  /** Ends an agent's wrap-up. */
  async wrapUpEnd(id: AgentId, said: Conclusion): Promise<Answer<Done>> {
    return await this.#command("DELETE", `/api/v1/agents/${encodeURIComponent(id)}/wrap-up`, said);
  }

  /** Gives an agent more time for the wrap-up. */
  async wrapUpExtend(id: AgentId): Promise<Answer<Done>> {
    return await this.#command("POST", `/api/v1/agents/${encodeURIComponent(id)}/wrap-up/extension`, undefined);
  }

  /** The agents, with what the live view does not say: skills, queues. */
  async agentList(): Promise<Answer<Agents>> {
    return await this.#ask("/api/v1/agents", {});
  }

  /** The queues, with what the live view does not say: strategies, expected waits, codes. */
  async queueList(): Promise<Answer<Queues>> {
    return await this.#ask("/api/v1/queues", {});
  }

  /** What is counted of the queues from a moment on, with the thresholds of the field: 20 s to answer, 5 s for short abandons. */
  async queueReport(from: Timestamp): Promise<Answer<QueueReport>> {
    return await this.#ask(`/api/v1/reports/queues?from=${from}&interval=1h&threshold_s=20&short_s=5`, {});
  }

  /** The lines over which customers can be called. */
  async trunkList(): Promise<Answer<Trunks>> {
    return await this.#ask("/api/v1/trunks", {});
  }

  /** Why somebody waits, or why the agent of an offer was rung: the number of the fact that told it. */
  async callExplanation(id: InteractionId, offer?: number): Promise<Answer<Explanation>> {
    const path = `/api/v1/calls/${id}/explanation${offer === undefined ? "" : `?offer=${offer}`}`;
    const answer = await this.#ask<Schemas["Explanation"]>(path, {});
    // The sentences beside the details are English; the page says all of it in the reader's language.
    return answer.ok ? { ok: true, value: answer.value.details as unknown as Explanation } : answer;
  }

  /** The sound of a message. */
  async recording(id: RecordingId): Promise<Answer<Blob>> {
    return await this.#fetch(`/api/v1/recordings/${id}`, {}, (response) => response.blob());
  }

  async #command(method: string, path: string, body: object | undefined): Promise<Answer<Done>> {
    const headers: Record<string, string> = { "Idempotency-Key": crypto.randomUUID() };
    if (!body) return await this.#ask(path, { method, headers });
    headers["Content-Type"] = "application/json";
    return await this.#ask(path, { method, headers, body: JSON.stringify(body) });
  }

  async #ask<T>(path: string, request: RequestInit): Promise<Answer<T>> {
    return await this.#fetch(path, request, async (response) => (await response.json()) as T);
  }

  async #fetch<T>(path: string, request: RequestInit, read: (response: Response) => Promise<T>): Promise<Answer<T>> {
    const headers = new Headers(request.headers);
    if (this.token) headers.set("Authorization", `Bearer ${this.token}`);
    try {
      const response = await fetch(path, { ...request, headers, signal: AbortSignal.timeout(PATIENCE_MS) });
      if (response.ok) return { ok: true, value: await read(response) };
      const body: unknown = await response.json();
      return { ok: false, problem: problemIn(body, response.status) };
    } catch {
      return { ok: false, problem: { code: "unreachable", message: "" } };
    }
  }
}

function problemIn(body: unknown, status: number): Problem {
  const isProblem = typeof body === "object" && body !== null && "code" in body && "message" in body;
  return isProblem ? { code: String(body.code), message: String(body.message) } : { code: "other", message: `HTTP ${status}` };
}

/** A request without an answer by then has failed; the program itself gives up after ten seconds. */
const PATIENCE_MS = 12_000;
