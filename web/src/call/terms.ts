/** What is asked of an agent, in words. */

import type { AgentId, Requirement, Terms } from "../api/center.ts";
import type { Words } from "../i18n/words.ts";

/** What the terms ask at a step, from 0; after the last one, what the last asks. */
export function requirementAt(terms: Terms | undefined, step: number): Requirement {
  return terms?.[Math.min(step, terms.length - 1)] ?? {};
}

/** What is asked of an agent: “Ada Lima only”, “french 5 or better, ring 1”; of nobody in particular: anybody. */
export function asksText(words: Words, asked: Requirement, nameOf: (agent: AgentId) => string): string {
  const { agent, skills = {}, ring } = asked;
  if (agent !== undefined) return words.say("asks.agent", { agent: nameOf(agent) });
  const parts = Object.entries(skills).map(([skill, level]) => words.say("asks.skill", { skill, level }));
  if (ring !== undefined) parts.push(words.say("asks.ring", { ring }));
  return parts.length > 0 ? parts.join(", ") : words.text("asks.anybody");
}

/** Whether anybody of the queue will do. */
export function asksNobody({ agent, skills, ring }: Requirement): boolean {
  return agent === undefined && ring === undefined && Object.keys(skills ?? {}).length === 0;
}
