/** The calls in progress and where each is, the latest first. */

import type { AgentId, InteractionId, InteractionView, View } from "../api/center.ts";
import { callerName, callerNumber } from "../call/caller.ts";
import type { Words } from "../i18n/words.ts";
import { showSince } from "../live/clock.ts";
import { h, write } from "../ui/dom.ts";
import { type IconName, showIcon } from "../ui/icon.ts";
import type { Row } from "../ui/rows.ts";
import { cell, row, Table } from "../ui/table.ts";
import { callerCell } from "./caller_cell.ts";
import type { Context } from "./context.ts";
import { type CallGroup, callGroup, type Figures, isInProgress } from "./figures.ts";

type Shown = { id: InteractionId; call: InteractionView; stage: string; queue: string | undefined };

export class CallsPart {
  readonly #context: Context;
  readonly #table: Table<Shown, CallGroup>;

  constructor(context: Context) {
    this.#context = context;
    const { words } = context;
    const choices = (["menu", "waiting", "ringing", "talking"] as const).map((value) => ({
      value,
      label: words.text(`calls.${value}`),
    }));
    this.#table = new Table<Shown, CallGroup>(words, {
      id: "calls",
      title: words.text("calls.title"),
      columns: [
        { title: words.text("calls.caller") },
        { title: words.text("calls.stage"), class: "state" },
        { title: words.text("calls.time"), class: "time" },
      ],
      key: ({ id }) => id,
      create: () => callRow(context),
      filter: { label: words.text("calls.stage"), choices },
      onChange: context.refresh,
    });
  }

  get node(): HTMLElement {
    return this.#table.node;
  }

  show(view: View, figures: Figures): void {
    const { words } = this.#context;
    const group = this.#table.choice;
    const { agents, queues } = view.live;
    const wanted = Object.entries(view.live.interactions)
      .filter(([, call]) => isInProgress(call) && (group === undefined || callGroup(call) === group))
      .toReversed();
    this.#table.show({
      total: figures.inProgress,
      counts: figures.calls,
      length: wanted.length,
      empty: words.text(figures.inProgress === 0 ? "calls.empty" : "calls.empty.filter"),
      item: (index) => {
        const [id, call] = wanted[index] ?? [];
        if (!call) return undefined;
        const stage = stageText(words, call, (agent) => agents[agent]?.name ?? agent);
        const queue = queueOf(call);
        return { id: Number(id), call, stage, queue: queue && (queues[queue]?.name ?? queue) };
      },
    });
  }
}

/** Where a call is, in words. */
export function stageText(words: Words, call: InteractionView, nameOf: (agent: AgentId) => string): string {
  switch (call.stage) {
    case "in_flow":
      return words.text(call.answered ? "stage.in_flow" : "stage.arriving");
    case "offered":
      return words.say("stage.ringing", { agent: call.offers.map(({ agent }) => nameOf(agent)).join(", ") });
    case "calling_back":
      return words.say("stage.calling_back", { agent: nameOf(call.offer.agent) });
    case "connected": {
      const { agent, held_since } = call.conversation;
      if (call.caller_held_since !== undefined) return words.text("stage.held.caller");
      return words.say(held_since === undefined ? "stage.with" : "stage.held", { agent: nameOf(agent) });
    }
    case "wrap_up":
      return words.text("stage.ending");
    default:
      return words.text(`stage.${call.stage}`);
  }
}

function queueOf(call: InteractionView): string | undefined {
  switch (call.stage) {
    case "waiting":
    case "offered":
    case "calling_back":
    case "parked":
    case "scheduled":
    case "leaving_message":
      return call.queue;
    case "connected":
      return call.conversation.queue;
    default:
      return undefined;
  }
}

function callRow(context: Context): Row<Shown> {
  const { words } = context;
  const caller = callerCell(context);
  const sign = h("span", { class: "sign" });
  const stage = h("span");
  const chip = h("span", { class: "chip" }, sign, stage);
  const time = h("span");
  const node = row(caller.node, cell("state", chip), cell("time", time));
  return {
    node,
    update({ id, call, stage: text, queue }) {
      caller.update(id, callerName(words, call), [queue, callerNumber(words, call)]);
      write(stage, text);
      showIcon(sign, SIGNS[call.stage]);
      chip.className = `chip stage-${call.stage}`;
      showSince(time, call.arrived_at);
    },
  };
}

const SIGNS: Record<InteractionView["stage"], IconName> = {
  in_flow: "menu",
  waiting: "waiting",
  offered: "ringing",
  calling_back: "ringing",
  parked: "waiting",
  scheduled: "clock",
  leaving_message: "talking",
  redirecting: "transfer",
  connected: "talking",
  transferred: "transfer",
  ending: "end",
  wrap_up: "end",
};
