/** The story of a call in sentences: one for each fact, in any language, with the time from the beginning. */

import type { AgentId, Cause, Endpoint, Fact, FactOf, Micros, QueueId, RecordingId, Terms } from "../api/center.ts";
import type { Words } from "../i18n/words.ts";
import { addressText, callerName } from "./caller.ts";
import { asksNobody, asksText, requirementAt } from "./terms.ts";

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
  /** The agent of whose offer it tells; why that agent, the program can explain. */
  offered: AgentId | undefined;
  /** The message that can be heard. */
  recording: RecordingId | undefined;
};

export type Tone = "plain" | "good" | "ring" | "wait" | "bad" | "end";

/** The names of those whom a fact knows by id only. */
export type Names = { agent(id: AgentId): string | undefined; queue(id: QueueId): string | undefined };

/** The timeline of a story. */
export function timeline(words: Words, story: readonly Fact[], names: Names): Entry[] {
  const begin = story[0]?.at ?? 0;
  const named = namesIn(story, names);
  let terms: Terms | undefined;
  return story.map((fact) => {
    if (fact.kind === "queue_entered" || fact.kind === "terms_changed") ({ terms } = fact);
    return {
      number: fact.number,
      at: fact.at,
      after: fact.at - begin,
      tone: toneOf(fact),
      sentence: sentence(words, fact, named, terms),
      detail: detail(words, fact, named),
      offered: fact.kind === "offered" ? fact.agent : undefined,
      recording: fact.kind === "message_left" ? fact.recording : undefined,
    };
  });
}

