/** What somebody who leads the floor can have done: choices beside a button, and forms for what they need. */

import type { Client } from "../api/client.ts";
import type { Answer } from "../api/request.ts";
import type { AgentId, AgentView, ChosenState, InteractionId, InteractionView, QueueId, View } from "../api/center.ts";
import { callerName } from "../call/caller.ts";
import type { Words } from "../i18n/words.ts";
import type { Lookup } from "../live/lookup.ts";
import { NORMAL_PRIORITY } from "../live/fold.ts";
import type { Field, Form, FormDialog } from "../ui/form.ts";
import type { IconName } from "../ui/icon.ts";
import type { Choice, Menu } from "../ui/menu.ts";
import { isWaiting } from "./figures.ts";
import { problemText } from "./problem.ts";

export type Tools = {
  words: Words;
  client: Client;
  lookup: Lookup;
  menu: Menu;
  dialog: FormDialog;
  view(): View | undefined;
  /** Shows the story of a call with the explanation of its wait. */
  explain(id: InteractionId): void;
  /** Says that something was done. */
  say(text: string): void;
  /** Tells that something that was asked for without a form was refused. */
  refuse(text: string): void;
};

export class Supervision {
  readonly #tools: Tools;

  constructor(tools: Tools) {
    this.#tools = tools;
  }

