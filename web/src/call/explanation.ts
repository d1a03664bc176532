/** Why somebody waits, or why an agent was rung, in words: from what the program looked at, in any language. */

import type {
  AgentId,
  Channel,
  InteractionId,
  Micros,
  Presence,
  PresenceSeen,
  QueueId,
  Requirement,
  RestCause,
  SkillId,
  Strategy,
  Timestamp,
} from "../api/center.ts";
import type { Words } from "../i18n/words.ts";
import { NORMAL_PRIORITY } from "../live/fold.ts";
import { asksNobody, asksText } from "./terms.ts";

/** What the program looked at, as it stands in JSON; `Explanation` in `crates/center/src/explain.rs`. */
export type Explanation = {
  at: Timestamp;
  interaction: InteractionId;
  channel: Channel;
  queue: QueueId;
  queue_name: string;
  strategy: Strategy;
  position: number;
  of: number;
  waited_us: Micros;
  waited_in_all_us: Micros;
  priority: number;
  vip: boolean;
  asked: Requirement;
  next: { after_us: Micros; asked: Requirement } | null;
  expected_us: Micros | null;
  ringing: AgentId[];
  held?: { by: "calls"; most: number };
  eligible: Eligible[];
  excluded: Excluded[];
};

export type Eligible = {
  agent: AgentId;
  name: string;
  idle_us: Micros;
  ranked_by: RankedBy | null;
  presence?: PresenceSeen;
};

export type RankedBy =
  | { last_offer: number }
  | { order: number }
  | { occupancy: number }
  | { conversations: number }
  | { skill: number }
  | { turn: number };

export type Excluded = { agent: AgentId; name: string; reasons: Reason[] };

export type Reason =
  | { rule: "not_the_one" }
  | { rule: "skill"; skill: SkillId; needed: number; has: number }
  | { rule: "ring"; ring: number; rung: number }
  | { rule: "offline"; for_us: Micros }
  | { rule: "break"; reason: string | null; for_us: Micros }
  | { rule: "resting"; after: RestCause; another_us: Micros | null }
  | { rule: "not_reachable"; source: string; presence: Presence; age_us: Micros }
  | { rule: "offered"; interaction: InteractionId; for_us: Micros }
  | { rule: "capacity"; takes: number; capacity: number }
  | { rule: "occupied"; interaction: InteractionId; wrap_up: boolean; for_us: Micros };

/** An explanation to be read: sentences, and two lists of agents. */
export type Told = {
  sentences: string[];
  /** Free and fit, the first one first. */
  eligible: { name: string; merit: string }[];
  excluded: { name: string; why: string }[];
};

export function tell(words: Words, explanation: Explanation, nameOf: (agent: AgentId) => string): Told {
  const { eligible, excluded, ringing, held } = explanation;
  const sentences = [wait(words, explanation), rules(words, explanation, nameOf)];
  if (ringing.length > 0) {
    sentences.push(words.say("why.ringing", { agents: ringing.map((agent) => nameOf(agent)).join(", ") }));
  } else if (eligible.length === 0) {
    sentences.push(words.text("why.nobody"));
    const { expected_us } = explanation;
    if (expected_us !== null) sentences.push(words.say("why.expected", { time: words.roughly(expected_us) }));
  }
  if (held) sentences.push(words.say("why.held.calls", { most: held.most }));
  return {
    sentences,
    eligible: eligible.map((one) => ({ name: one.name, merit: [merit(words, one), ...seen(words, one.presence)].join(", ") })),
    excluded: excluded.map(({ name, reasons }) => {
      return { name, why: reasons.map((reason) => reasonText(words, reason)).join(", ") };
    }),
  };
}

