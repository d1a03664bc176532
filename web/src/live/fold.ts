/**
 * The fold: the view at a number and the facts that follow give the view of now, without asking again.
 *
 * It does what `View::apply` in `crates/center/src/view.rs` does. A view is changed in place, but an agent or an
 * interaction in it never is: it is replaced by another object, so that a row knows by identity whether it is still
 * right.
 */

import type {
  AgentId,
  ConversationView,
  Document,
  Fact,
  FactOf,
  InteractionId,
  InteractionView,
  Matter,
  OfferOutcome,
  OfferView,
  QueueId,
  QueueStay,
  QueueTotals,
  QueueView,
  RingingOut,
  StageView,
  Terms,
  Timestamp,
  View,
} from "../api/center.ts";
import { applyToAgent, wrapUpUntil } from "./fold_agent.ts";

/** How many closed interactions are kept; older ones are fetched when asked for. */
export const RECENT_MAX = 100;

/** Later facts of an interaction are left out of the view. */
export const STORY_FACTS_MAX = 1_000;

/** A view of which nothing is known. */
export function emptyView(): View {
  return {
    at: 0,
    live: { number: 0, configuration: 0, queues: {}, agents: {}, interactions: {} },
    totals: {},
    stories: {},
    recent: [],
  };
}

/** The interaction that a fact belongs to, if it belongs to one. */
export function interactionOf(fact: Fact): InteractionId | undefined {
  if (fact.kind === "arrived" || fact.kind === "callback_scheduled") return fact.number;
  return "interaction" in fact ? fact.interaction : undefined;
}

/** Takes in the next fact. One that was taken in already changes nothing; a kind that is unknown only moves the number on. */
export function applyFact(view: View, fact: Fact): void {
  if (fact.number <= view.live.number) return;
  count(view, fact);
  const id = interactionOf(fact);
  if (fact.kind === "erased") erase(view, fact);
  else if (id !== undefined) record(view, id, fact);
  applyToLive(view, fact);
  view.live.number = fact.number;
  view.at = fact.at;
}

function record(view: View, id: InteractionId, fact: Fact): void {
  const story = (view.stories[id] ??= []);
  if (story.length < STORY_FACTS_MAX) story.push(fact);
  if (fact.kind !== "closed") return;
  delete view.stories[id];
  const last = view.live.interactions[id];
  if (!last) return;
  const { call, line, from, from_name, to, arrived_at } = last;
  const { outcome } = fact;
  view.recent.unshift({
    interaction: id,
    outcome,
    ...(call !== undefined && { call }),
    line,
    from,
    from_name,
    to,
    arrived_at,
    closed_at: fact.at,
    story,
  });
  if (view.recent.length > RECENT_MAX) view.recent.length = RECENT_MAX;
}

/** An interaction that is over names nobody any more, and says so; older ones are in the journal only. */
function erase(view: View, fact: FactOf<"erased">): void {
  const place = view.recent.findIndex(({ interaction }) => interaction === fact.interaction);
  const closed = view.recent[place];
  if (!closed) return;
  const story = closed.story.map(withoutPersonal);
  if (story.length < STORY_FACTS_MAX) story.push(fact);
  view.recent[place] = { ...closed, from: null, from_name: null, story };
}

/** What each kind of fact says about people. `visit_personal` in `crates/center/src/fact/personal.rs` has the same. */
const PERSONAL: Readonly<Record<string, readonly string[]>> = {
  arrived: ["from", "from_name"],
  callback_promised: ["to"],
  callback_scheduled: ["to", "name"],
  transfer_asked: ["target"],
  wrap_up_ended: ["note"],
};

function withoutPersonal(fact: Fact): Fact {
  const known = PERSONAL[fact.kind]?.filter((name) => name in fact) ?? [];
  return known.length === 0 ? fact : { ...fact, ...Object.fromEntries(known.map((name) => [name, null])) };
}

function count(view: View, fact: Fact): void {
  switch (fact.kind) {
    case "queue_entered":
      totalsOf(view, fact.queue).entered += 1;
      break;
    case "queue_refused":
      totalsOf(view, fact.queue).refused += 1;
      break;
    case "connected":
      totalsOf(view, fact.queue).answered += 1;
      break;
    case "queue_left":
      countExit(totalsOf(view, fact.queue), fact);
      break;
    default:
  }
}

