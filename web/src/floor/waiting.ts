/** Who waits, in the order in which they stand; then who is promised something and does not wait yet. */

import type { InteractionId, InteractionView, QueueStay, Timestamp, View } from "../api/center.ts";
import { callerName, callerNumber } from "../call/caller.ts";
import { asksNobody, asksText, requirementAt } from "../call/terms.ts";
import type { Words } from "../i18n/words.ts";
import { showSince, showUntil } from "../live/clock.ts";
import { NORMAL_PRIORITY, waitingSince } from "../live/fold.ts";
import { h, heard, show, write } from "../ui/dom.ts";
import { icon } from "../ui/icon.ts";
import type { Row } from "../ui/rows.ts";
import { cell, row, Table } from "../ui/table.ts";
import { callerCell } from "./caller_cell.ts";
import type { Context } from "./context.ts";
import { type Figures, isWaiting, TARGET_US } from "./figures.ts";

/** Somebody in a queue. */
type Stay = Extract<InteractionView, QueueStay>;

/** Somebody who has a place in a queue and is not in it. */
type Promised = Extract<InteractionView, { stage: "parked" | "scheduled" | "leaving_message" }>;

type Shown = { id: InteractionId; call: Stay | Promised; place: number | undefined; queue: string; mark: string | undefined };

export class WaitingPart {
  readonly #context: Context;
  readonly #table: Table<Shown>;

  constructor(context: Context) {
    this.#context = context;
    const { words } = context;
    const callBack = h("button", { type: "button", class: "plain" }, words.text("act.call_back"));
    callBack.addEventListener("click", () => context.callBack());
    this.#table = new Table<Shown>(words, {
      id: "waiting",
      title: words.text("waiting.title"),
      columns: [
        { title: words.text("waiting.position"), class: "place" },
        { title: words.text("waiting.caller") },
        { title: words.text("waiting.time"), class: "time" },
        { title: words.text("waiting.act"), class: "act" },
      ],
      key: ({ id }) => id,
      create: () => waitingRow(context),
      act: callBack,
      onChange: context.refresh,
    });
  }

  get node(): HTMLElement {
    return this.#table.node;
  }

  show(view: View, figures: Figures): void {
    const { words } = this.#context;
    const { agents, queues } = view.live;
    const nameOf = (agent: string): string => agents[agent]?.name ?? agent;
    const waiting = waitingIn(view);
    const promised = promisedIn(view);
    this.#table.show({
      total: figures.waiting,
      length: waiting.length + promised.length,
      empty: words.text("waiting.empty"),
      item: (index) => {
        const { id, call, place } = waiting[index] ?? { ...promised[index - waiting.length], place: undefined };
        if (id === undefined || !call) return undefined;
        return { id, call, place, queue: queues[call.queue]?.name ?? call.queue, mark: markText(words, call, nameOf) };
      },
    });
  }
}

/** Everybody who waits, each with the place in the own queue: who is served first stands first. */
export function waitingIn(view: View): { id: InteractionId; call: Stay; place: number }[] {
  const waiting: { id: InteractionId; call: Stay; place: number }[] = [];
  for (const [id, call] of Object.entries(view.live.interactions)) {
    if (isWaiting(call)) waiting.push({ id: Number(id), call, place: 0 });
  }
  waiting.sort((a, b) => rank(a.call) - rank(b.call) || stands(a.call) - stands(b.call) || a.id - b.id);
  const lengths = new Map<string, number>();
  for (const stay of waiting) {
    stay.place = (lengths.get(stay.call.queue) ?? 0) + 1;
    lengths.set(stay.call.queue, stay.place);
  }
  return waiting;
}

/** Everybody who is promised something, the next one first. */
function promisedIn(view: View): { id: InteractionId; call: Promised }[] {
  const promised: { id: InteractionId; call: Promised }[] = [];
  for (const [id, call] of Object.entries(view.live.interactions)) {
    const is = call.stage === "parked" || call.stage === "scheduled" || call.stage === "leaving_message";
    if (is) promised.push({ id: Number(id), call });
  }
  return promised.toSorted((a, b) => a.call.waiting_since - b.call.waiting_since || a.id - b.id);
}

