/** The story of a call in sentences: one for each fact, in any language, with the time from the beginning. */

import type { AgentId, Cause, Fact, FactOf, Micros, QueueId } from "../api/center.ts";
import type { Words } from "../i18n/words.ts";
import { addressText, callerName } from "./caller.ts";

/** One line of a timeline. */
export type Entry = {
  /** The fact's number. */
  number: number;
  at: number;
  /** Time since the first fact of the story. */
  after: Micros;
  /** What it is about: decides the sign beside the sentence, which says nothing that the sentence does not. */
  tone: Tone;
  sentence: string;
  /** What the telephone network said, for who wants to know more. */
  detail: string | undefined;
};

export type Tone = "plain" | "good" | "ring" | "wait" | "bad" | "end";

/** The names of those whom a fact knows by id only. */
export type Names = { agent(id: AgentId): string | undefined; queue(id: QueueId): string | undefined };

/** The timeline of a story. */
export function timeline(words: Words, story: readonly Fact[], names: Names): Entry[] {
  const begin = story[0]?.at ?? 0;
  const named = namesIn(story, names);
  return story.map((fact) => ({
    number: fact.number,
    at: fact.at,
    after: fact.at - begin,
    tone: toneOf(fact),
    sentence: sentence(words, fact, named),
    detail: detail(words, fact),
  }));
}

/** What happened, in one or two sentences. */
export function sentence(words: Words, fact: Fact, names: Names): string {
  switch (fact.kind) {
    case "arrived": {
      const { line, flow } = fact;
      return words.say("told.arrived", { caller: callerName(words, fact), to: addressText(words, fact.to), line, flow });
    }
    case "answered":
      return words.text("told.answered");
    case "step_begun":
      return words.say("told.step_begun", { step: fact.step, flow: fact.flow });
    case "menu_chosen":
      return words.say("told.menu_chosen", { key: fact.key, step: fact.step });
    case "menu_missed": {
      const { reason, step, tries_left: count } = fact;
      if (count === 0) return words.say(`told.menu_missed.${reason}.last`, { step });
      return words.say(`told.menu_missed.${reason}`, { step, count });
    }
    case "queue_entered": {
      const { queue_name: queue, ahead: count } = fact;
      return count === 0
        ? words.say("told.queue_entered.first", { queue })
        : words.say("told.queue_entered", { queue, count });
    }
    case "queue_refused":
      return words.say(`told.queue_refused.${fact.reason}`, { queue: names.queue(fact.queue) ?? fact.queue });
    case "queue_left": {
      const time = words.duration(fact.waited_us);
      return words.say(`told.queue_left.${fact.reason}`, { queue: fact.queue_name, time });
    }
    case "offered":
      return words.say("told.offered", { agent: fact.agent_name, idle: words.duration(fact.idle_us) });
    case "ringing":
      return words.say("told.ringing", { agent: names.agent(fact.agent) ?? fact.agent });
    case "offer_ended":
      return offerEnded(words, fact);
    case "connected": {
      const [rang, time] = [words.duration(fact.rang_us), words.duration(fact.waited_us)];
      return words.say("told.connected", { agent: fact.agent_name, rang, time });
    }
    case "held":
      return words.text(`told.held.${fact.by}`);
    case "resumed":
      return words.say(`told.resumed.${fact.by}`, { time: words.duration(fact.held_us) });
    case "transfer_asked":
      return transferAsked(words, fact);
    case "transfer_ended":
      return words.say(`told.transfer_ended.${fact.outcome}`, { agent: fact.agent_name });
    case "conversation_ended": {
      // Who ended it is said by the fact that began the end of the call; only a hand-over lets the call go on.
      const said = { agent: fact.agent_name, time: words.duration(fact.talked_us) };
      return words.say(fact.by === "transfer" ? "told.conversation_ended.transfer" : "told.conversation_ended", said);
    }
    case "wrap_up_ended": {
      const time = words.duration(fact.wrapped_us);
      return words.say(`told.wrap_up_ended.${fact.by}`, { agent: fact.agent_name, time });
    }
    case "quality":
      return quality(words, fact, names);
    case "ending":
      return words.text(`told.ending.${fact.why}`);
    case "call_ended":
      return words.say("told.call_ended", { time: words.duration(fact.lasted_us) });
    case "repaired":
      return words.text(`told.repaired.${fact.missing}`);
    case "closed":
      return words.say("told.closed", { outcome: words.text(`outcome.${fact.outcome}`) });
    case "erased":
      return words.text(`told.erased.${fact.by}`);
    case "configured":
    case "agent_chose":
    case "rest_ended":
    case "call_rejected":
      // They belong to no call.
      return words.say("told.unknown", { kind: fact.kind });
    default:
      return words.say("told.unknown", { kind: (fact satisfies never as Fact).kind });
  }
}

