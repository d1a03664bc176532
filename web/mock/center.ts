/**
 * A made-up contact center: callers, agents and what becomes of them, as the facts that the real one would tell.
 *
 * It serves the development of the page and its tests. It knows the shape of the facts and a plausible order, not the
 * rules: the real center is in `crates/center`.
 */

import type {
  Address,
  AgentId,
  AgentState,
  Cause,
  ChosenState,
  EndWhy,
  EndedBy,
  Fact,
  FactKind,
  InteractionId,
  OfferOutcome,
  Outcome,
  Quality,
  RestCause,
  View,
} from "../src/api/center.ts";
import { applyFact, emptyView, interactionOf } from "../src/live/fold.ts";
import { Agenda } from "./agenda.ts";
import { FIRST_NAMES, LAST_NAMES, type Queue, QUEUES } from "./names.ts";
import { type Random, between, exponential, pick, seeded } from "./random.ts";

export type Settings = {
  seed: number;
  /** When it begins, in microseconds since 1970. */
  at: number;
  agents: number;
  callsPerMinute: number;
  /** How long a conversation lasts in the mean, in seconds. */
  talkSeconds: number;
  /** How long a caller waits in the mean before giving up, in seconds. */
  patienceSeconds: number;
};

export const SETTINGS: Settings = {
  seed: 1,
  at: Date.UTC(2026, 0, 15, 9) * 1000,
  agents: 12,
  callsPerMinute: 6.5,
  talkSeconds: 55,
  patienceSeconds: 120,
};

type Agent = {
  id: AgentId;
  name: string;
  queues: Queue[];
  chosen: ChosenState;
  state: AgentState;
  since: number;
};

type Call = {
  id: InteractionId;
  call: string;
  queue: Queue;
  enteredAt: number;
  stage: "flow" | "waiting" | "offered" | "connected" | "over";
  agent: Agent | undefined;
  since: number;
  held: number;
  /** Acts that were planned for an earlier stage of the call are void. */
  turn: number;
};

export class MockCenter {
  readonly view: View = emptyView();
  readonly #settings: Settings;
  readonly #random: Random;
  readonly #agenda = new Agenda();
  readonly #agents: Agent[];
  readonly #waiting: Call[] = [];
  readonly #stories = new Map<InteractionId, Fact[]>();
  #now: number;
  #fresh: Fact[] = [];

  constructor(settings: Partial<Settings> = {}) {
    this.#settings = { ...SETTINGS, ...settings };
    this.#now = this.#settings.at;
    this.#random = seeded(this.#settings.seed);
    this.#agents = Array.from({ length: this.#settings.agents }, (_, index) => this.#hire(index));
    const agents = this.#agents.map(({ id, name }) => ({ id, name }));
    const queues = QUEUES.map(({ id, name }) => ({ id, name }));
    this.#tell({ kind: "configured", configuration: { agents, queues } });
    for (const agent of this.#agents) this.#record(agent, "configuration");
    this.#planArrival();
    this.#planBreaks();
  }

  get now(): number {
    return this.#now;
  }

  /** Lets time pass until `now` and returns what happened. */
  advance(now: number): Fact[] {
    for (let planned = this.#agenda.due(now); planned; planned = this.#agenda.due(now)) {
      this.#now = Math.max(this.#now, planned.at);
      planned.act();
    }
    this.#now = Math.max(this.#now, now);
    return this.#take();
  }

  /** Everything that happened in one interaction. */
  story(id: InteractionId): Fact[] | undefined {
    return this.#stories.get(id);
  }

  /** Sets an agent's state, as somebody at the page would. Returns what happened, or why it did not. */
  choose(id: AgentId, chosen: ChosenState): Fact[] | "unknown_agent" {
    const agent = this.#agents.find((candidate) => candidate.id === id);
    if (!agent) return "unknown_agent";
    this.#choose(agent, chosen, "supervisor");
    return this.#take();
  }

  #hire(index: number): Agent {
    const first = FIRST_NAMES[index % FIRST_NAMES.length] ?? "Ada";
    const last = LAST_NAMES[(index * 7 + Math.floor(index / FIRST_NAMES.length)) % LAST_NAMES.length] ?? "Martin";
    const offline = this.#random() < 0.12;
    const chosen: ChosenState = { state: offline ? "offline" : "available" };
    const queues = QUEUES.filter((_, queue) => queue === index % QUEUES.length || this.#random() < 0.5);
    const state = idle(chosen, this.#now);
    return { id: `agent-${index + 1}`, name: `${first} ${last}`, queues, chosen, state, since: this.#now };
  }

  #planArrival(): void {
    this.#after(exponential(this.#random, 60 / this.#settings.callsPerMinute), () => {
      this.#arrive();
      this.#planArrival();
    });
  }

