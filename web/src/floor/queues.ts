/** The queues: how each chooses, how it goes, and whether it lets callers in. */

import type { QueueId, QueueView, Timestamp, View } from "../api/center.ts";
import type { KnownQueue } from "../live/lookup.ts";
import { showNoTime, showSince } from "../live/clock.ts";
import { h, show, write } from "../ui/dom.ts";
import type { Row } from "../ui/rows.ts";
import { cell, nameCell, row, Table } from "../ui/table.ts";
import type { Context } from "./context.ts";
import { waitingIn } from "./waiting.ts";

type Shown = {
  id: QueueId;
  queue: QueueView;
  known: KnownQueue | undefined;
  waiting: number;
  longest: Timestamp | undefined;
  refused: number;
};

export class QueuesPart {
  readonly #context: Context;
  readonly #table: Table<Shown>;

  constructor(context: Context) {
    this.#context = context;
    const { words } = context;
    this.#table = new Table<Shown>(words, {
      id: "queues",
      title: words.text("queues.title"),
      columns: [
        { title: words.text("queues.name") },
        { title: words.text("queues.waiting"), class: "figure" },
        { title: words.text("queues.expected"), class: "figure" },
        { title: words.text("queues.refused"), class: "figure" },
        { title: words.text("queues.switch"), class: "switch" },
      ],
      key: ({ id }) => id,
      create: () => queueRow(context),
      onChange: context.refresh,
    });
  }

  get node(): HTMLElement {
    return this.#table.node;
  }

  show(view: View): void {
    const { words, lookup } = this.#context;
    const queues = Object.entries(view.live.queues);
    const waiting = new Map<QueueId, { count: number; longest: Timestamp }>();
    for (const { call } of waitingIn(view)) {
      const { count, longest } = waiting.get(call.queue) ?? { count: 0, longest: Infinity };
      const since = call.waiting_since ?? call.entered_at;
      waiting.set(call.queue, { count: count + 1, longest: Math.min(longest, since) });
    }
    this.#table.show({
      total: queues.length,
      length: queues.length,
      empty: words.text("queues.empty"),
      item: (index) => {
        const [id, queue] = queues[index] ?? [];
        if (id === undefined || !queue) return undefined;
        const { count = 0, longest } = waiting.get(id) ?? {};
        const refused = view.totals[id]?.refused ?? 0;
        return { id, queue, known: lookup.queues[id], waiting: count, longest, refused };
      },
    });
  }
}

function queueRow(context: Context): Row<Shown> {
  const { words } = context;
  const name = h("span", { class: "name" });
  const below = h("span", { class: "below" });
  const waiting = h("span");
  const longest = h("small", { class: "longest" });
  const expected = h("span");
  const refused = h("span");
  const toggle = h("button", { type: "button", class: "toggle", role: "switch" });
  const label = h("span");
  toggle.append(h("span", { class: "knob", "aria-hidden": "true" }), label);
  const figure = (title: "queues.waiting" | "queues.expected" | "queues.refused", ...of: HTMLElement[]) => {
    return cell("figure", h("small", { class: "what" }, `${words.text(title)} `), ...of.flatMap((part) => [part, " "]));
  };
  const node = row(
    nameCell(name, below),
    figure("queues.waiting", waiting, longest),
    figure("queues.expected", expected),
    figure("queues.refused", refused),
    cell("switch", toggle),
  );
  let id = "";
  toggle.addEventListener("click", () => context.switchQueue(id));
  return {
    node,
    update({ id: queue_id, queue, known, waiting: count, longest: since, refused: turned }) {
      id = queue_id;
      write(name, queue.name);
      const { talk_us = 0, wrap_up_us = 0 } = queue.pace ?? {};
      const pace = talk_us > 0 ? words.say("queues.pace", { time: words.duration(talk_us + wrap_up_us) }) : undefined;
      const strategy = known?.strategy && words.text(`strategy.${known.strategy}`);
      write(below, [strategy, pace].filter(Boolean).join(" · "));
      write(waiting, words.number(count));
      if (since === undefined) showNoTime(longest);
      else showSince(longest, since);
      show(longest, since !== undefined);
      write(expected, known?.expected_us === undefined ? "–" : words.roughly(known.expected_us));
      write(refused, words.number(turned));
      toggle.setAttribute("aria-checked", String(!queue.closed));
      toggle.setAttribute("aria-label", words.say("queues.switch.label", { queue: queue.name }));
      write(label, words.text(queue.closed ? "queues.is_closed" : "queues.is_open"));
    },
  };
}
