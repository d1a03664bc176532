/** Why somebody waits in the made-up center, as the real one would explain it. */

import type { FactOf, InteractionId } from "../src/api/center.ts";
import type { Excluded, Explanation, Reason } from "../src/call/explanation.ts";
import { requirementAt } from "../src/call/terms.ts";
import { waitingIn } from "../src/floor/waiting.ts";
import { NORMAL_PRIORITY } from "../src/live/fold.ts";
import { type Agent, type Call, isFit, type MockCenter } from "./center.ts";

/** Of who waits, or of an offer that was made; `undefined` if there is nothing to explain. */
export function explanationOf(
  center: MockCenter,
  waiting: readonly Call[],
  id: InteractionId,
  offer: FactOf<"offered"> | undefined,
): Explanation | undefined {
  const call = waiting.find((candidate) => candidate.id === id);
  const at = offer?.at ?? center.now;
  const line = waitingIn(center.view).filter((stay) => stay.call.queue === call?.queue.id);
  const place = line.find((stay) => stay.id === id)?.place ?? 1;
  const queue = call?.queue ?? { id: offer?.queue ?? "", name: offer?.queue_name ?? "", strategy: "longest_idle" as const };
  if (!call && !offer) return undefined;
  const { priority = NORMAL_PRIORITY, vip = false, terms } = call?.standing ?? {};
  const next = terms?.[(call?.step ?? 0) + 1];
  const offered = offer && { agent: offer.agent, name: offer.agent_name, idle_us: offer.idle_us, ranked_by: null };
  const theirs = center.agents.filter(({ queues }) => queues.some((other) => other.id === queue.id));
  return {
    at,
    interaction: id,
    channel: call?.channel ?? "call",
    queue: queue.id,
    queue_name: queue.name,
    strategy: queue.strategy ?? "longest_idle",
    position: place,
    of: Math.max(1, line.length),
    waited_us: offer?.waited_us ?? at - (call?.enteredAt ?? at),
    waited_in_all_us: offer?.waited_us ?? at - (call?.waitingSince ?? at),
    priority,
    vip,
    asked: requirementAt(terms, call?.step ?? 0),
    next: next ? { after_us: next.after_us ?? 0, asked: next } : null,
    expected_us: 95e6,
    ringing: offer || call?.stage !== "offered" || !call.agent ? [] : [call.agent.id],
    eligible: offered ? [offered] : [],
    excluded: theirs.filter(({ id: agent }) => agent !== offer?.agent).map((agent) => excluded(agent, call, at)),
  };
}

function excluded(agent: Agent, call: Call | undefined, at: number): Excluded {
  const for_us = at - agent.since;
  const reasons: Reason[] = [];
  if (call && !isFit(agent, call)) {
    const { agent: only, skills = {} } = requirementAt(call.standing.terms, call.step);
    if (only !== undefined) reasons.push({ rule: "not_the_one" });
    for (const [skill, needed] of Object.entries(skills)) {
      reasons.push({ rule: "skill", skill, needed, has: agent.skills[skill] ?? 0 });
    }
  }
  const { state } = agent;
  if (state.state === "offline") reasons.push({ rule: "offline", for_us });
  else if (state.state === "break") reasons.push({ rule: "break", reason: state.reason ?? null, for_us });
  else if (state.state === "resting") reasons.push({ rule: "resting", after: state.after, another_us: (state.until ?? at) - at });
  else if (state.state === "offered") reasons.push({ rule: "offered", interaction: state.interaction, for_us });
  else if (state.state === "in_conversation" || state.state === "wrap_up") {
    reasons.push({ rule: "occupied", interaction: state.interaction, wrap_up: state.state === "wrap_up", for_us });
  }
  return { agent: agent.id, name: agent.name, reasons };
}
