/**
 * The requests that the page makes. Their types come from the program's own description: `npm run api` writes
 * `schema.ts` from docs/openapi.json, and `npm run check` fails when the two no longer agree.
 */

import type { AgentId, ChosenState, Fact, InteractionId } from "./center.ts";
import type { components } from "./schema.ts";

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
  async agentStateSet(id: AgentId, chosen: ChosenState): Promise<Answer<Schemas["Done"]>> {
    const choice: Schemas["Choice"] = chosen;
    return await this.#ask<Schemas["Done"]>(`/api/v1/agents/${encodeURIComponent(id)}/state`, {
      method: "PUT",
      headers: { "Content-Type": "application/json", "Idempotency-Key": crypto.randomUUID() },
      body: JSON.stringify(choice),
    });
  }

  /** The story of an interaction, also of one that has long been over. */
  async callStory(id: InteractionId): Promise<Answer<Story>> {
    const answer = await this.#ask<Schemas["Story"]>(`/api/v1/calls/${id}`, {});
    if (!answer.ok) return answer;
    const { timeline, cut } = answer.value;
    // The description leaves open what is in a fact: there are as many forms as kinds.
    return { ok: true, value: { facts: timeline.map(({ fact }) => fact as unknown as Fact), cut } };
  }

  async #ask<T>(path: string, request: RequestInit): Promise<Answer<T>> {
    const headers = new Headers(request.headers);
    if (this.token) headers.set("Authorization", `Bearer ${this.token}`);
    try {
      const response = await fetch(path, { ...request, headers, signal: AbortSignal.timeout(PATIENCE_MS) });
      const body: unknown = await response.json();
      return response.ok ? { ok: true, value: body as T } : { ok: false, problem: problemIn(body, response.status) };
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