/** What happened, in one or two sentences. `terms` is what is asked of an agent by then. */
export function sentence(words: Words, fact: Fact, names: Names, terms?: Terms): string {
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
    case "attributes_set": {
      const known = Object.entries(fact.attributes).map(([name, value]) => `${name} = ${value}`);
      return words.say("told.attributes_set", { attributes: known.join(", ") });
    }
    case "queue_entered": {
      const { queue_name: queue, ahead: count, channel = "call" } = fact;
      if (channel !== "call") return words.say(`told.queue_entered.${channel}`, { queue });
      return count === 0
        ? words.say("told.queue_entered.first", { queue })
        : words.say("told.queue_entered", { queue, count });
    }
    case "widened":
      return words.say("told.widened", { asks: asks(words, requirementAt(terms, fact.step), names) });
    case "announced":
      return announced(words, fact);
    case "prioritised":
      return words.say(fact.vip ? "told.prioritised.vip" : "told.prioritised", { priority: fact.priority });
    case "terms_changed":
      return words.say("told.terms_changed", { asks: asks(words, requirementAt(fact.terms, 0), names) });
    case "queue_refused":
      return words.say(`told.queue_refused.${fact.reason}`, { queue: names.queue(fact.queue) ?? fact.queue });
    case "queue_left": {
      const time = words.duration(fact.waited_us);
      return words.say(`told.queue_left.${fact.reason}`, { queue: fact.queue_name, time });
    }
    case "call_placed":
      return words.say("told.call_placed", placeOf(words, fact.endpoint));
    case "redirect_begun":
      return words.say("told.redirect_begun", placeOf(words, fact.endpoint));
    case "redirect_ended":
      return words.text(`told.redirect_ended.${fact.outcome}`);
    case "callback_scheduled": {
      const customer = callerName(words, { from: fact.to, from_name: fact.name });
      const queue = names.queue(fact.queue) ?? fact.queue;
      return words.say("told.callback_scheduled", { customer, queue, time: words.moment(fact.due_at) });
    }
    case "callback_promised":
      return words.say("told.callback_promised", { queue: fact.queue_name, number: addressText(words, fact.to) });
    case "callback_dialled":
      return words.say("told.callback_dialled", { agent: fact.agent_name, attempt: fact.attempt });
    case "callback_missed":
      if (fact.again_at === undefined) return words.say("told.callback_missed.last", { attempt: fact.attempt });
      return words.say("told.callback_missed", { attempt: fact.attempt, time: words.time(fact.again_at) });
    case "callback_cancelled":
      return words.text(`told.callback_cancelled.${fact.reason}`);
    case "message_begun":
      return words.say("told.message_begun", { queue: names.queue(fact.queue) ?? fact.queue });
    case "message_left":
      return words.say("told.message_left", { time: words.duration(fact.length_us) });
    case "message_missed":
      return words.text("told.message_missed");
    case "heard":
      return words.text("told.heard");
    case "offered":
      return offered(words, fact);
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
    case "wrap_up_extended":
      return words.say("told.wrap_up_extended", { agent: fact.agent_name, time: words.time(fact.until) });
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
    case "presence_told":
    case "presence_forgotten":
    case "queue_switched":
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

function asks(words: Words, asked: Terms[number], names: Names): string {
  return asksText(words, asked, (agent) => names.agent(agent) ?? agent);
}

function placeOf(words: Words, { address, line }: Endpoint): { number: string; line: string } {
  return { number: addressText(words, address), line };
}

function announced(words: Words, { position, expected_us }: FactOf<"announced">): string {
  const time = expected_us === undefined ? "" : words.duration(expected_us);
  if (position === undefined) return time === "" ? words.text("told.announced") : words.say("told.announced.wait", { time });
  if (time === "") return words.say("told.announced.place", { position });
  return words.say("told.announced.both", { position, time });
}

/** Which of several agents is rung is decided by the queue's strategy, and told by the explanation of the offer. */
function offered(words: Words, fact: FactOf<"offered">): string {
  const { agent_name: agent, of_ready: count = 0 } = fact;
  const idle = words.duration(fact.idle_us);
  return count > 1 ? words.say("told.offered.among", { agent, idle, count }) : words.say("told.offered", { agent, idle });
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

/** What is worth knowing beside the sentence. */
function detail(words: Words, fact: Fact, names: Names): string | undefined {
  const parts = [standing(words, fact, names), work(words, fact), why(words, fact), cause(words, fact)];
  return parts.filter((part) => part !== undefined).join(" · ") || undefined;
}

/** How somebody who enters a queue stands there, if it is not like everybody. */
function standing(words: Words, fact: Fact, names: Names): string | undefined {
  if (fact.kind !== "queue_entered") return undefined;
  const { priority, vip, terms, waiting_since } = fact;
  const asked = requirementAt(terms, 0);
  const parts = [
    vip ? words.text("waiting.vip") : undefined,
    priority === undefined ? undefined : words.say("waiting.priority", { priority }),
    asksNobody(asked) ? undefined : words.say("waiting.asks", { asks: asks(words, asked, names) }),
    waiting_since === undefined ? undefined : words.say("told.waits_since", { time: words.time(waiting_since) }),
  ];
  return parts.filter((part) => part !== undefined).join(" · ") || undefined;
}

/** What an agent says about a conversation. */
function work(words: Words, fact: Fact): string | undefined {
  if (fact.kind !== "wrap_up_ended") return undefined;
  const { code, note } = fact;
  const parts = [code && words.say("told.code", { code }), note && words.say("told.quoted", { text: note })];
  return parts.filter(Boolean).join(" · ") || undefined;
}

/** The words of whoever did it. */
function why(words: Words, fact: Fact): string | undefined {
  // Why a call ends is said by the sentence.
  if (fact.kind === "ending") return undefined;
  return "why" in fact && fact.why ? words.say("told.quoted", { text: fact.why }) : undefined;
}

function cause(words: Words, fact: Fact): string | undefined {
  if (!("cause" in fact) || fact.cause === undefined) return undefined;
  // That somebody hung up is what the sentence says already.
  const { kind, code = 0, detail: text } = fact.cause satisfies Cause;
  const isPlain = code === 0 && text === undefined && (kind === "hung_up" || kind === "removed");
  if (isPlain) return undefined;
  const name = words.text(`cause.${kind}`);
  const said = code === 0 ? name : words.say("cause.code", { cause: name, code: String(code) });
  return text === undefined ? said : `${said}. ${text}`;
}

function toneOf(fact: Fact): Tone {
  switch (fact.kind) {
    case "connected":
    case "answered":
    case "message_left":
    case "heard":
      return "good";
    case "offered":
    case "ringing":
    case "redirect_begun":
    case "callback_dialled":
      return "ring";
    case "queue_entered":
    case "callback_scheduled":
    case "callback_promised":
    case "held":
      return "wait";
    case "queue_refused":
    case "repaired":
    case "callback_missed":
    case "message_missed":
      return "bad";
    case "redirect_ended":
      return fact.outcome === "done" ? "good" : "bad";
    case "offer_ended":
      return QUIET_ENDS.has(fact.outcome) ? "end" : "bad";
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

/** An offer that ended so was nobody's failure. */
const QUIET_ENDS: ReadonlySet<string> = new Set<FactOf<"offer_ended">["outcome"]>([
  "caller_gone",
  "answered_elsewhere",
  "caller_moved",
]);