function wait(words: Words, explanation: Explanation): string {
  const { position, of, queue_name: queue, waited_us, waited_in_all_us, vip, priority } = explanation;
  const parts = [words.say("why.wait", { queue, position, of, time: words.duration(waited_us) })];
  if (waited_in_all_us > waited_us) parts.push(words.say("why.wait.all", { time: words.duration(waited_in_all_us) }));
  if (vip) parts.push(words.text("why.vip"));
  else if (priority < NORMAL_PRIORITY) parts.push(words.say("why.high", { priority }));
  else if (priority > NORMAL_PRIORITY) parts.push(words.say("why.low", { priority }));
  return parts.join(" ");
}

function rules(words: Words, explanation: Explanation, nameOf: (agent: AgentId) => string): string {
  const { queue_name: queue, strategy, asked, next } = explanation;
  const parts = [words.say(`why.strategy.${strategy}`, { queue })];
  if (!asksNobody(asked)) parts.push(words.say("why.asked", { asks: asksText(words, asked, nameOf) }));
  if (next) {
    const [time, asks] = [words.duration(next.after_us), asksText(words, next.asked, nameOf)];
    parts.push(words.say("why.next", { time, asks }));
  }
  return parts.join(" ");
}

/** What counts for an agent, by the queue's strategy. */
function merit(words: Words, { idle_us, ranked_by }: Eligible): string {
  const idle = words.say("why.idle", { time: words.duration(idle_us) });
  if (!ranked_by) return idle;
  if ("last_offer" in ranked_by) return ranked_by.last_offer === 0 ? words.text("why.never_offered") : idle;
  if ("order" in ranked_by) {
    return ranked_by.order > LISTED_MAX ? words.text("why.unlisted") : words.say("why.order", { place: ranked_by.order });
  }
  if ("occupancy" in ranked_by) {
    return words.say("agents.occupancy", { share: words.wholeShare(ranked_by.occupancy / 100) });
  }
  if ("conversations" in ranked_by) return words.say("agents.conversations", { count: ranked_by.conversations });
  if ("skill" in ranked_by) return words.say("why.skills", { sum: ranked_by.skill });
  return words.text("why.turn");
}

/** What another system said of the agent. */
function seen(words: Words, presence: PresenceSeen | undefined): string[] {
  if (!presence) return [];
  const { source, age_us, confidence } = presence;
  const values = { source, what: words.text(`presence.${presence.presence}`), time: words.duration(age_us) };
  return [words.say(confidence === "doubtful" ? "why.seen.doubtful" : "why.seen", values)];
}

function reasonText(words: Words, reason: Reason): string {
  switch (reason.rule) {
    case "not_the_one":
      return words.text("why.not_the_one");
    case "skill": {
      const { skill, needed, has } = reason;
      return has === 0 ? words.say("why.no_skill", { skill, needed }) : words.say("why.skill", { skill, needed, has });
    }
    case "ring":
      return words.say("why.ring", { ring: reason.ring });
    case "offline":
      return words.say("why.offline", { time: words.duration(reason.for_us) });
    case "break": {
      const time = words.duration(reason.for_us);
      return reason.reason ? words.say("why.break.reason", { reason: reason.reason, time }) : words.say("why.break", { time });
    }
    case "resting": {
      const after = words.text(`state.resting.${reason.after}`);
      if (reason.another_us === null) return after;
      return words.say("why.resting", { after, time: words.duration(reason.another_us) });
    }
    case "not_reachable": {
      const [what, time] = [words.text(`presence.${reason.presence}`), words.duration(reason.age_us)];
      return words.say("why.not_reachable", { source: reason.source, what, time });
    }
    case "offered":
      return words.say("why.offered", { time: words.duration(reason.for_us) });
    case "capacity":
      return words.say("why.capacity", { takes: reason.takes, capacity: reason.capacity });
    case "occupied":
      return words.say(reason.wrap_up ? "why.wraps_up" : "why.talks", { time: words.duration(reason.for_us) });
    default:
      return (reason satisfies never as Reason).rule;
  }
}

/** An agent with a higher place stands in no order. */
const LISTED_MAX = 2 ** 31 - 1;