function countExit(totals: QueueTotals, fact: FactOf<"queue_left">): void {
  if (fact.reason === "abandoned") totals.abandoned += 1;
  else if (fact.reason === "lost") totals.lost += 1;
  else totals.flowed_out += 1;
}

function totalsOf(view: View, queue: QueueId): QueueTotals {
  return (view.totals[queue] ??= { entered: 0, refused: 0, answered: 0, abandoned: 0, flowed_out: 0, lost: 0 });
}

function applyToLive(view: View, fact: Fact): void {
  const { live } = view;
  switch (fact.kind) {
    case "configured":
      configure(view, fact.number, fact.configuration);
      break;
    case "queue_switched":
      changeQueue(view, fact.queue, (queue) => ({ ...without(queue, "closed"), ...(fact.closed && { closed: true }) }));
      break;
    case "arrived":
      live.interactions[fact.number] = {
        call: fact.call,
        ...begun(fact.line, fact.from, fact.from_name, fact.to, fact.at),
        flow: fact.flow,
        stage: "in_flow",
        step: null,
      };
      break;
    case "callback_scheduled": {
      const { line, to, queue, due_at, priority, terms } = fact;
      live.interactions[fact.number] = {
        ...begun(line, to, fact.name, "anonymous", fact.at),
        in_call: false,
        channel: "callback",
        callback: { line, to, attempts: 0 },
        stage: "scheduled",
        at: due_at,
        queue,
        waiting_since: due_at,
        priority,
        ...(terms && { terms }),
      };
      break;
    }
    case "closed":
      delete live.interactions[fact.interaction];
      break;
    default: {
      applyToAgent(live.agents, fact);
      applyToQueue(view, fact);
      const id = interactionOf(fact);
      const interaction = id === undefined ? undefined : live.interactions[id];
      if (id !== undefined && interaction) live.interactions[id] = interactionAfter(interaction, fact);
    }
  }
}

function begun(line: string, from: Matter["from"], from_name: Matter["from_name"], to: Matter["to"], arrived_at: Timestamp): Matter {
  return { line, from, from_name, to, arrived_at, answered: false };
}

function configure(view: View, number: number, document: Document): void {
  const { live } = view;
  live.configuration = number;
  live.queues = Object.fromEntries(
    document.queues.map(({ id, name, closed = false }) => {
      const before = live.queues[id];
      // A switch that somebody has turned is not turned back because something else was changed.
      if (before && (before.configured_closed ?? false) === closed) return [id, { ...before, name }];
      const rest = before ? without(without(before, "closed"), "configured_closed") : {};
      return [id, { ...rest, name, ...(closed && { closed, configured_closed: closed }) }];
    }),
  );
  const names = new Map(document.agents.map(({ id, name }) => [id, name]));
  for (const [id, agent] of Object.entries(live.agents)) {
    const name = names.get(id);
    if (name !== undefined) {
      if (name !== agent.name) live.agents[id] = { ...agent, name };
    } else if (!agent.work) {
      delete live.agents[id];
    }
  }
}

function applyToQueue(view: View, fact: Fact): void {
  switch (fact.kind) {
    case "conversation_ended": {
      const { talked_us, held_us } = fact;
      changeQueue(view, fact.queue, (queue) => {
        return { ...queue, pace: { ...queue.pace, talk_us: average(queue.pace?.talk_us, talked_us + held_us) } };
      });
      break;
    }
    case "wrap_up_ended": {
      const { queue: id, wrapped_us } = fact;
      if (id === undefined) break;
      changeQueue(view, id, (queue) => {
        return { ...queue, pace: { ...queue.pace, wrap_up_us: average(queue.pace?.wrap_up_us, wrapped_us) } };
      });
      break;
    }
    case "offered": {
      const { turn } = fact;
      if (!turn) break;
      changeQueue(view, fact.queue, (queue) => ({ ...without(queue, "turn"), ...(turn.at > 0 && { turn: turn.at }) }));
      break;
    }
    default:
  }
}

function changeQueue(view: View, id: QueueId, change: (queue: QueueView) => QueueView): void {
  const queue = view.live.queues[id];
  if (queue) view.live.queues[id] = change(queue);
}

/** An average in which every new value counts a sixteenth, in whole microseconds. */
function average(before: number | undefined, value: number): number {
  if (!before) return Math.max(1, value);
  return Math.max(1, before - Math.floor(before / 16) + Math.floor(value / 16));
}

