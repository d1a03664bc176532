/**
 * The fold: the view at a number and the facts that follow give the view of now, without asking again.
 *
 * It does what `View::apply` in `crates/center/src/view.rs` does. A view is changed in place, but an agent or an
 * interaction in it never is: it is replaced by another object, so that a row knows by identity whether it is still
 * right.
 */

import type {
  AgentState,
  ConversationView,
  Document,
  Fact,
  FactOf,
  InteractionId,
  InteractionView,
  QueueId,
  QueueTotals,
  StageView,
  Timestamp,
  View,
} from "../api/center.ts";

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
  if (fact.kind === "arrived") return fact.number;
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
    call,
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
    case "arrived":
      live.interactions[fact.number] = {
        call: fact.call,
        line: fact.line,
        from: fact.from,
        from_name: fact.from_name,
        to: fact.to,
        flow: fact.flow,
        arrived_at: fact.at,
        answered: false,
        stage: "in_flow",
        step: null,
      };
      break;
    case "closed":
      delete live.interactions[fact.interaction];
      break;
    default: {
      applyToAgent(view, fact);
      const id = interactionOf(fact);
      const interaction = id === undefined ? undefined : live.interactions[id];
      if (id !== undefined && interaction) live.interactions[id] = interactionAfter(interaction, fact);
    }
  }
}

function configure(view: View, number: number, document: Document): void {
  const { live } = view;
  live.configuration = number;
  live.queues = Object.fromEntries(document.queues.map(({ id, name }) => [id, { name }]));
  const names = new Map(document.agents.map(({ id, name }) => [id, name]));
  for (const [id, agent] of Object.entries(live.agents)) {
    const name = names.get(id);
    if (name !== undefined) {
      if (name !== agent.name) live.agents[id] = { ...agent, name };
    } else if (!isBusy(agent)) {
      delete live.agents[id];
    }
  }
}

/** Whether an interaction occupies the agent. */
export function isBusy({ state }: AgentState): boolean {
  return state === "offered" || state === "in_conversation" || state === "wrap_up";
}

function applyToAgent(view: View, fact: Fact): void {
  const { agents } = view.live;
  switch (fact.kind) {
    case "agent_chose": {
      const { agent: id, chosen } = fact;
      const agent = agents[id];
      agents[id] = agent
        ? { ...agent, chosen }
        : { ...fact.then, name: fact.agent_name, chosen, since: fact.at };
      setAgent(view, id, fact.then, fact.at);
      break;
    }
    case "offered":
      setAgent(view, fact.agent, { state: "offered", interaction: fact.interaction }, fact.at);
      break;
    case "connected":
      setAgent(view, fact.agent, { state: "in_conversation", interaction: fact.interaction }, fact.at);
      break;
    case "offer_ended":
    case "rest_ended":
    case "conversation_ended":
    case "wrap_up_ended":
      setAgent(view, fact.agent, fact.then, fact.at);
      break;
    default:
  }
}

function setAgent(view: View, id: string, state: AgentState, at: Timestamp): void {
  const { agents } = view.live;
  const agent = agents[id];
  if (!agent) return;
  if (state.state === "gone") delete agents[id];
  else if (!isSameState(agent, state)) agents[id] = { ...state, name: agent.name, chosen: agent.chosen, since: at };
}

/** Everything that a state may say. */
type StateParts = { state: string; reason?: string; idle_since?: number; interaction?: number; until?: number; after?: string };

const STATE_PARTS = ["state", "reason", "idle_since", "interaction", "until", "after"] as const;

function isSameState(a: StateParts, b: StateParts): boolean {
  return STATE_PARTS.every((part) => a[part] === b[part]);
}

