/** The requests that the page makes. Texts of errors come from the program in English; their codes are stable. */

import type { AgentId, ChosenState, Fact, InteractionId } from "./center.ts";

/** What went wrong. `code` is one word; `unreachable` means that there was no answer at all. */
export type Problem = { code: string; message: string };

export type Answer<T> = { ok: true; value: T } | { ok: false; problem: Problem };

/** Everything that happened in one interaction. */
export type Story = { facts: Fact[]; cut: boolean };

export class Client {
  /** The token that the program demands; empty if none is known. */
  token = "";

  /** Sets what an agent is: now, or after the conversation that goes on. */
  async agentStateSet(id: AgentId, chosen: ChosenState): Promise<Answer<unknown>> {
    return await this.#ask(`/api/v1/agents/${encodeURIComponent(id)}/state`, {
      method: "PUT",
      headers: { "Content-Type": "application/json", "Idempotency-Key": crypto.randomUUID() },
      body: JSON.stringify(chosen),
    });
  }

  /** The story of an interaction, also of one that has long been over. */
  async callStory(id: InteractionId): Promise<Answer<Story>> {
    const answer = await this.#ask<{ timeline: { fact: Fact }[]; cut: boolean }>(`/api/v1/calls/${id}`, {});
    if (!answer.ok) return answer;
    const { timeline, cut } = answer.value;
    return { ok: true, value: { facts: timeline.map(({ fact }) => fact), cut } };
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
