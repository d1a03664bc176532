/**
 * An agent's own work: what I am, what I do, who waits for me.
 *
 * An agent may see only what is their own, so that the live view of the whole center is not for them: what is here is asked
 * for every two seconds.
 */

import type { AgentState, Presence, Timestamp } from "../api/center.ts";
import type { Answer } from "../api/request.ts";
import type { components } from "../api/schema.ts";
import { ExpertsPanel } from "../experts/panel.ts";
import { SIGNS, stateText } from "../floor/agents.ts";
import { problemText } from "../floor/problem.ts";
import { presenceText } from "../floor/presence.ts";
import type { Tools, View } from "../frame/view.ts";
import { showSince, showUntil, tick } from "../live/clock.ts";
import { h, show, write } from "../ui/dom.ts";
import type { Field } from "../ui/form.ts";
import { icon, showIcon } from "../ui/icon.ts";
import { type Row, Rows } from "../ui/rows.ts";

type Agent = components["schemas"]["Agent"];
type Call = components["schemas"]["Call"];
type Queue = components["schemas"]["Queue"];

type Job = { id: number; who: string; what: string; doing: string; queue: string; since: Timestamp; until: Timestamp | undefined };
type Waiting = { id: string; name: string; waiting: number; since: Timestamp | undefined; closed: boolean };

export class WorkView implements View {
  readonly node: HTMLElement;
  readonly #tools: Tools;
  readonly #sign = h("span", { class: "sign" });
  readonly #state = h("span");
  readonly #chip = h("span", { class: "chip" }, this.#sign, this.#state);
  readonly #since = h("span");
  readonly #later = h("p", { class: "below" });
  readonly #presence = h("p", { class: "presence" });
  readonly #said = h("span");
  readonly #wrong: HTMLElement;
  readonly #choices = new Map<ChosenName, HTMLButtonElement>();
  readonly #jobs: Rows<Job>;
  readonly #idle = h("p", { class: "empty" });
  readonly #queues: Rows<Waiting>;
  readonly #experts: ExpertsPanel;
  #agent: Agent | undefined;
  #codes = new Map<string, NonNullable<Queue["codes"]>>();
  /** Calls that are over and wrapped up: they are no longer among the live ones. */
  readonly #over = new Map<number, Call>();
  #timer: number | undefined;
  #isAsking = false;