function interactionAfter(interaction: InteractionView, fact: Fact): InteractionView {
  switch (fact.kind) {
    case "answered":
      return { ...interaction, answered: true };
    case "attributes_set":
      if (Object.keys(fact.attributes).length === 0) return interaction;
      return { ...interaction, attributes: { ...interaction.attributes, ...fact.attributes } };
    case "step_begun":
      return atStage(interaction, { stage: "in_flow", step: fact.step });
    case "call_placed":
      return { ...without(interaction, "in_call"), call: fact.call, call_began_at: fact.at };
    case "queue_entered":
      return atStage(throughChannel(interaction, fact.channel), { stage: "waiting", ...stayOf(fact) });
    case "widened":
      return withStay(interaction, (stay) => ({ ...without(stay, "step"), ...(fact.step > 0 && { step: fact.step }) }));
    case "prioritised":
      return withStay(interaction, (stay) => prioritised(stay, fact));
    case "terms_changed":
      return withStay(interaction, (stay) => {
        const { terms } = fact;
        return { ...without(without(stay, "step"), "terms"), ...(!asksNothing(terms) && { terms }) };
      });
    case "held":
      return fact.by === "caller" ? { ...interaction, caller_held_since: fact.at } : movedOn(interaction, fact);
    case "resumed":
      return fact.by === "caller" ? without(interaction, "caller_held_since") : movedOn(interaction, fact);
    case "callback_dialled":
      return movedOn(tried(interaction, () => fact.attempt), fact);
    case "callback_promised": {
      const { line, to, queue, waiting_since, priority, vip, terms } = fact;
      const promised: InteractionView = { ...interaction, channel: "callback", callback: { line, to, attempts: 0 } };
      const ticket = { queue, waiting_since, priority, ...(vip && { vip }), ...(terms && { terms }) };
      return atStage(promised, { stage: "parked", ...ticket });
    }
    case "message_left": {
      const { recording, length_us } = fact;
      const queue = interaction.stage === "leaving_message" ? interaction.queue : undefined;
      const message = queue === undefined ? interaction.message : { queue, recording, length_us };
      return movedOn({ ...interaction, channel: "voicemail", ...(message && { message }) }, fact);
    }
    case "queue_left": {
      const after = movedOn(waitedFor(interaction, fact.waited_us), fact);
      // What waited without a call and enters no other queue in the same moment is over.
      if (!hasOwnCall(after) || after.stage !== "in_flow") return after;
      return atStage(after, { stage: "wrap_up", outcome: fact.reason === "cancelled" ? "cancelled" : "expired" });
    }
    case "offer_ended":
      return offerEnded(interaction, fact);
    case "connected": {
      const answered = waitedFor({ ...interaction, handled: true }, fact.waited_us);
      return movedOn(ringsOut(answered, "answered_elsewhere", fact.agent), fact);
    }
    case "conversation_ended": {
      const after = unheard(interaction, fact) ?? movedOn(interaction, fact);
      if (wrapUpUntil(fact) === undefined) return after;
      return { ...after, wrapping_up: [...(after.wrapping_up ?? []), fact.agent] };
    }
    case "wrap_up_ended": {
      const others = interaction.wrapping_up?.filter((agent) => agent !== fact.agent) ?? [];
      const rest = without(interaction, "wrapping_up");
      return others.length > 0 ? { ...rest, wrapping_up: others } : rest;
    }
    case "call_ended":
      return callOver(movedOn(interaction, fact));
    default:
      return movedOn(interaction, fact);
  }
}

function throughChannel(interaction: InteractionView, channel: FactOf<"queue_entered">["channel"]): InteractionView {
  return channel === undefined ? without(interaction, "channel") : { ...interaction, channel };
}

function stayOf(fact: FactOf<"queue_entered">): QueueStay {
  const { queue, at: entered_at, waiting_since, stands_since, priority, vip, terms } = fact;
  return {
    queue,
    entered_at,
    ...(waiting_since !== undefined && { waiting_since }),
    ...(stands_since !== undefined && { stands_since }),
    ...(priority !== undefined && { priority }),
    ...(vip && { vip }),
    ...(terms && { terms }),
  };
}

