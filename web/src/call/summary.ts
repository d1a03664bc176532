/** What a call came to, in figures: read from its story. */

import type { AgentId, Fact, Micros } from "../api/center.ts";

/** The figures of one call. */
export type Summary = {
  /** Time in queues; `undefined` if the caller was in none. */
  waited: Micros | undefined;
  /** Time in conversation with agents, without holds; `undefined` if there was none. */
  talked: Micros | undefined;
  /** Time on hold by agents. */
  held: Micros;
  /** The mean opinion score of the leg that was heard worst, 1 to 5. */
  mos: number | undefined;
  /** The agents who talked to the caller, in order, each once. */
  agents: { id: AgentId; name: string }[];
  /** The last queue's name. */
  queue: string | undefined;
  /** How each stay in a queue ended. */
  stays: Stay[];
};

/** The end of a stay in a queue. */
export type Stay = { end: "answered" | "abandoned" | "other"; waited: Micros };

export function summarise(story: readonly Fact[]): Summary {
  const summary: Summary = {
    waited: undefined,
    talked: undefined,
    held: 0,
    mos: undefined,
    agents: [],
    queue: undefined,
    stays: [],
  };
  for (const fact of story) add(summary, fact);
  return summary;
}

/** Like {@link summarise}, once for each story that does not change any more. */
export function summaryOfClosed(closed: { story: readonly Fact[] }): Summary {
  const known = SUMMARIES.get(closed);
  if (known) return known;
  const summary = summarise(closed.story);
  SUMMARIES.set(closed, summary);
  return summary;
}

function add(summary: Summary, fact: Fact): void {
  switch (fact.kind) {
    case "queue_entered":
      summary.queue = fact.queue_name;
      break;
    case "queue_left":
      leave(summary, { end: fact.reason === "abandoned" ? "abandoned" : "other", waited: fact.waited_us });
      break;
    case "connected":
      leave(summary, { end: "answered", waited: fact.waited_us });
      if (!summary.agents.some(({ id }) => id === fact.agent)) {
        summary.agents.push({ id: fact.agent, name: fact.agent_name });
      }
      break;
    case "conversation_ended":
      summary.talked = (summary.talked ?? 0) + fact.talked_us;
      summary.held += fact.held_us;
      break;
    case "quality":
      if (fact.quality.mos_x100 !== null) {
        summary.mos = Math.min(summary.mos ?? Infinity, fact.quality.mos_x100 / 100);
      }
      break;
    default:
  }
}

function leave(summary: Summary, stay: Stay): void {
  summary.waited = (summary.waited ?? 0) + stay.waited;
  summary.stays.push(stay);
}

const SUMMARIES = new WeakMap<object, Summary>();