  constructor(tools: Tools) {
    const { words } = tools;
    this.#tools = tools;
    this.#wrong = h("div", { class: "banner", role: "alert", hidden: true }, icon("resting"), this.#said);
    const buttons = CHOSEN.map((state) => {
      const button = h("button", { type: "button", class: "wide" }, icon(state), words.text(`state.${state}`));
      button.addEventListener("click", () => void this.#choose(state));
      this.#choices.set(state, button);
      return button;
    });
    const jobs = h("ul", { class: "jobs" });
    const queues = h("ul", { class: "lines" });
    this.#jobs = new Rows<Job>(jobs, ({ id, doing }) => `${id} ${doing}`, () => this.#jobRow());
    this.#queues = new Rows<Waiting>(queues, ({ id }) => id, () => this.#queueRow());
    this.#experts = new ExpertsPanel(words, tools.client, "work");
    const now = h("p", { class: "now" }, this.#chip, this.#since);
    const group = h("div", { class: "choices", role: "group", "aria-label": words.text("work.choose") }, ...buttons);
    this.node = h(
      "div",
      { class: "work" },
      this.#wrong,
      card("me", words.text("work.me"), now, this.#later, this.#presence, group),
      card("mine", words.text("work.mine"), jobs, this.#idle, this.#experts.node),
      card("lines", words.text("work.queues"), queues),
    );
    write(this.#idle, words.text("work.none"));
  }

  enter(): void {
    void this.#ask();
    this.#timer = window.setInterval(() => {
      if (!document.hidden) void this.#ask();
    }, ASK_EVERY_MS);
  }

  leave(): void {
    clearInterval(this.#timer);
  }

  tick(now: Timestamp): void {
    tick(this.node, now);
  }

  get #path(): string {
    return `/api/v1/agents/${encodeURIComponent(this.#tools.me.agent ?? "")}`;
  }

  async #ask(): Promise<void> {
    if (this.#isAsking) return;
    this.#isAsking = true;
    const { client, words } = this.#tools;
    const [agent, calls, queues] = await Promise.all([
      client.ask<Agent>(this.#path),
      client.ask<{ calls: Call[] }>("/api/v1/calls"),
      client.ask<{ queues: Queue[] }>("/api/v1/queues"),
    ]);
    this.#isAsking = false;
    const wrong = [agent, calls, queues].find(({ ok }) => !ok);
    show(this.#wrong, wrong !== undefined);
    write(this.#said, wrong && !wrong.ok ? words.say("work.stale", { why: problemText(words, wrong.problem) }) : "");
    if (!agent.ok) return;
    this.#agent = agent.value;
    this.#showMe(agent.value);
    if (queues.ok) this.#showQueues(agent.value, queues.value.queues);
    if (calls.ok) this.#showJobs(agent.value, [...calls.value.calls, ...(await this.#lookUp(agent.value, calls.value.calls))]);
    this.tick(client.now());
  }

  #showMe(agent: Agent): void {
    const { words } = this.#tools;
    const state = stateOf(agent);
    write(this.#state, stateText(words, state));
    showIcon(this.#sign, SIGNS[state.state]);
    this.#chip.className = `chip chip-${toneOf(state)} state-${state.state}`;
    showSince(this.#since, agent.since);
    const isLater = (agent.work ?? []).length > 0 && agent.chosen.state !== "available";
    const chosen = words.text(`state.${agent.chosen.state}`);
    write(this.#later, isLater ? words.say("agents.next", { state: chosen }) : "");
    for (const [name, button] of this.#choices) button.setAttribute("aria-pressed", String(name === agent.chosen.state));
    this.#showPresence(agent.presence ?? undefined);
  }

  #showPresence(told: NonNullable<Agent["presence"]> | undefined): void {
    const { words } = this.#tools;
    show(this.#presence, told !== undefined);
    if (!told) return;
    const said = presenceText(words, { ...told, presence: told.presence as Presence });
    const what = words.say("agents.presence.long", { said });
    const age = h("span");
    showSince(age, told.observed_at);
    const stops = words.text(told.stops ? "work.presence.stops" : "work.presence.free");
    this.#presence.replaceChildren(icon(told.stops ? "resting" : "available"), what, " ", age, ". ", stops);
  }

  #showJobs(agent: Agent, calls: readonly Call[]): void {
    const { words } = this.#tools;
    const jobs = (agent.work ?? []).map(({ interaction, doing, until }): Job => {
      const call = calls.find(({ id }) => id === interaction);
      const who = call?.from_name || (call?.from === "anonymous" ? words.text("caller.anonymous") : call?.from);
      const queue = call?.queue ?? "";
      const what = words.text(doing === "wrap_up" ? "state.wrap_up" : doing === "offered" ? "work.rings" : "state.in_conversation");
      return { id: interaction, who: who ?? words.text("caller.unnamed"), what, doing, queue, since: agent.since, until: until ?? undefined };
    });
    this.#jobs.show(jobs);
    show(this.#idle, jobs.length === 0);
  }

  /** What the list of live calls does not have of what the agent does. */
  async #lookUp({ work = [] }: Agent, calls: readonly Call[]): Promise<Call[]> {
    const missing = work.map(({ interaction }) => interaction).filter((id) => !calls.some((call) => call.id === id));
    for (const id of this.#over.keys()) if (!missing.includes(id)) this.#over.delete(id);
    const unknown = missing.filter((id) => !this.#over.has(id));
    const answers = await Promise.all(unknown.map(async (id) => await this.#tools.client.ask<{ call: Call }>(`/api/v1/calls/${id}`)));
    for (const answer of answers) if (answer.ok) this.#over.set(answer.value.call.id, answer.value.call);
    return [...this.#over.values()];
  }

  #showQueues({ queues: mine }: Agent, queues: readonly Queue[]): void {
    this.#codes = new Map(queues.map(({ id, codes = [] }) => [id, codes]));
    const shown = queues.filter(({ id }) => mine.includes(id));
    this.#queues.show(
      shown.map(({ id, name, waiting, longest_since, closed }) => ({ id, name, waiting, since: longest_since ?? undefined, closed })),
    );
  }

  #jobRow(): Row<Job> {
    const { words } = this.#tools;
    const who = h("span", { class: "name" });
    const what = h("span", { class: "below" });
    const time = h("span", { class: "time" });
    const end = h("button", { type: "button", class: "plain" }, words.text("act.wrap_up"));
    const extend = h("button", { type: "button", class: "plain" }, words.text("act.extend"));
    const whom = h("button", { type: "button", class: "plain" }, icon("people"), words.text("ask.open"));
    const node = h("li", {}, h("div", {}, who, what), time, h("span", { class: "acts" }, whom, end, extend));
    let job: Job | undefined;
    whom.addEventListener("click", () => job && void this.#experts.open(job.id));
    end.addEventListener("click", () => job && this.#endWrapUp(job));
    extend.addEventListener("click", () => void this.#extend());
    return {
      node,
      update(shown) {
        job = shown;
        write(who, shown.who);
        write(what, shown.what);
        show(end, shown.doing === "wrap_up");
        show(extend, shown.doing === "wrap_up");
        if (shown.until === undefined) showSince(time, shown.since);
        else showUntil(time, shown.until);
      },
    };
  }

  #queueRow(): Row<Waiting> {
    const { words } = this.#tools;
    const name = h("span", { class: "name" });
    const below = h("span", { class: "below" });
    const time = h("span");
    const longest = h("span", { class: "below" }, words.text("figures.longest"), " ", time);
    const node = h("li", {}, h("div", {}, name, below), longest);
    return {
      node,
      update({ name: called, waiting: count, since, closed }) {
        write(name, called);
        const waits = count === 0 ? words.text("work.waiting.none") : words.say("work.waiting", { count });
        write(below, closed ? `${waits} · ${words.text("queues.is_closed")}` : waits);
        show(longest, since !== undefined);
        if (since !== undefined) showSince(time, since);
      },
    };
  }

  async #choose(state: ChosenName): Promise<void> {
    const { client, words } = this.#tools;
    const answer = await client.agentStateSet(this.#tools.me.agent ?? "", { state });
    await this.#done(answer, words.say("menu.done", { agent: this.#agent?.name ?? "", state: words.text(`state.${state}`) }));
  }

  async #extend(): Promise<void> {
    const { client, words } = this.#tools;
    await this.#done(await client.wrapUpExtend(this.#tools.me.agent ?? ""), words.text("work.extended"));
  }

  #endWrapUp({ queue, who }: Job): void {
    const { client, words, dialog, say } = this.#tools;
    // Which queue it was is not always known; then any code of the agent's queues may be the one.
    const mine = (this.#agent?.queues ?? []).flatMap((id) => this.#codes.get(id) ?? []);
    const codes = this.#codes.get(queue) ?? [...new Map(mine.map((code) => [code.id, code])).values()];
    const none = { value: "", label: words.text("form.code.none") };
    const choices = [none, ...codes.map(({ id, name }) => ({ value: id, label: name }))];
    const code: Field = { name: "code", label: words.text("form.code"), kind: "choice", choices };
    const note: Field = { name: "note", label: words.text("form.note"), kind: "long", max: 4096 };
    dialog.open({
      title: words.say("agents.wraps_up", { caller: who }),
      submit: words.text("act.wrap_up.submit"),
      fields: codes.length > 0 ? [code, note] : [note],
      carryOut: async ({ code: chosen, note: noted }) => {
        const said = { ...(chosen && { code: chosen }), ...(noted && { note: noted }) };
        const answer = await client.wrapUpEnd(this.#tools.me.agent ?? "", said);
        if (!answer.ok) return problemText(words, answer.problem);
        say(words.text("work.wrapped_up"));
        void this.#ask();
        return undefined;
      },
    });
  }

  async #done(answer: Answer<unknown>, done: string): Promise<void> {
    const { words, say, refuse } = this.#tools;
    if (answer.ok) say(done);
    else refuse(words.say("refused.act", { reason: problemText(words, answer.problem) }));
    await this.#ask();
  }
}

type ChosenName = (typeof CHOSEN)[number];

function card(id: string, title: string, ...children: HTMLElement[]): HTMLElement {
  return h("section", { class: `card ${id}`, "aria-labelledby": `${id}-title` }, h("h2", { id: `${id}-title` }, title), ...children);
}

/** The state as the live view says it: the API has its parts beside each other. */
function stateOf({ state, chosen, rest_cause, until, presence }: Agent): AgentState {
  const said = { state, ...(state === "break" && chosen.reason && { reason: chosen.reason }), after: rest_cause ?? "missed", until, told: presence?.presence ?? "unknown" };
  return said as unknown as AgentState;
}

function toneOf({ state }: AgentState): string {
  if (state === "available") return "free";
  if (state === "offered" || state === "in_conversation" || state === "wrap_up") return "busy";
  return state === "offline" || state === "gone" ? "offline" : "away";
}

/** What an agent can choose to be. */
const CHOSEN = ["available", "break", "offline"] as const;

/** What is one's own is asked for this often. */
const ASK_EVERY_MS = 2_000;