function interactionAfter(interaction: InteractionView, fact: Fact): InteractionView {
  switch (fact.kind) {
    case "answered":
      return { ...interaction, answered: true };
    case "step_begun":
      return atStage(interaction, { stage: "in_flow", step: fact.step });
    case "queue_entered":
      return atStage(interaction, { stage: "waiting", queue: fact.queue, entered_at: fact.at });
    case "held":
      if (fact.by === "caller") return { ...interaction, caller_held_since: fact.at };
      break;
    case "resumed":
      if (fact.by === "caller") return without(interaction, "caller_held_since");
      break;
    case "conversation_ended": {
      const after = atStage(interaction, stageAfter(interaction, fact));
      return fact.then.state === "wrap_up" ? { ...after, wrapping_up: fact.agent } : after;
    }
    case "wrap_up_ended":
      return without(interaction, "wrapping_up");
    default:
  }
  return atStage(interaction, stageAfter(interaction, fact));
}

function stageAfter(stage: StageView, fact: Fact): StageView {
  if (fact.kind === "ending") return ending(stage, fact.outcome);
  switch (stage.stage) {
    case "waiting":
      if (fact.kind === "queue_left") return { stage: "in_flow", step: null };
      if (fact.kind === "offered") {
        const { agent, party, rings_until } = fact;
        return { ...stage, stage: "offered", offer: { agent, party, offered_at: fact.at, rings_until, ringing: false } };
      }
      return stage;
    case "offered":
      if (fact.kind === "ringing") return { ...stage, offer: { ...stage.offer, ringing: true } };
      if (fact.kind === "offer_ended") return { stage: "waiting", queue: stage.queue, entered_at: stage.entered_at };
      if (fact.kind === "connected") {
        const { queue, agent } = fact;
        return connected({ queue, agent, connected_at: fact.at, held_us: 0 });
      }
      return stage;
    case "connected":
      return conversationAfter(stage.conversation, fact);
    case "transferred":
      if (fact.kind === "transfer_ended" || fact.kind === "repaired") return without(stage, "pending");
      if (fact.kind === "conversation_ended") return without(stage, "leaving");
      return stage;
    case "ending":
      if (fact.kind === "queue_left") return without(stage, "stay");
      if (fact.kind === "offer_ended") return without(stage, "offer");
      if (fact.kind === "conversation_ended") return without(stage, "conversation");
      if (fact.kind === "call_ended") return { stage: "wrap_up", outcome: stage.outcome };
      return stage;
    default:
      return stage;
  }
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
      if (transfer === undefined) return { stage: "transferred" };
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
      return { stage: "ending", outcome, stay: { queue: stage.queue, entered_at: stage.entered_at } };
    case "offered": {
      const { queue, entered_at, offer } = stage;
      return { stage: "ending", outcome, stay: { queue, entered_at }, offer: { queue, ...offer } };
    }
    case "connected":
      return { stage: "ending", outcome, conversation: stage.conversation };
    case "transferred":
      return { stage: "ending", outcome, ...(stage.leaving && { conversation: stage.leaving }) };
    default:
      return { stage: "ending", outcome };
  }
}

/** What stays of an interaction when it moves on. */
type Caller = Pick<
  InteractionView,
  "call" | "line" | "from" | "from_name" | "to" | "flow" | "arrived_at" | "answered" | "caller_held_since" | "wrapping_up"
>;

function callerOf(interaction: InteractionView): Caller {
  const { call, line, from, from_name, to, flow, arrived_at, answered } = interaction;
  const caller: Caller = { call, line, from, from_name, to, flow, arrived_at, answered };
  if (interaction.caller_held_since !== undefined) caller.caller_held_since = interaction.caller_held_since;
  if (interaction.wrapping_up !== undefined) caller.wrapping_up = interaction.wrapping_up;
  return caller;
}

function atStage(interaction: InteractionView, stage: StageView): InteractionView {
  return stage === interaction ? interaction : { ...callerOf(interaction), ...stage };
}

function without<T extends object, K extends keyof T>(value: T, key: K): T {
  const copy = { ...value };
  delete copy[key];
  return copy;
}