/** Before everybody else stands who is very important. */
function rank({ vip }: Stay): number {
  return vip ? 0 : 1;
}

function stands(call: Stay): Timestamp {
  return call.stands_since ?? waitingSince(call);
}

/** What stands out: who is being rung, or what is being done. */
function markText(words: Words, call: Stay | Promised, nameOf: (agent: string) => string): string | undefined {
  switch (call.stage) {
    case "offered":
      return words.say("waiting.ringing", { agent: call.offers.map(({ agent }) => nameOf(agent)).join(", ") });
    case "calling_back":
      return words.say("stage.calling_back", { agent: nameOf(call.offer.agent) });
    case "waiting":
      return undefined;
    default:
      return words.text(`stage.${call.stage}`);
  }
}

function waitingRow(context: Context): Row<Shown> {
  const { words } = context;
  const place = cell("place");
  const tags = h("span", { class: "tags" });
  const caller = callerCell(context, tags);
  const time = h("span");
  const late = heard(words.text("waiting.late"));
  late.classList.add("late");
  const back = h("span", { class: "back" }, `${words.text("waiting.due")} `);
  const since = h("span", { class: "since" }, time, icon("clock"), late);
  const button = h("button", { type: "button", class: "act", "aria-haspopup": "menu" }, icon("more"));
  const node = row(place, caller.node, cell("time", back, since), cell("act", button));
  let id = 0;
  button.addEventListener("click", () => context.openCall(id, button));
  return {
    node,
    update({ id: call_id, call, place: number, queue, mark }) {
      id = call_id;
      const name = callerName(words, call);
      write(place, number === undefined ? "" : words.number(number));
      node.classList.toggle("later", number === undefined);
      caller.update(id, name, [queue, callerNumber(words, call)], mark);
      tags.replaceChildren(...tagsOf(context, call));
      show(tags, tags.childElementCount > 0);
      // Nothing can be done for somebody who is leaving a message.
      show(button, isWaiting(call) || call.channel === "callback");
      button.setAttribute("aria-label", words.say("act.title", { caller: name }));
      const isScheduled = call.stage === "scheduled";
      show(back, isScheduled);
      if (call.stage === "scheduled") showUntil(time, call.at);
      else showSince(time, sinceOf(call), isHeardWaiting(call) ? TARGET_US : undefined);
    },
  };
}

function sinceOf(call: Stay | Promised): Timestamp {
  return "entered_at" in call ? waitingSince(call) : call.waiting_since;
}

/** Whether somebody is on the line and waits for an agent; others do other things meanwhile, and cannot be late. */
function isHeardWaiting(call: InteractionView): boolean {
  return isWaiting(call) && (call.channel ?? "call") === "call";
}

/** What is special: importance, how it reaches an agent, what is asked of one. */
function tagsOf({ words, nameOfAgent }: Context, call: Stay | Promised): HTMLElement[] {
  const { channel = "call", vip, priority = NORMAL_PRIORITY, message, callback, terms } = call;
  const step = "step" in call ? (call.step ?? 0) : 0;
  const tags: [string, string][] = [];
  if (vip) tags.push(["vip", words.text("waiting.vip")]);
  if (priority !== NORMAL_PRIORITY) tags.push([priority < NORMAL_PRIORITY ? "high" : "low", words.say("waiting.priority", { priority })]);
  if (channel === "callback") {
    const { attempts: count = 0 } = callback ?? {};
    tags.push(["channel", count === 0 ? words.text("waiting.callback") : words.say("waiting.callback.tried", { count })]);
  }
  if (channel === "voicemail") {
    tags.push(["channel", words.say("waiting.message", { time: words.duration(message?.length_us ?? 0) })]);
  }
  const asked = requirementAt(terms, step);
  if (!asksNobody(asked) || step > 0) {
    const asks = asksText(words, asked, nameOfAgent);
    tags.push(["asks", step > 0 ? words.say("waiting.relaxed", { asks }) : asks]);
  }
  return tags.map(([kind, text]) => h("span", { class: `tag tag-${kind}` }, text));
}