function prioritised<S extends QueueStay>(stay: S, fact: FactOf<"prioritised">): S {
  const { priority, vip, stands_since } = fact;
  return {
    ...without(without(without(stay, "priority"), "vip"), "stands_since"),
    ...(priority !== NORMAL_PRIORITY && { priority }),
    ...(vip && { vip }),
    ...(stands_since !== waitingSince(stay) && { stands_since }),
  } as S;
}

/** Changes how somebody who waits stands there. */
function withStay(
  interaction: InteractionView,
  change: <S extends QueueStay>(stay: S) => Omit<S, keyof QueueStay> & Partial<QueueStay>,
): InteractionView {
  const isWaiting = interaction.stage === "waiting" || interaction.stage === "offered";
  return isWaiting ? (change(interaction) as InteractionView) : interaction;
}

/** Whether anybody will do from the beginning. */
function asksNothing(terms: Terms): boolean {
  const [first, ...others] = terms;
  return others.length === 0 && first !== undefined && Object.keys(first).length === 0;
}

function tried(interaction: InteractionView, change: (attempts: number) => number): InteractionView {
  const { callback } = interaction;
  if (!callback) return interaction;
  return { ...interaction, callback: { ...callback, attempts: change(callback.attempts) } };
}

/** Whether its calls are not the customer's. */
function hasOwnCall({ channel }: InteractionView): boolean {
  return channel !== undefined && channel !== "call";
}

function waitedFor(interaction: InteractionView, waited_us: number): InteractionView {
  const all = (interaction.waited_us ?? 0) + waited_us;
  return all > 0 ? { ...interaction, waited_us: all } : interaction;
}

function offerEnded(interaction: InteractionView, fact: FactOf<"offer_ended">): InteractionView {
  const isUnspent = interaction.stage === "calling_back" && fact.outcome !== "customer_not_reached";
  const now = isUnspent ? tried(interaction, (attempts) => Math.max(0, attempts - 1)) : interaction;
  const ringing = now.ringing_out ?? [];
  const at = ringing.findIndex(({ agent }) => agent === fact.agent);
  if (at >= 0) {
    const isOver = hasOwnCall(now) && now.stage !== "parked";
    return withRinging(isOver ? callOver(now) : now, withoutSwapped(ringing, at));
  }
  const isOfAgentsCall = now.stage === "offered" || now.stage === "calling_back";
  return movedOn(isOfAgentsCall && hasOwnCall(now) ? callOver(now) : now, fact);
}

/** Takes out one of a list and puts the last in its place. */
function withoutSwapped<T>(list: readonly T[], at: number): T[] {
  const rest = [...list];
  const last = rest.pop();
  if (last !== undefined && at < rest.length) rest[at] = last;
  return rest;
}

function withRinging(interaction: InteractionView, ringing_out: InteractionView["ringing_out"] & object): InteractionView {
  const rest = without(interaction, "ringing_out");
  return ringing_out.length > 0 ? { ...rest, ringing_out } : rest;
}

function callOver(interaction: InteractionView): InteractionView {
  return { ...without(interaction, "caller_held_since"), in_call: false };
}

/** All telephones but this agent's are to stop ringing. */
function ringsOut(interaction: InteractionView, outcome: OfferOutcome, but?: AgentId): InteractionView {
  if (interaction.stage !== "offered") return interaction;
  const { queue, offers, ringing_out = [] } = interaction;
  const others = offers.filter(({ agent }) => agent !== but);
  const stopped = others.map((offer) => stopping(offer, queue, outcome));
  const kept = offers.filter(({ agent }) => agent === but);
  return withRinging({ ...interaction, offers: kept }, [...ringing_out, ...stopped]);
}

function stopping(offer: OfferView, queue: QueueId, outcome: OfferOutcome): RingingOut {
  return { queue, outcome, ...offer };
}

/** Takes in a fact whose meaning depends on the stage. */
function movedOn(interaction: InteractionView, fact: Fact): InteractionView {
  const isGone = fact.kind === "ending" || (fact.kind === "queue_left" && CALLER_GONE.has(fact.reason));
  const now =
    fact.kind === "ending" || fact.kind === "queue_left"
      ? ringsOut(interaction, isGone ? "caller_gone" : "caller_moved")
      : interaction;
  return atStage(now, stageAfter(now, fact));
}