  /** Offers what can be done with somebody who waits, or is to be called back. */
  openCall(id: InteractionId, button: HTMLElement): void {
    const { words, menu } = this.#tools;
    const call = this.#tools.view()?.live.interactions[id];
    if (!call) return;
    const caller = callerName(words, call);
    const choice = (key: "why" | "move" | "priority" | "assign" | "cancel", sign: IconName, act: () => void): Choice => {
      return { label: words.text(`act.${key}`), sign, act };
    };
    const isFree = call.stage === "waiting" || call.stage === "offered";
    const choices = [
      ...(isWaiting(call) ? [choice("why", "why", () => this.#tools.explain(id))] : []),
      ...(isFree
        ? [
            choice("move", "transfer", () => this.#move(id, call, caller)),
            choice("priority", "priority", () => this.#prioritise(id, call, caller)),
            choice("assign", "person", () => this.#assign(id, call, caller)),
          ]
        : []),
      ...(call.channel === "callback" ? [choice("cancel", "end", () => this.#cancel(id, caller))] : []),
    ];
    menu.open(words.say("act.title", { caller }), choices, button);
  }

  /** Offers the states that an agent can be set to, and what can be done about a wrap-up. */
  openAgent(id: AgentId, button: HTMLElement): void {
    const { words, menu } = this.#tools;
    const agent = this.#tools.view()?.live.agents[id];
    if (!agent) return;
    const states = STATES.map((state): Choice => {
      const checked = state === agent.chosen.state;
      return { label: words.text(`state.${state}`), sign: state, checked, act: () => void this.#choose(id, { state }) };
    });
    const wrapUp = agent.work?.find((work) => work.doing === "wrap_up");
    const more: Choice[] = wrapUp
      ? [
          { label: words.text("act.wrap_up"), sign: "wrap_up", act: () => this.#wrapUp(id, agent, wrapUp.queue) },
          { label: words.text("act.extend"), sign: "clock", act: () => void this.#extend(id, agent) },
        ]
      : [];
    const note = agent.work ? words.text("menu.later") : "";
    menu.open(words.say("menu.title", { agent: agent.name }), [...states, ...more], button, note);
  }

  /** Closes a queue or opens it again, after a question. */
  switchQueue(id: QueueId): void {
    const { words, client } = this.#tools;
    const queue = this.#tools.view()?.live.queues[id];
    if (!queue) return;
    const closed = !queue.closed;
    const done = words.say(closed ? "queues.closed.done" : "queues.opened.done", { queue: queue.name });
    this.#open({
      title: words.say(closed ? "queues.close" : "queues.open", { queue: queue.name }),
      ...(closed && { text: words.text("queues.close.text") }),
      submit: words.text(closed ? "queues.close.submit" : "queues.open.submit"),
      fields: [this.#reason()],
      carryOut: async ({ reason }) => this.#done(await client.queueSwitch(id, { closed, ...given({ reason }) }), done),
    });
  }

  /** Has a customer called, now or later. */
  callBack(): void {
    const { words, client, lookup } = this.#tools;
    const view = this.#tools.view();
    if (!view) return;
    const lines = new Set([...view.recent.map(({ line }) => line), ...lookup.lines]);
    const line: Field = { name: "line", label: words.text("form.line"), kind: "choice", choices: [...lines].map(named) };
    const noLine: Field = { name: "line", label: words.text("form.line"), kind: "text", required: true };
    const hint = words.text("form.phone.hint");
    this.#open({
      title: words.text("act.call_back"),
      submit: words.text("act.call_back.submit"),
      fields: [
        {
          name: "phone",
          label: words.text("form.phone"),
          kind: "text",
          required: true,
          pattern: String.raw`\+?[\d .\-]{2,24}`,
          hint,
        },
        { name: "name", label: words.text("form.name"), kind: "text", max: 128 },
        this.#queues(),
        lines.size > 0 ? line : noLine,
        { name: "at", label: words.text("form.at"), kind: "time" },
        this.#reason(),
      ],
      carryOut: async ({ phone = "", name, queue = "", line: over = "", at = "", reason }) => {
        const when = at === "" ? {} : { at: Date.parse(at) * 1000 };
        const wanted = { phone: phone.replace(/[ .-]/g, ""), queue, line: over, ...when, ...given({ name, reason }) };
        return this.#done(await client.callbackSchedule(wanted), words.say("act.call_back.done", { number: phone }));
      },
    });
  }

  #move(id: InteractionId, call: InteractionView, caller: string): void {
    const { words, client } = this.#tools;
    this.#open({
      title: words.say("act.move.title", { caller }),
      text: words.text("act.move.text"),
      submit: words.text("act.move.submit"),
      fields: [this.#queues("queue" in call ? call.queue : undefined), this.#reason()],
      carryOut: async ({ queue = "", reason }) => {
        const name = this.#tools.view()?.live.queues[queue]?.name ?? queue;
        const done = words.say("act.move.done", { caller, queue: name });
        return this.#done(await client.callMove(id, { queue, ...given({ reason }) }), done);
      },
    });
  }

  #prioritise(id: InteractionId, call: InteractionView, caller: string): void {
    const { words, client } = this.#tools;
    const { priority = NORMAL_PRIORITY, vip = false } = "priority" in call ? call : {};
    const choices = ([1, 2, 3, 4, 5] as const).map((value) => {
      return { value: String(value), label: words.text(`priority.${value}`) };
    });
    this.#open({
      title: words.say("act.priority.title", { caller }),
      submit: words.text("act.priority.submit"),
      fields: [
        { name: "priority", label: words.text("form.priority"), kind: "choice", choices, value: String(priority) },
        { name: "vip", label: words.text("form.vip"), kind: "tick", ...(vip && { value: "yes" }) },
        this.#reason(),
      ],
      carryOut: async ({ priority: chosen, vip: first, reason }) => {
        const importance = { priority: Number(chosen), vip: first === "yes", ...given({ reason }) };
        return this.#done(await client.callPrioritise(id, importance), words.say("act.priority.done", { caller }));
      },
    });
  }

  #assign(id: InteractionId, call: InteractionView, caller: string): void {
    const { words, client, lookup } = this.#tools;
    const queue = "queue" in call ? call.queue : undefined;
    const agents = Object.entries(this.#tools.view()?.live.agents ?? {});
    const theirs = agents.filter(([agent]) => {
      const known = lookup.agents[agent];
      return !known || queue === undefined || known.queues.includes(queue);
    });
    const choices = theirs
      .map(([value, { name, state }]) => ({ value, label: `${name} (${words.text(STATE_GROUPS[state])})` }))
      .toSorted((a, b) => a.label.localeCompare(b.label, words.language));
    this.#open({
      title: words.say("act.assign.title", { caller }),
      text: words.text("act.assign.text"),
      submit: words.text("act.assign.submit"),
      fields: [{ name: "agent", label: words.text("agents.name"), kind: "choice", choices }, this.#reason()],
      carryOut: async ({ agent = "", reason }) => {
        const name = this.#tools.view()?.live.agents[agent]?.name ?? agent;
        const done = words.say("act.assign.done", { caller, agent: name });
        return this.#done(await client.callAssign(id, { agent, ...given({ reason }) }), done);
      },
    });
  }

  #cancel(id: InteractionId, caller: string): void {
    const { words, client } = this.#tools;
    this.#open({
      title: words.say("act.cancel.title", { caller }),
      submit: words.text("act.cancel.submit"),
      fields: [this.#reason()],
      carryOut: async ({ reason }) => {
        return this.#done(await client.callbackCancel(id, given({ reason })), words.say("act.cancel.done", { caller }));
      },
    });
  }

  #wrapUp(id: AgentId, agent: AgentView, queue: QueueId): void {
    const { words, client, lookup } = this.#tools;
    const codes = lookup.queues[queue]?.codes ?? [];
    const none = { value: "", label: words.text("form.code.none") };
    const choices = [none, ...codes.map((code) => ({ value: code.id, label: code.name }))];
    const code: Field = { name: "code", label: words.text("form.code"), kind: "choice", choices };
    const note: Field = { name: "note", label: words.text("form.note"), kind: "long", max: 4096 };
    this.#open({
      title: words.say("act.wrap_up.title", { agent: agent.name }),
      submit: words.text("act.wrap_up.submit"),
      fields: codes.length > 0 ? [code, note] : [note],
      carryOut: async (said) => {
        const answer = await client.wrapUpEnd(id, given({ code: said["code"], note: said["note"] }));
        return this.#done(answer, words.say("act.wrap_up.done", { agent: agent.name }));
      },
    });
  }

  async #extend(id: AgentId, agent: AgentView): Promise<void> {
    const { words, client } = this.#tools;
    const answer = await client.wrapUpExtend(id);
    const wrong = this.#done(answer, words.say("act.extend.done", { agent: agent.name }));
    if (wrong !== undefined) this.#tools.refuse(words.say("refused.act", { reason: wrong }));
  }

  async #choose(id: AgentId, chosen: ChosenState): Promise<void> {
    const { words, client } = this.#tools;
    const agent = this.#tools.view()?.live.agents[id]?.name ?? id;
    const answer = await client.agentStateSet(id, chosen);
    const wrong = this.#done(answer, words.say("menu.done", { agent, state: words.text(`state.${chosen.state}`) }));
    if (wrong !== undefined) this.#tools.refuse(words.say("refused.title", { agent, reason: wrong }));
  }

  #open(form: Form): void {
    this.#tools.dialog.open(form);
  }

  /** Says that it was done, or answers with what went wrong. */
  #done(answer: Answer<unknown>, done: string): string | undefined {
    if (!answer.ok) return problemText(this.#tools.words, answer.problem);
    this.#tools.say(done);
    return undefined;
  }

  #queues(but?: QueueId): Field {
    const queues = Object.entries(this.#tools.view()?.live.queues ?? {}).filter(([id]) => id !== but);
    const choices = queues.map(([value, { name }]) => ({ value, label: name }));
    return { name: "queue", label: this.#tools.words.text("queues.name"), kind: "choice", choices };
  }

  #reason(): Field {
    return { name: "reason", label: this.#tools.words.text("form.reason"), kind: "text", max: 100 };
  }
}

/** What was filled in; an empty text is nothing. */
function given<K extends string>(values: Record<K, string | undefined>): Partial<Record<K, string>> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value)) as Partial<Record<K, string>>;
}

function named(name: string): { value: string; label: string } {
  return { value: name, label: name };
}

/** The states that can be chosen. */
const STATES: readonly ChosenState["state"][] = ["available", "break", "offline"];

/** What an agent's state is called beside the name. */
const STATE_GROUPS = {
  available: "agents.free",
  offered: "agents.busy",
  in_conversation: "agents.busy",
  wrap_up: "agents.busy",
  break: "agents.away",
  resting: "agents.away",
  not_reachable: "agents.away",
  offline: "agents.offline",
  gone: "agents.offline",
} as const satisfies Record<AgentView["state"], string>;
