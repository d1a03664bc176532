/** A part of the page that lists things: heading, count, filter, table, and how much of it is shown. */

import type { Words } from "../i18n/words.ts";
import { type Child, h, show, write } from "./dom.ts";
import { type Row, Rows } from "./rows.ts";

export type Column = { title: string; class?: string };

export type Filter<F extends string> = { label: string; choices: readonly { value: F; label: string }[] };

export type TableSpec<T, F extends string> = {
  /** Names the part in the page; also a class. */
  id: string;
  title: string;
  columns: readonly Column[];
  /** The first column is the one that names the row, and its cell a row heading. */
  create: () => Row<T>;
  key: (item: T) => string | number;
  filter?: Filter<F>;
  /** What can be done about the whole of it, beside the heading. */
  act?: HTMLElement;
  /** Something of its own between the heading and the table. */
  tools?: HTMLElement;
  /** Called when the reader wants to see something else of the same view. */
  onChange: () => void;
};

/** What there is to show. Only the items of rows that are shown are made. */
export type Listing<T, F extends string> = {
  total: number;
  /** How many things each choice of the filter has. */
  counts?: Record<F, number>;
  item: (index: number) => T | undefined;
  /** How many items there are after filtering. */
  length: number;
  /** What is said when there is nothing to show. */
  empty: string;
};

export class Table<T extends object, F extends string = never> {
  readonly node: HTMLElement;
  readonly #words: Words;
  readonly #rows: Rows<T>;
  readonly #count = h("span", { class: "count" });
  readonly #empty = h("p", { class: "empty" });
  readonly #more = h("button", { type: "button" });
  readonly #fewer = h("button", { type: "button" });
  readonly #shown = h("span", { class: "shown" });
  readonly #foot: HTMLElement;
  readonly #table: HTMLTableElement;
  readonly #counts = new Map<F, HTMLElement>();
  #limit = ROWS_AT_FIRST;
  #choice: F | undefined;

  constructor(words: Words, spec: TableSpec<T, F>) {
    this.#words = words;
    const body = h("tbody", { role: "rowgroup" });
    this.#rows = new Rows(body, spec.key, spec.create);
    const heads = spec.columns.map(({ title, class: name }) => h("th", { scope: "col", role: "columnheader", class: name }, title));
    const head = h("thead", { role: "rowgroup" }, h("tr", { role: "row" }, ...heads));
    this.#table = h("table", { role: "table", "aria-labelledby": `${spec.id}-title` }, head, body);
    this.#foot = h("div", { class: "foot" }, this.#shown, this.#more, this.#fewer);
    const heading = h("h2", { id: `${spec.id}-title` }, spec.title);
    this.node = h(
      "section",
      { class: `part ${spec.id}`, "aria-labelledby": `${spec.id}-title` },
      h("header", {}, heading, this.#count, spec.act),
      spec.filter && this.#filter(spec.id, spec.filter, spec.onChange),
      spec.tools,
      h("div", { class: "rows" }, this.#table, this.#empty),
      this.#foot,
    );
    this.#more.addEventListener("click", () => this.#limitTo(this.#limit + ROWS_MORE, spec.onChange));
    this.#fewer.addEventListener("click", () => this.#limitTo(ROWS_AT_FIRST, spec.onChange));
    write(this.#fewer, words.text("rows.fewer"));
  }

  /** The choice of the filter; `undefined` for everything. */
  get choice(): F | undefined {
    return this.#choice;
  }

  show(listing: Listing<T, F>): void {
    const { length, total } = listing;
    const items = Array.from({ length: Math.min(length, this.#limit) }, (_, index) => listing.item(index));
    this.#rows.show(items.filter((item) => item !== undefined));
    write(this.#count, this.#words.number(total));
    for (const [choice, place] of this.#counts) write(place, this.#words.number(listing.counts?.[choice] ?? 0));
    show(this.#table, length > 0);
    show(this.#empty, length === 0);
    write(this.#empty, listing.empty);
    this.#showFoot(length);
  }

  #showFoot(length: number): void {
    const more = Math.min(ROWS_MORE, length - this.#limit, ROWS_MAX - this.#limit);
    show(this.#foot, length > ROWS_AT_FIRST);
    show(this.#more, more > 0);
    show(this.#fewer, this.#limit > ROWS_AT_FIRST);
    if (more > 0) write(this.#more, this.#words.say("rows.more", { count: more }));
    write(this.#shown, this.#words.say("rows.shown", { shown: Math.min(length, this.#limit), total: length }));
  }

  #limitTo(limit: number, onChange: () => void): void {
    this.#limit = Math.min(limit, ROWS_MAX);
    onChange();
  }

  #filter(id: string, { label, choices }: Filter<F>, onChange: () => void): HTMLElement {
    const all = this.#radio(id, undefined, this.#words.text("filter.all"), onChange);
    const radios = choices.map((choice) => this.#radio(id, choice.value, choice.label, onChange));
    return h("fieldset", { class: "filter" }, h("legend", { class: "heard" }, label), all, ...radios);
  }

  #radio(id: string, value: F | undefined, label: string, onChange: () => void): HTMLElement {
    const input = h("input", { type: "radio", name: `${id}-filter`, class: "heard", checked: value === undefined });
    input.addEventListener("change", () => {
      this.#choice = value;
      onChange();
    });
    if (value === undefined) return h("label", {}, input, h("span", {}, label));
    const count = h("b");
    this.#counts.set(value, count);
    return h("label", {}, input, h("span", { class: `choice-${value}` }, `${label} `, count));
  }
}

// The roles are those that the elements have anyway; they keep them where a narrow page lays rows out as blocks.

/** A row. */
export function row(...cells: HTMLTableCellElement[]): HTMLTableRowElement {
  return h("tr", { role: "row" }, ...cells);
}

/** The first cell of a row, which names it. */
export function nameCell(...children: Child[]): HTMLTableCellElement {
  return h("th", { scope: "row", role: "rowheader" }, ...children);
}

/** Any other cell. */
export function cell(name: string, ...children: Child[]): HTMLTableCellElement {
  return h("td", { role: "cell", class: name }, ...children);
}

/** Rows that are shown before the reader wants more. */
const ROWS_AT_FIRST = 12;

/** Rows that are shown more each time. */
const ROWS_MORE = 24;

/** More rows than this are never shown: who looks for one thing among more filters or searches. */
const ROWS_MAX = 300;
