/** The last calls and what they came to, the latest first. */

import type { ClosedInteraction, InteractionId, Outcome, View } from "../api/center.ts";
import { callerName } from "../call/caller.ts";
import { summaryOfClosed } from "../call/summary.ts";
import { digits } from "../i18n/words.ts";
import { h, write } from "../ui/dom.ts";
import { type IconName, showIcon } from "../ui/icon.ts";
import type { Row } from "../ui/rows.ts";
import { cell, row, Table } from "../ui/table.ts";
import { callerCell } from "./caller_cell.ts";
import type { Context } from "./context.ts";

type Shown = { id: InteractionId; closed: ClosedInteraction };

export class RecentPart {
  readonly #context: Context;
  readonly #table: Table<Shown>;

  constructor(context: Context) {
    this.#context = context;
    const { words } = context;
    this.#table = new Table<Shown>(words, {
      id: "recent",
      title: words.text("recent.title"),
      columns: [
        { title: words.text("recent.caller") },
        { title: words.text("recent.outcome"), class: "state" },
        { title: words.text("recent.times"), class: "time" },
        { title: words.text("recent.quality"), class: "mos" },
      ],
      key: ({ id }) => id,
      create: () => recentRow(context),
      onChange: context.refresh,
    });
  }

  get node(): HTMLElement {
    return this.#table.node;
  }

  show(view: View): void {
    this.#table.show({
      total: view.recent.length,
      length: view.recent.length,
      empty: this.#context.words.text("recent.empty"),
      item: (index) => {
        const closed = view.recent[index];
        return closed && { id: closed.interaction, closed };
      },
    });
  }
}

function recentRow(context: Context): Row<Shown> {
  const { words } = context;
  const caller = callerCell(context);
  const sign = h("span", { class: "sign" });
  const outcome = h("span");
  const chip = h("span", { class: "chip" }, sign, outcome);
  const wait = h("span");
  const talk = h("span");
  const mos = h("span");
  const node = row(
    caller.node,
    cell("state", chip),
    cell(
      "time",
      h("span", { class: "pair" }, h("small", {}, words.text("recent.wait")), " ", wait),
      h("span", { class: "pair" }, h("small", {}, words.text("recent.talk")), " ", talk),
    ),
    cell("mos", h("small", {}, words.text("recent.quality")), " ", mos),
  );
  return {
    node,
    update({ id, closed }) {
      const summary = summaryOfClosed(closed);
      const agents = summary.agents.map(({ name }) => name).join(", ") || undefined;
      caller.update(id, callerName(words, closed), [words.time(closed.closed_at), summary.queue, agents]);
      write(outcome, words.text(`outcome.${closed.outcome}`));
      showIcon(sign, SIGNS[closed.outcome]);
      chip.className = `chip outcome-${closed.outcome}`;
      write(wait, summary.waited === undefined ? "–" : digits(summary.waited));
      write(talk, summary.talked === undefined ? "–" : digits(summary.talked));
      write(mos, summary.mos === undefined ? "–" : words.tenths(summary.mos));
    },
  };
}

const SIGNS: Record<Outcome, IconName> = {
  handled: "available",
  transferred: "transfer",
  abandoned_in_queue: "end",
  abandoned_in_flow: "end",
  flow_ended: "offline",
  lost: "resting",
  not_reached: "resting",
  cancelled: "offline",
  expired: "clock",
};
