/** Who waits, in the order of entry. */

import type { InteractionId, InteractionView, View } from "../api/center.ts";
import { callerName, callerNumber } from "../call/caller.ts";
import { showSince } from "../live/clock.ts";
import { h, heard, write } from "../ui/dom.ts";
import { icon } from "../ui/icon.ts";
import type { Row } from "../ui/rows.ts";
import { cell, row, Table } from "../ui/table.ts";
import { callerCell } from "./caller_cell.ts";
import type { Context } from "./context.ts";
import { type Figures, TARGET_US } from "./figures.ts";

type Waiting = { id: InteractionId; call: Stay; place: number; queue: string; ringing: string | undefined };
type Stay = Extract<InteractionView, { stage: "waiting" | "offered" }>;

export class WaitingPart {
  readonly #context: Context;
  readonly #table: Table<Waiting>;

  constructor(context: Context) {
    this.#context = context;
    const { words } = context;
    this.#table = new Table<Waiting>(words, {
      id: "waiting",
      title: words.text("waiting.title"),
      columns: [
        { title: words.text("waiting.position"), class: "place" },
        { title: words.text("waiting.caller") },
        { title: words.text("waiting.time"), class: "time" },
      ],
      key: ({ id }) => id,
      create: () => waitingRow(context),
      onChange: context.refresh,
    });
  }

  get node(): HTMLElement {
    return this.#table.node;
  }

  show(view: View, figures: Figures): void {
    const { agents, queues } = view.live;
    const waiting = waitingIn(view);
    this.#table.show({
      total: figures.waiting,
      length: waiting.length,
      empty: this.#context.words.text("waiting.empty"),
      item: (index) => {
        const stay = waiting[index];
        if (!stay) return undefined;
        const { id, call, place } = stay;
        const offers = call.stage === "offered" ? call.offers : [];
        const ringing = offers.map(({ agent }) => agents[agent]?.name ?? agent).join(", ") || undefined;
        return { id, call, place, queue: queues[call.queue]?.name ?? call.queue, ringing };
      },
    });
  }
}

/** Everybody who waits, the longest first, each with the place in the own queue. */
export function waitingIn(view: View): { id: InteractionId; call: Stay; place: number }[] {
  const waiting: { id: InteractionId; call: Stay; place: number }[] = [];
  for (const [id, call] of Object.entries(view.live.interactions)) {
    if (call.stage === "waiting" || call.stage === "offered") waiting.push({ id: Number(id), call, place: 0 });
  }
  waiting.sort((a, b) => a.call.entered_at - b.call.entered_at || a.id - b.id);
  const lengths = new Map<string, number>();
  for (const stay of waiting) {
    stay.place = (lengths.get(stay.call.queue) ?? 0) + 1;
    lengths.set(stay.call.queue, stay.place);
  }
  return waiting;
}

function waitingRow(context: Context): Row<Waiting> {
  const { words } = context;
  const place = cell("place");
  const caller = callerCell(context);
  const time = h("span");
  const late = heard(words.text("waiting.late"));
  late.classList.add("late");
  const since = h("span", { class: "since" }, time, icon("clock"), late);
  const node = row(place, caller.node, cell("time", since));
  return {
    node,
    update({ id, call, place: number, queue, ringing }) {
      write(place, words.number(number));
      const rings = ringing === undefined ? undefined : words.say("waiting.ringing", { agent: ringing });
      caller.update(id, callerName(words, call), [queue, callerNumber(words, call)], rings);
      showSince(time, call.entered_at, TARGET_US);
    },
  };
}