  /** Now and then somebody goes on a break, and comes back. */
  #planBreaks(): void {
    this.#after(exponential(this.#random, 900 / this.#settings.agents), () => {
      const agent = this.#agents[Math.floor(this.#random() * this.#agents.length)];
      if (agent?.chosen.state === "available") this.#rest(agent);
      this.#planBreaks();
    });
  }

  #rest(agent: Agent): void {
    this.#choose(agent, { state: "break", reason: pick(this.#random, ["Lunch", "Training", "Coffee"]) }, "agent");
    this.#after(between(this.#random, 60, 180), () => {
      if (agent.chosen.state === "break") this.#choose(agent, { state: "available" }, "agent");
    });
  }

  #arrive(): void {
    const random = this.#random;
    const id = this.view.live.number + 1;
    const call: Call = {
      id,
      call: Math.floor(random() * 2 ** 48).toString(16).padStart(16, "0"),
      queue: pick(random, QUEUES),
      enteredAt: 0,
      stage: "flow",
      agent: undefined,
      since: this.#now,
      held: 0,
      turn: 0,
    };
    this.#tell({
      kind: "arrived",
      call: call.call,
      line: "carrier",
      ...this.#caller(),
      to: { phone: "+33199000100" },
      flow: "welcome",
    });
    const flow = { interaction: id, flow: "welcome" };
    this.#later(call, 0.15, () => {
      this.#tell({ kind: "answered", interaction: id });
      this.#tell({ kind: "step_begun", ...flow, step: "greeting" });
    });
    this.#later(call, 3.2, () => this.#tell({ kind: "step_begun", ...flow, step: "choice" }));
    this.#later(call, between(random, 5, 9), () => this.#choice(call, 2));
  }

  #caller(): { from: Address; from_name: string } {
    const random = this.#random;
    if (random() < 0.06) return { from: "anonymous", from_name: "" };
    const line = (count: number): string => String(Math.floor(random() * 10 ** count)).padStart(count, "0");
    const phone = pick(random, [
      () => `+1425555${`01${line(2)}`}`,
      () => `+3319900${line(4)}`,
      () => `+4420794${`60${line(3)}`}`,
    ])();
    const name = random() < 0.55 ? `${pick(random, FIRST_NAMES)} ${pick(random, LAST_NAMES)}` : "";
    return { from: { phone }, from_name: name };
  }

  #choice(call: Call, triesLeft: number): void {
    const at = { interaction: call.id, flow: "welcome", step: "choice" };
    const chance = this.#random();
    if (chance < 0.03) return this.#end(call, "caller_left", "abandoned_in_flow");
    if (chance < 0.12 && triesLeft > 0) {
      const reason = this.#random() < 0.5 ? "no_key" : "wrong_key";
      this.#tell({ kind: "menu_missed", ...at, reason, tries_left: triesLeft });
      return this.#later(call, 5, () => this.#choice(call, triesLeft - 1));
    }
    this.#tell({ kind: "menu_chosen", ...at, key: String(QUEUES.indexOf(call.queue) + 1) });
    return this.#enter(call);
  }

  #enter(call: Call): void {
    const { id, name } = call.queue;
    const ahead = this.#waiting.filter((other) => other.queue === call.queue).length;
    this.#tell({ kind: "step_begun", interaction: call.id, flow: "welcome", step: `to-${id}` });
    this.#tell({ kind: "queue_entered", interaction: call.id, queue: id, queue_name: name, ahead });
    call.enteredAt = this.#now;
    call.stage = "waiting";
    this.#waiting.push(call);
    this.#match();
    const patience = exponential(this.#random, this.#settings.patienceSeconds);
    this.#after(patience, () => {
      if (call.stage === "waiting" || call.stage === "offered") this.#end(call, "caller_left", "abandoned_in_queue");
    });
  }

  /** Offers everybody who waits and for whom somebody is free, to the one who has been idle longest. */
  #match(): void {
    const free = this.#agents
      .filter(({ state }) => state.state === "available")
      .toSorted((a, b) => idleSinceOf(a) - idleSinceOf(b));
    for (const call of this.#waiting) {
      if (free.length === 0) return;
      if (call.stage !== "waiting") continue;
      const index = free.findIndex(({ queues }) => queues.includes(call.queue));
      const [agent] = index < 0 ? [] : free.splice(index, 1);
      if (agent) this.#offer(call, agent);
    }
  }

  #offer(call: Call, agent: Agent): void {
    const random = this.#random;
    const idleSince = agent.state.state === "available" ? agent.state.idle_since : this.#now;
    this.#stage(call, "offered");
    call.agent = agent;
    this.#become(agent, { state: "offered", interaction: call.id });
    this.#tell({
      kind: "offered",
      interaction: call.id,
      queue: call.queue.id,
      queue_name: call.queue.name,
      agent: agent.id,
      agent_name: agent.name,
      party: 1,
      endpoint: { line: "teams", address: { phone: "+14255550142" } },
      rings_until: this.#now + RING_SECONDS * 1e6,
      waited_us: this.#now - call.enteredAt,
      idle_us: this.#now - idleSince,
      configuration: 1,
    });
    this.#later(call, 0.4, () => this.#tell({ kind: "ringing", interaction: call.id, agent: agent.id }));
    const fate = random();
    if (fate < 0.86) this.#later(call, between(random, 2, 8), () => this.#connect(call, agent));
    else if (fate < 0.94) this.#later(call, RING_SECONDS, () => this.#notTaken(call, agent, "missed"));
    else if (fate < 0.97) this.#later(call, 4, () => this.#notTaken(call, agent, "declined"));
    else this.#later(call, 0.8, () => this.#notTaken(call, agent, "unreachable"));
  }

  #notTaken(call: Call, agent: Agent, outcome: RestCause): void {
    const causes: Partial<Record<RestCause, Cause>> = {
      declined: { kind: "declined", code: 603 },
      unreachable: { kind: "unavailable", code: 480, detail: "Temporarily unavailable" },
    };
    const until = this.#now + 30e6;
    this.#become(agent, { state: "resting", after: outcome, until });
    this.#offerEnded(call, agent, outcome, causes[outcome]);
    this.#stage(call, "waiting");
    call.agent = undefined;
    this.#after(30, () => {
      if (agent.state.state !== "resting" || agent.state.until !== until) return;
      this.#become(agent, idle(agent.chosen, this.#now));
      this.#tell({ kind: "rest_ended", agent: agent.id, agent_name: agent.name, then: agent.state });
      this.#match();
    });
    this.#match();
  }

  #offerEnded(call: Call, agent: Agent, outcome: OfferOutcome, cause: Cause | undefined): void {
    this.#tell({
      kind: "offer_ended",
      interaction: call.id,
      queue: call.queue.id,
      agent: agent.id,
      agent_name: agent.name,
      outcome,
      ...(cause && { cause }),
      rang_us: this.#now - call.since,
      then: agent.state,
    });
  }

  #connect(call: Call, agent: Agent): void {
    const rang = this.#now - call.since;
    this.#leave(call);
    this.#stage(call, "connected");
    this.#become(agent, { state: "in_conversation", interaction: call.id });
    this.#tell({
      kind: "connected",
      interaction: call.id,
      queue: call.queue.id,
      queue_name: call.queue.name,
      agent: agent.id,
      agent_name: agent.name,
      waited_us: this.#now - call.enteredAt,
      rang_us: rang,
    });
    const random = this.#random;
    const talk = 8 + exponential(random, this.#settings.talkSeconds - 8);
    if (random() < 0.15) this.#hold(call, talk * 0.3, talk * 0.2);
    const by = random() < 0.7 ? "caller" : "agent";
    this.#later(call, talk, () => this.#end(call, by === "caller" ? "caller_left" : "agent_left", "handled"));
  }

  #hold(call: Call, after: number, lasts: number): void {
    this.#later(call, after, () => this.#tell({ kind: "held", interaction: call.id, by: "agent" }));
    this.#later(call, after + lasts, () => {
      call.held = lasts * 1e6;
      this.#tell({ kind: "resumed", interaction: call.id, by: "agent", held_us: Math.round(call.held) });
    });
  }

  #end(call: Call, why: EndWhy, outcome: Outcome): void {
    const { agent, stage } = call;
    const of = { interaction: call.id };
    const [rang, talked] = [this.#now - call.since, this.#now - call.since - call.held];
    if (stage === "connected") this.#tell({ kind: "quality", ...of, party: 0, quality: this.#quality() });
    const cause: Cause = { kind: stage === "flow" ? "cancelled" : "hung_up" };
    this.#tell({ kind: "ending", ...of, why, cause, outcome });
    if (stage === "waiting" || stage === "offered") {
      this.#leave(call);
      const waited_us = this.#now - call.enteredAt;
      const { id: queue, name: queue_name } = call.queue;
      this.#tell({ kind: "queue_left", ...of, queue, queue_name, reason: "abandoned", waited_us });
    }
    this.#stage(call, "over");
    if (agent && stage === "offered") {
      call.since = this.#now - rang;
      this.#become(agent, idle(agent.chosen, this.#now));
      this.#offerEnded(call, agent, "caller_gone", undefined);
    }
    if (agent && stage === "connected") {
      this.#tell({ kind: "quality", ...of, party: 1, agent: agent.id, quality: this.#quality() });
      this.#wrapUp(call, agent, why === "caller_left" ? "caller" : "agent", Math.round(talked));
    }
    const lasted_us = this.#now - (this.#stories.get(call.id)?.[0]?.at ?? this.#now);
    this.#tell({ kind: "call_ended", ...of, call: call.call, cause, lasted_us });
    if (stage !== "connected") this.#tell({ kind: "closed", ...of, outcome });
    this.#match();
  }

  #wrapUp(call: Call, agent: Agent, by: EndedBy, talked_us: number): void {
    const lasts = between(this.#random, 5, 25);
    const begun = this.#now;
    this.#become(agent, { state: "wrap_up", interaction: call.id, until: this.#now + 30e6 });
    this.#tell({
      kind: "conversation_ended",
      interaction: call.id,
      queue: call.queue.id,
      agent: agent.id,
      agent_name: agent.name,
      by,
      cause: { kind: "hung_up" },
      talked_us,
      held_us: Math.round(call.held),
      then: agent.state,
    });
    this.#after(lasts, () => {
      if (agent.state.state === "wrap_up" && agent.since === begun) this.#endWrapUp(agent, "command");
    });
  }

  #endWrapUp(agent: Agent, by: "command" | "timer"): void {
    if (agent.state.state !== "wrap_up") return;
    const { interaction } = agent.state;
    const wrapped_us = this.#now - agent.since;
    this.#become(agent, idle(agent.chosen, this.#now));
    const { id, name: agent_name, state: then } = agent;
    this.#tell({ kind: "wrap_up_ended", interaction, agent: id, agent_name, by, wrapped_us, then });
    this.#tell({ kind: "closed", interaction, outcome: "handled" });
    this.#match();
  }

  #choose(agent: Agent, chosen: ChosenState, by: "agent" | "supervisor"): void {
    const { state } = agent.state;
    agent.chosen = chosen;
    if (state !== "offered" && state !== "in_conversation" && state !== "wrap_up") {
      this.#become(agent, idle(chosen, this.#now));
    }
    this.#record(agent, by);
    if (state === "offered" && chosen.state !== "available") this.#withdraw(agent);
    if (state === "wrap_up" && chosen.state === "available") this.#endWrapUp(agent, "command");
    this.#match();
  }

  #withdraw(agent: Agent): void {
    const call = this.#waiting.find((candidate) => candidate.agent === agent);
    if (!call) return;
    this.#become(agent, idle(agent.chosen, this.#now));
    this.#offerEnded(call, agent, "agent_left", undefined);
    this.#stage(call, "waiting");
    call.agent = undefined;
  }

  #record(agent: Agent, by: "agent" | "supervisor" | "configuration"): void {
    const { id, name: agent_name, chosen, state: then } = agent;
    this.#tell({ kind: "agent_chose", agent: id, agent_name, chosen, by, then });
  }

  #quality(): Quality {
    const random = this.#random;
    const lost = random() < 0.7 ? 0 : Math.floor(exponential(random, 120));
    const mos = Math.max(180, Math.round(441 - lost * 0.6 - random() * 12));
    return {
      mos_x100: mos,
      packets_received: Math.floor(between(random, 400, 9000)),
      lost_x10000: lost,
      jitter_ms: Math.floor(between(random, 0, 9)),
      round_trip_ms: Math.floor(between(random, 12, 60)),
    };
  }

  #become(agent: Agent, state: AgentState): void {
    agent.state = state;
    agent.since = this.#now;
  }

  #stage(call: Call, stage: Call["stage"]): void {
    call.stage = stage;
    call.since = this.#now;
    call.turn += 1;
  }

  #leave(call: Call): void {
    const index = this.#waiting.indexOf(call);
    if (index >= 0) this.#waiting.splice(index, 1);
  }

  /** Plans an act for as long as the call is at its present stage. */
  #later(call: Call, seconds: number, act: () => void): void {
    const { turn } = call;
    this.#after(seconds, () => {
      if (call.turn === turn) act();
    });
  }

  #after(seconds: number, act: () => void): void {
    this.#agenda.plan(this.#now + Math.round(seconds * 1e6), act);
  }

  #tell(kind: FactKind): void {
    const fact: Fact = { number: this.view.live.number + 1, at: this.#now, v: 1, ...kind };
    const id = interactionOf(fact);
    const story = id === undefined ? undefined : this.#stories.get(id);
    if (story) story.push(fact);
    else if (id !== undefined) this.#stories.set(id, [fact]);
    applyFact(this.view, fact);
    this.#fresh.push(fact);
  }

  #take(): Fact[] {
    const facts = this.#fresh;
    this.#fresh = [];
    return facts;
  }
}

function idle(chosen: ChosenState, now: number): AgentState {
  return chosen.state === "available" ? { state: "available", idle_since: now } : { ...chosen };
}

function idleSinceOf({ state }: Agent): number {
  return state.state === "available" ? state.idle_since : 0;
}

const RING_SECONDS = 15;