function stageAfter(stage: StageView, fact: Fact): StageView {
  if (fact.kind === "message_begun") return leavingMessage(fact);
  if (fact.kind === "redirect_begun") return { stage: "redirecting", party: fact.party };
  if (fact.kind === "ending") return ending(stage, fact.outcome);
  switch (stage.stage) {
    case "waiting":
      if (fact.kind === "queue_left") return leftQueue(stage, fact);
      if (fact.kind === "offered") return { ...stayIn(stage), stage: "offered", offers: [offerOf(fact)] };
      return stage;
    case "scheduled":
      return fact.kind === "callback_cancelled" ? { stage: "wrap_up", outcome: "cancelled" } : stage;
    case "offered":
      return offeredAfter(stage, fact);
    case "calling_back":
      if (fact.kind === "queue_left") return leftQueue(stage, fact);
      if (fact.kind === "offer_ended") return { ...stayIn(stage), stage: "waiting" };
      if (fact.kind === "connected") return begin(fact);
      return stage;
    case "connected":
      return conversationAfter(stage.conversation, fact);
    case "leaving_message": {
      if (fact.kind !== "message_left") return stage;
      const { queue, waiting_since, priority, vip, terms } = stage;
      return { stage: "parked", queue, waiting_since, priority, ...(vip && { vip }), ...(terms && { terms }) };
    }
    case "parked": {
      if (fact.kind === "callback_cancelled") return { stage: "wrap_up", outcome: "cancelled" };
      if (fact.kind !== "callback_missed") return stage;
      if (fact.again_at === undefined) return { stage: "wrap_up", outcome: "not_reached" };
      const { queue, waiting_since, priority, vip, terms } = stage;
      const ticket = { queue, waiting_since, priority, ...(vip && { vip }), ...(terms && { terms }) };
      return { stage: "scheduled", at: fact.again_at, ...ticket };
    }
    case "redirecting":
      if (fact.kind !== "redirect_ended") return stage;
      return fact.outcome === "done" ? { stage: "transferred" } : { stage: "in_flow", step: null };
    case "transferred":
      if (fact.kind === "transfer_ended" || isMissing(fact, "transfer_end")) return without(stage, "pending");
      if (fact.kind === "conversation_ended") return without(stage, "leaving");
      return stage;
    case "ending":
      if (fact.kind === "queue_left") return without(stage, "stay");
      if (fact.kind === "conversation_ended") return without(stage, "conversation");
      if (fact.kind === "call_ended") return { stage: "wrap_up", outcome: stage.outcome };
      return stage;
    default:
      return stage;
  }
}

/** The place is kept for the next try, if there is to be one. */
function leftQueue(stay: QueueStay, { reason }: FactOf<"queue_left">): StageView {
  if (reason !== "customer_not_reached") return { stage: "in_flow", step: null };
  const { queue, priority = NORMAL_PRIORITY, vip, terms } = stay;
  const ticket = { queue, waiting_since: waitingSince(stay), priority, ...(vip && { vip }), ...(terms && { terms }) };
  return { stage: "parked", ...ticket };
}

function offeredAfter(stage: Extract<StageView, { stage: "offered" }>, fact: Fact): StageView {
  const { offers } = stage;
  const stay = stayIn(stage);
  switch (fact.kind) {
    case "queue_left":
      return { stage: "in_flow", step: null };
    case "offered":
      return { ...stay, stage: "offered", offers: [...offers, offerOf(fact)] };
    case "ringing":
      return {
        ...stay,
        stage: "offered",
        offers: offers.map((offer) => (offer.agent === fact.agent ? { ...offer, ringing: true } : offer)),
      };
    case "offer_ended": {
      const others = offers.filter(({ agent }) => agent !== fact.agent);
      return others.length > 0 ? { ...stay, stage: "offered", offers: others } : { ...stay, stage: "waiting" };
    }
    case "callback_dialled": {
      const offer = offers.find(({ agent }) => agent === fact.agent);
      return offer ? { ...stay, stage: "calling_back", offer, customer: fact.party } : { ...stay, stage: "waiting" };
    }
    case "connected":
      return begin(fact);
    default:
      return stage;
  }
}

function stayIn(stage: QueueStay): QueueStay {
  const { queue, entered_at, waiting_since, stands_since, priority, vip, terms, step } = stage;
  return {
    queue,
    entered_at,
    ...(waiting_since !== undefined && { waiting_since }),
    ...(stands_since !== undefined && { stands_since }),
    ...(priority !== undefined && { priority }),
    ...(vip && { vip }),
    ...(terms && { terms }),
    ...(step !== undefined && { step }),
  };
}

