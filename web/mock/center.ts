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
  Channel,
  ChosenState,
  EndWhy,
  EndedBy,
  Fact,
  FactKind,
  InteractionId,
  OfferOutcome,
  Outcome,
  Presence,
  Quality,
  QueueExit,
  QueueId,
  RestCause,
  Standing,
  View,
} from "../src/api/center.ts";
import { applyFact, emptyView, interactionOf } from "../src/live/fold.ts";
import { Agenda } from "./agenda.ts";
import { requirementAt } from "../src/call/terms.ts";
import type { Explanation } from "../src/call/explanation.ts";
import { NORMAL_PRIORITY } from "../src/live/fold.ts";
import { explanationOf } from "./explanation.ts";
import { FIRST_NAMES, LAST_NAMES, type Queue, QUEUES, SKILLS } from "./names.ts";
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

export type Agent = {
  id: AgentId;
  name: string;
  queues: Queue[];
  skills: Record<string, number>;
  chosen: ChosenState;
  state: AgentState;
  since: number;
};

export type Call = {
  id: InteractionId;
  call: string;
  queue: Queue;
  enteredAt: number;
  waitingSince: number;
  channel: Channel;
  standing: Standing;
  /** Which step of the terms holds. */
  step: number;
  from: Address;
  recording: string;
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
  /** Who is to be called later. */
  readonly #promised = new Map<InteractionId, Call>();
  readonly #stories = new Map<InteractionId, Fact[]>();
  #now: number;
  #fresh: Fact[] = [];

  constructor(settings: Partial<Settings> = {}) {
    this.#settings = { ...SETTINGS, ...settings };
    this.#now = this.#settings.at;
    this.#random = seeded(this.#settings.seed);
    this.#agents = Array.from({ length: this.#settings.agents }, (_, index) => this.#hire(index));
    const agents = this.#agents.map(({ id, name, skills, queues }) => {
      return { id, name, skills, queues: queues.map((queue) => queue.id) };
    });
    this.#tell({ kind: "configured", configuration: { agents, queues: [...QUEUES] } });
    for (const agent of this.#agents) this.#record(agent, "configuration");
    for (const agent of this.#agents) this.#planPresence(agent);
    this.#planArrival();
    this.#planBreaks();
  }

  /** The agents, with what the view does not say. */
  get agents(): readonly Agent[] {
    return this.#agents;
  }

  /** How many callers were answered within 20 s: without those who gave up within 5 s, and of all. */
  levels(): { metric: string; variant: string; numerator: number; denominator: number }[] {
    let [met, all, short] = [0, 0, 0];
    for (const story of this.#stories.values()) {
      for (const fact of story) {
        if (fact.kind === "connected") {
          all += 1;
          if (fact.waited_us <= 20e6) met += 1;
        } else if (fact.kind === "queue_left" && fact.reason === "abandoned") {
          all += 1;
          if (fact.waited_us < 5e6) short += 1;
        }
      }
    }
    return [
      { metric: "service_level", variant: "sl5", numerator: met, denominator: all - short },
      { metric: "service_level", variant: "sl2", numerator: met, denominator: all },
    ];
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

  /** Has a waiting caller wait elsewhere, as somebody at the page would. */
  move(id: InteractionId, queue: QueueId): Fact[] | Refused {
    const call = this.#waiting.find((candidate) => candidate.id === id);
    const to = QUEUES.find((candidate) => candidate.id === queue);
    if (!call) return "not_waiting";
    if (!to) return "not_found";
    if (to === call.queue) return "same_queue";
    if (call.stage !== "waiting") return "being_served";
    this.#leaveQueue(call, "moved");
    call.queue = to;
    this.#wait(call);
    return this.#take();
  }

  /** Gives a waiting caller another priority. */
  prioritise(id: InteractionId, priority: number, vip: boolean, why?: string): Fact[] | Refused {
    const call = this.#waiting.find((candidate) => candidate.id === id);
    if (!call) return "not_waiting";
    const stands_since = call.waitingSince - (NORMAL_PRIORITY - priority) * 60e6;
    call.standing = { ...call.standing, priority, vip, stands_since };
    this.#tell({ kind: "prioritised", interaction: id, priority, vip, stands_since, ...(why && { why }) });
    this.#match();
    return this.#take();
  }

  /** Lets a waiting caller wait for one agent only. */
  assign(id: InteractionId, agent: AgentId, why?: string): Fact[] | Refused {
    const call = this.#waiting.find((candidate) => candidate.id === id);
    const to = this.#agents.find((candidate) => candidate.id === agent);
    if (!call) return "not_waiting";
    if (!to?.queues.includes(call.queue)) return "not_their_queue";
    call.standing = { ...call.standing, terms: [{ agent }] };
    call.step = 0;
    this.#tell({ kind: "terms_changed", interaction: id, terms: [{ agent }], ...(why && { why }) });
    this.#match();
    return this.#take();
  }

  /** Does not call a customer back after all. */
  cancelCallback(id: InteractionId, why?: string): Fact[] | Refused {
    const call = this.#promised.get(id) ?? this.#waiting.find((candidate) => candidate.id === id);
    if (call?.channel !== "callback" || call.stage === "offered") return "no_callback";
    this.#tell({ kind: "callback_cancelled", interaction: id, reason: "command", ...(why && { why }) });
    if (this.#promised.delete(id)) call.turn += 1;
    else this.#leaveQueue(call, "cancelled");
    this.#stage(call, "over");
    this.#tell({ kind: "closed", interaction: id, outcome: "cancelled" });
    return this.#take();
  }

  /** Has a customer called at a time. */
  callBack(phone: string, name: string, queue: QueueId, at: number): Fact[] | Refused {
    const of = QUEUES.find((candidate) => candidate.id === queue);
    if (!of) return "not_found";
    const call = this.#newCall();
    Object.assign(call, { queue: of, channel: "callback", from: { phone }, waitingSince: Math.max(at, this.#now) });
    const due_at = call.waitingSince;
    this.#tell({ kind: "callback_scheduled", line: "carrier", to: { phone }, name, queue, due_at, priority: NORMAL_PRIORITY });
    this.#promised.set(call.id, call);
    this.#later(call, (due_at - this.#now) / 1e6, () => {
      this.#promised.delete(call.id);
      this.#wait(call);
    });
    return this.#take();
  }

  /** Closes a queue or opens it again. */
  switchQueue(id: QueueId, closed: boolean, why?: string): Fact[] | Refused {
    const queue = this.view.live.queues[id];
    if (!queue) return "not_found";
    if ((queue.closed ?? false) === closed) return "already_so";
    this.#tell({ kind: "queue_switched", queue: id, queue_name: queue.name, closed, ...(why && { why }) });
    return this.#take();
  }

  /** Ends an agent's wrap-up. */
  endWrapUp(id: AgentId, said: { code?: string; note?: string }): Fact[] | Refused {
    const agent = this.#agents.find((candidate) => candidate.id === id);
    if (agent?.state.state !== "wrap_up") return "not_in_wrap_up";
    this.#endWrapUp(agent, "command", said);
    return this.#take();
  }

  /** Gives an agent more time for the wrap-up. */
  extendWrapUp(id: AgentId): Fact[] | Refused {
    const agent = this.#agents.find((candidate) => candidate.id === id);
    if (agent?.state.state !== "wrap_up") return "not_in_wrap_up";
    const { interaction, until: before } = agent.state;
    const until = before + 30e6;
    agent.state = { ...agent.state, until };
    this.#tell({ kind: "wrap_up_extended", interaction, agent: id, agent_name: agent.name, until, then: agent.state });
    return this.#take();
  }

  /** Why somebody waits, or why the agent of an offer was rung. */
  explain(id: InteractionId, offer: number | undefined): Explanation | Refused {
    const offered = this.#stories.get(id)?.find((fact) => fact.number === offer);
    return explanationOf(this, this.#waiting, id, offered?.kind === "offered" ? offered : undefined) ?? "not_waiting";
  }

  #hire(index: number): Agent {
    const first = FIRST_NAMES[index % FIRST_NAMES.length] ?? "Ada";
    const last = LAST_NAMES[(index * 7 + Math.floor(index / FIRST_NAMES.length)) % LAST_NAMES.length] ?? "Martin";
    const offline = this.#random() < 0.12;
    const chosen: ChosenState = { state: offline ? "offline" : "available" };
    const queues = QUEUES.filter((_, queue) => queue === index % QUEUES.length || this.#random() < 0.5);
    const state = idle(chosen, this.#now);
    const skills = Object.fromEntries(
      SKILLS.filter(() => this.#random() < 0.5).map((skill) => [skill, Math.ceil(this.#random() * 10)]),
    );
    return { id: `agent-${index + 1}`, name: `${first} ${last}`, queues, skills, chosen, state, since: this.#now };
  }

  /** What another system says about some agents, now and then. */
  #planPresence(agent: Agent): void {
    if (this.#random() > 0.4) return;
    const tell = (): void => {
      const said: readonly [Presence, ...Presence[]] = ["available", "available", "busy", "away"];
      const presence = agent.state.state === "in_conversation" ? "in_call" : pick(this.#random, said);
      const until = this.#now + 600e6;
      const told = { source: "Teams", presence, manual: false, stops: false, observed_at: this.#now, until };
      this.#tell({ kind: "presence_told", agent: agent.id, agent_name: agent.name, ...told, then: agent.state });
      this.#after(between(this.#random, 60, 400), tell);
    };
    this.#after(between(this.#random, 1, 60), tell);
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
    const call = this.#newCall();
    const { id } = call;
    const { from, from_name } = this.#caller();
    call.from = from;
    this.#tell({
      kind: "arrived",
      call: call.call,
      line: "carrier",
      from,
      from_name,
      to: { phone: "+33199000100" },
      flow: "welcome",
    });
    const flow = { interaction: id, flow: "welcome" };
    this.#later(call, 0.15, () => {
      this.#tell({ kind: "answered", interaction: id });
      this.#tell({ kind: "step_begun", ...flow, step: "greeting" });
    });
    this.#later(call, 3.2, () => this.#tell({ kind: "step_begun", ...flow, step: "choice" }));
    this.#later(call, between(this.#random, 5, 9), () => this.#choice(call, 2));
  }

  #newCall(): Call {
    const random = this.#random;
    return {
      id: this.view.live.number + 1,
      call: Math.floor(random() * 2 ** 48).toString(16).padStart(16, "0"),
      queue: pick(random, QUEUES),
      enteredAt: 0,
      waitingSince: 0,
      channel: "call",
      standing: this.#standing(),
      step: 0,
      from: "anonymous",
      recording: Math.floor(random() * 2 ** 48).toString(16).padStart(16, "0"),
      stage: "flow",
      agent: undefined,
      since: this.#now,
      held: 0,
      turn: 0,
    };
  }

  /** Most callers are like everybody; some are important, some ask for something. */
  #standing(): Standing {
    const random = this.#random;
    const chance = random();
    const importance: Standing = chance < 0.05 ? { vip: true, priority: 2 } : chance < 0.2 ? { priority: 2 } : {};
    if (random() > 0.35) return importance;
    const skills = { [pick(random, SKILLS)]: Math.ceil(random() * 6) };
    return { ...importance, terms: [{ skills }, { after_us: 25e6 }] };
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
    const { id } = call.queue;
    this.#tell({ kind: "step_begun", interaction: call.id, flow: "welcome", step: `to-${id}` });
    if (this.view.live.queues[id]?.closed) {
      this.#tell({ kind: "queue_refused", interaction: call.id, queue: id, reason: "closed" });
      return this.#end(call, "flow_ended", "flow_ended");
    }
    call.waitingSince = this.#now;
    this.#wait(call);
    const patience = exponential(this.#random, this.#settings.patienceSeconds);
    this.#after(patience, () => {
      if (call.channel !== "call") return;
      if (call.stage === "waiting" || call.stage === "offered") this.#end(call, "caller_left", "abandoned_in_queue");
    });
    const wish = this.#random();
    this.#after(between(this.#random, 12, 30), () => {
      if (call.stage !== "waiting") return;
      if (wish < 0.25) this.#promise(call);
      else if (wish < 0.4) this.#takeMessage(call);
    });
  }

  /** Enters the queue, or enters it again with the wait so far. */
  #wait(call: Call): void {
    const { id: queue, name: queue_name } = call.queue;
    const { channel, waitingSince, standing } = call;
    const ahead = this.#waiting.filter((other) => other.queue === call.queue).length;
    this.#tell({
      kind: "queue_entered",
      interaction: call.id,
      queue,
      queue_name,
      ahead,
      ...(channel !== "call" && { channel }),
      ...(waitingSince !== this.#now && { waiting_since: waitingSince }),
      ...standing,
    });
    call.enteredAt = this.#now;
    call.step = 0;
    this.#stage(call, "waiting");
    this.#waiting.push(call);
    const next = standing.terms?.[1]?.after_us;
    if (next !== undefined) this.#planWidening(call, next, call.enteredAt);
    this.#match();
  }

  #planWidening(call: Call, after_us: number, enteredAt: number): void {
    this.#after(after_us / 1e6, () => {
      const isOn = call.enteredAt === enteredAt && (call.stage === "waiting" || call.stage === "offered");
      if (!isOn || call.standing.terms?.length === 1) return;
      call.step = 1;
      this.#tell({ kind: "widened", interaction: call.id, queue: call.queue.id, step: 1 });
      this.#match();
    });
  }

  /** The caller hangs up and is to be called back. */
  #promise(call: Call): void {
    if (call.from === "anonymous") return;
    this.#leaveQueue(call, "callback_promised");
    const { id: queue, name: queue_name } = call.queue;
    const { priority = NORMAL_PRIORITY, vip = false, terms } = call.standing;
    const promise = { queue, queue_name, line: "carrier", to: call.from, waiting_since: call.waitingSince, priority, vip };
    this.#tell({ kind: "callback_promised", interaction: call.id, ...promise, ...(terms && { terms }) });
    call.channel = "callback";
    this.#hangUp(call);
  }

  /** The caller leaves a message instead of waiting. */
  #takeMessage(call: Call): void {
    this.#leaveQueue(call, "overflowed");
    const { priority = NORMAL_PRIORITY, vip = false } = call.standing;
    const of = { interaction: call.id, recording: call.recording };
    this.#tell({ kind: "message_begun", ...of, queue: call.queue.id, waiting_since: call.waitingSince, priority, vip });
    this.#stage(call, "flow");
    const lasts = between(this.#random, 6, 40);
    this.#later(call, lasts, () => {
      this.#tell({ kind: "message_left", ...of, end: "party_left", length_us: Math.round(lasts * 1e6) });
      call.channel = "voicemail";
      this.#hangUp(call);
    });
  }

  /** The call is over, and the matter waits without one. */
  #hangUp(call: Call): void {
    const lasted_us = this.#now - (this.#stories.get(call.id)?.[0]?.at ?? this.#now);
    this.#tell({ kind: "call_ended", interaction: call.id, call: call.call, cause: { kind: "hung_up" }, lasted_us });
    this.#wait(call);
  }

  #leaveQueue(call: Call, reason: QueueExit): void {
    const { id: queue, name: queue_name } = call.queue;
    const waited_us = this.#now - call.enteredAt;
    this.#leave(call);
    this.#tell({ kind: "queue_left", interaction: call.id, queue, queue_name, reason, waited_us });
  }

  /** Offers everybody who waits and for whom somebody is free, to the one who has been idle longest. */
  #match(): void {
    const free = this.#agents
      .filter(({ state }) => state.state === "available")
      .toSorted((a, b) => idleSinceOf(a) - idleSinceOf(b));
    const order = this.#waiting.toSorted((a, b) => rank(a) - rank(b) || stands(a) - stands(b) || a.id - b.id);
    for (const call of order) {
      if (free.length === 0) return;
      if (call.stage !== "waiting") continue;
      const index = free.findIndex((agent) => agent.queues.includes(call.queue) && isFit(agent, call));
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
      endpoint: TEAMS,
      rings_until: this.#now + RING_SECONDS * 1e6,
      waited_us: this.#now - call.enteredAt,
      idle_us: this.#now - idleSince,
      of_ready: this.#agents.filter((other) => other.state.state === "available").length + 1,
      configuration: 1,
    });
    if (call.channel !== "call") this.#tell({ kind: "call_placed", interaction: call.id, call: call.call, endpoint: TEAMS });
    this.#later(call, 0.4, () => this.#tell({ kind: "ringing", interaction: call.id, agent: agent.id }));
    const fate = random();
    if (fate < 0.86) this.#later(call, between(random, 2, 8), () => this.#answer(call, agent));
    else if (fate < 0.94) this.#later(call, RING_SECONDS, () => this.#notTaken(call, agent, "missed"));
    else if (fate < 0.97) this.#later(call, 4, () => this.#notTaken(call, agent, "declined"));
    else this.#later(call, 0.8, () => this.#notTaken(call, agent, "unreachable"));
  }

  /** The agent answers: a callback begins with calling the customer. */
  #answer(call: Call, agent: Agent): void {
    if (call.channel !== "callback") return this.#connect(call, agent);
    const { id: by, name: agent_name } = agent;
    this.#tell({ kind: "callback_dialled", interaction: call.id, agent: by, agent_name, party: 2, attempt: 1 });
    this.#later(call, between(this.#random, 2, 6), () => this.#connect(call, agent));
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
    if (call.channel === "voicemail") {
      return this.#later(call, between(random, 8, 20), () => {
        this.#tell({ kind: "heard", interaction: call.id, recording: call.recording });
        this.#end(call, "message_heard", "handled");
      });
    }
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

  #endWrapUp(agent: Agent, by: "command" | "timer", said: { code?: string; note?: string } = {}): void {
    if (agent.state.state !== "wrap_up") return;
    const { interaction } = agent.state;
    const wrapped_us = this.#now - agent.since;
    this.#become(agent, idle(agent.chosen, this.#now));
    const { id, name: agent_name, state: then } = agent;
    this.#tell({ kind: "wrap_up_ended", interaction, agent: id, agent_name, by, wrapped_us, ...said, then });
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

function rank({ standing }: Call): number {
  return standing.vip ? 0 : 1;
}

function stands({ standing, waitingSince }: Call): number {
  return standing.stands_since ?? waitingSince;
}

/** Whether an agent has what is asked for. */
export function isFit(agent: Agent, { standing, step }: Call): boolean {
  const { agent: only, skills = {} } = requirementAt(standing.terms, step);
  if (only !== undefined) return only === agent.id;
  return Object.entries(skills).every(([skill, level]) => (agent.skills[skill] ?? 0) >= level);
}

/** Why a command was refused, by the program's own codes. */
export type Refused =
  | "not_found"
  | "not_waiting"
  | "same_queue"
  | "being_served"
  | "not_their_queue"
  | "no_callback"
  | "already_so"
  | "not_in_wrap_up";

const TEAMS = { line: "teams", address: { phone: "+14255550142" } };

const RING_SECONDS = 15;