/** The names that the story itself tells, before those that are known now. */
function namesIn(story: readonly Fact[], names: Names): Names {
  const told = new Map<AgentId, string>();
  for (const fact of story) if ("agent_name" in fact) told.set(fact.agent, fact.agent_name);
  return { agent: (id) => told.get(id) ?? names.agent(id), queue: (id) => names.queue(id) };
}

function offerEnded(words: Words, fact: FactOf<"offer_ended">): string {
  const agent = fact.agent_name;
  switch (fact.outcome) {
    case "missed":
    case "declined":
    case "caller_gone":
      return words.say(`told.offer_ended.${fact.outcome}`, { agent, time: words.duration(fact.rang_us) });
    default:
      return words.say(`told.offer_ended.${fact.outcome}`, { agent });
  }
}

function transferAsked(words: Words, fact: FactOf<"transfer_asked">): string {
  const agent = fact.agent_name;
  if (!fact.allowed) return words.say("told.transfer_refused", { agent });
  if (fact.target === undefined) return words.say("told.transfer_asked.somebody", { agent });
  return words.say("told.transfer_asked", { agent, target: addressText(words, fact.target) });
}

function quality(words: Words, fact: FactOf<"quality">, names: Names): string {
  const party = partyName(words, fact, names);
  const { mos_x100, lost_x10000, jitter_ms } = fact.quality;
  if (mos_x100 === null) return words.say("told.quality.silent", { party });
  const [mos, lost] = [words.tenths(mos_x100 / 100), words.share(lost_x10000 / 10_000)];
  return words.say("told.quality", { party, mos, lost, jitter: jitter_ms });
}

function partyName(words: Words, { party, agent }: FactOf<"quality">, names: Names): string {
  if (agent !== undefined) return names.agent(agent) ?? agent;
  return words.text(party === 0 ? "party.caller" : "party.other");
}

function detail(words: Words, fact: Fact): string | undefined {
  if (!("cause" in fact) || fact.cause === undefined) return undefined;
  // That somebody hung up is what the sentence says already.
  const { kind, code = 0, detail: text } = fact.cause satisfies Cause;
  const isPlain = code === 0 && text === undefined && (kind === "hung_up" || kind === "removed");
  if (isPlain) return undefined;
  const name = words.text(`cause.${kind}`);
  const cause = code === 0 ? name : words.say("cause.code", { cause: name, code: String(code) });
  return text === undefined ? cause : `${cause}. ${text}`;
}

function toneOf(fact: Fact): Tone {
  switch (fact.kind) {
    case "connected":
    case "answered":
      return "good";
    case "offered":
    case "ringing":
      return "ring";
    case "queue_entered":
    case "held":
      return "wait";
    case "queue_refused":
    case "repaired":
      return "bad";
    case "offer_ended":
      return fact.outcome === "caller_gone" ? "end" : "bad";
    case "queue_left":
      return fact.reason === "abandoned" || fact.reason === "lost" ? "bad" : "plain";
    case "ending":
    case "conversation_ended":
    case "call_ended":
    case "closed":
      return "end";
    default:
      return "plain";
  }
}