function offerOf({ agent, party, at: offered_at, rings_until }: FactOf<"offered">): OfferView {
  return { agent, party, offered_at, rings_until, ringing: false };
}

function leavingMessage({ recording, queue, waiting_since, priority, vip }: FactOf<"message_begun">): StageView {
  return { stage: "leaving_message", recording, queue, waiting_since, priority, ...(vip && { vip }) };
}

/** What was not heard to its end waits again. */
function unheard(interaction: InteractionView, fact: FactOf<"conversation_ended">): InteractionView | undefined {
  const { stage, message, arrived_at: waiting_since } = interaction;
  if (stage !== "connected" || !message || fact.by !== "lost") return undefined;
  return atStage(interaction, { stage: "parked", queue: message.queue, waiting_since, priority: NORMAL_PRIORITY });
}

function begin({ queue, agent, at: connected_at }: FactOf<"connected">): StageView {
  return connected({ queue, agent, connected_at, held_us: 0 });
}

function isMissing(fact: Fact, missing: FactOf<"repaired">["missing"]): boolean {
  return fact.kind === "repaired" && fact.missing === missing;
}

function conversationAfter(conversation: ConversationView, fact: Fact): StageView {
  switch (fact.kind) {
    case "held":
      return connected(fact.by === "agent" ? { ...conversation, held_since: fact.at } : conversation);
    case "resumed": {
      if (fact.by !== "agent") return connected(conversation);
      const held_us = conversation.held_us + fact.held_us;
      return connected({ ...without(conversation, "held_since"), held_us });
    }
    case "transfer_asked":
      return connected(fact.allowed ? { ...conversation, transfer: fact.transfer } : conversation);
    case "transfer_ended": {
      const leaving = without(conversation, "transfer");
      return fact.outcome === "done" ? { stage: "transferred", leaving } : connected(leaving);
    }
    case "repaired":
      return connected(fact.missing === "transfer_end" ? without(conversation, "transfer") : conversation);
    case "conversation_ended": {
      const { transfer } = conversation;
      // Without a transfer the customer is going to wait again.
      if (transfer === undefined) return { stage: "in_flow", step: null };
      return { stage: "transferred", pending: { agent: fact.agent, transfer } };
    }
    default:
      return connected(conversation);
  }
}

function connected(conversation: ConversationView): StageView {
  return { stage: "connected", conversation };
}

function ending(stage: StageView, outcome: FactOf<"ending">["outcome"]): StageView {
  switch (stage.stage) {
    case "waiting":
    case "offered":
      return { stage: "ending", outcome, stay: stayIn(stage) };
    case "connected":
      return { stage: "ending", outcome, conversation: stage.conversation };
    case "transferred":
      return { stage: "ending", outcome, ...(stage.leaving && { conversation: stage.leaving }) };
    default:
      return { stage: "ending", outcome };
  }
}

function atStage(interaction: InteractionView, stage: StageView): InteractionView {
  if (stage === interaction) return interaction;
  const matter: Partial<Record<string, unknown>> = { ...interaction };
  for (const part of STAGE_PARTS) delete matter[part];
  return { ...(matter as Matter), ...stage };
}

function without<T extends object, K extends keyof T>(value: T, key: K): T {
  if (!(key in value)) return value;
  const copy = { ...value };
  delete copy[key];
  return copy;
}

/** Since when somebody has waited, all waits counted as one. */
export function waitingSince(stay: Pick<QueueStay, "entered_at" | "waiting_since">): Timestamp {
  return stay.waiting_since ?? stay.entered_at;
}

/** The priority of callers about whom nothing else is said. */
export const NORMAL_PRIORITY = 3;

/** After these the caller is no longer there. */
const CALLER_GONE: ReadonlySet<string> = new Set<FactOf<"queue_left">["reason"]>(["abandoned", "lost", "call_limit"]);

/** Everything that the stages say; none of it is said of an interaction at any stage. */
const STAGE_PARTS = [
  "stage",
  "step",
  "queue",
  "entered_at",
  "waiting_since",
  "stands_since",
  "priority",
  "vip",
  "terms",
  "offers",
  "offer",
  "customer",
  "at",
  "recording",
  "party",
  "conversation",
  "leaving",
  "pending",
  "outcome",
  "stay",
] as const;
