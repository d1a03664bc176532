/** A list of things that administrators look after: asked for when it is opened, page by page. */

import type { Answer } from "../api/request.ts";
import { problemText } from "../floor/problem.ts";
import type { Words } from "../i18n/words.ts";
import { type Child, h, show, write } from "../ui/dom.ts";
import { icon } from "../ui/icon.ts";
import type { Column } from "../ui/table.ts";

/** A part of a list, and where the next one begins. */
export type Part<T> = { items: readonly T[]; next?: string | undefined };

export type ListSpec<T> = {
  /** Names the list in the page. */
  id: string;
  title: string;
  /** What the list is for, in a sentence. */
  text?: string;
  columns: readonly Column[];
  key: (item: T) => string;
  /** The cells of a row; the first one names it. */
  cells: (item: T) => HTMLTableCellElement[];
  empty: string;
  /** Beside the heading. */
  act?: HTMLElement | undefined;
  /** Between the heading and the list. */
  tools?: HTMLElement | undefined;
  load: (cursor: string | undefined) => Promise<Answer<Part<T>>>;
};

export class List<T> {
  readonly node: HTMLElement;
  readonly #words: Words;
  readonly #spec: ListSpec<T>;
  readonly #body = h("tbody", { role: "rowgroup" });
  readonly #table: HTMLTableElement;
  readonly #empty = h("p", { class: "empty", hidden: true });
  readonly #said = h("span");
  readonly #wrong: HTMLElement;
  readonly #more = h("button", { type: "button" });
  #items: T[] = [];
  #next: string | undefined;
  /** Which question is the last one: an answer to an earlier one is of no interest. */
  #asked = 0;

  constructor(words: Words, spec: ListSpec<T>) {
    this.#words = words;
    this.#spec = spec;
    const { id, columns } = spec;
    const heads = columns.map(({ title, class: name }) => h("th", { scope: "col", role: "columnheader", class: name }, title));
    const head = h("thead", { role: "rowgroup" }, h("tr", { role: "row" }, ...heads));
    this.#table = h("table", { role: "table", "aria-labelledby": `${id}-title`, hidden: true }, head, this.#body);
    const again = h("button", { type: "button" }, words.text("live.retry"));
    again.addEventListener("click", () => void this.reload());
    this.#wrong = h("div", { class: "banner", role: "alert", hidden: true }, icon("resting"), this.#said, again);
    this.#more.addEventListener("click", () => void this.#ask(this.#next));
    write(this.#more, words.text("list.more"));
    show(this.#more, false);
    this.node = h(
      "section",
      { class: `part list ${id}`, "aria-labelledby": `${id}-title` },
      h("header", {}, h("h2", { id: `${id}-title` }, spec.title), spec.act),
      spec.text === undefined ? undefined : h("p", { class: "about" }, spec.text),
      spec.tools,
      this.#wrong,
      h("div", { class: "rows" }, this.#table, this.#empty),
      h("div", { class: "foot" }, this.#more),
    );
  }

  /** Asks for all of it anew. */
  async reload(): Promise<void> {
    await this.#ask(undefined);
  }

  async #ask(cursor: string | undefined): Promise<void> {
    this.#asked += 1;
    const asked = this.#asked;
    this.node.setAttribute("aria-busy", "true");
    const answer = await this.#spec.load(cursor);
    if (asked !== this.#asked) return;
    this.node.removeAttribute("aria-busy");
    show(this.#wrong, !answer.ok);
    write(this.#said, answer.ok ? "" : problemText(this.#words, answer.problem));
    if (!answer.ok) return;
    this.#items = cursor === undefined ? [...answer.value.items] : [...this.#items, ...answer.value.items];
    this.#next = answer.value.next;
    this.#show();
  }

  #show(): void {
    const focused = this.#focus();
    const rows = this.#items.map((item) => {
      const cells = this.#spec.cells(item);
      // Where the page is narrow a cell stands without its heading, and says itself what it is.
      for (const [index, cell] of cells.entries()) cell.dataset["title"] = this.#spec.columns[index]?.title ?? "";
      return h("tr", { role: "row", "data-key": this.#spec.key(item) }, ...cells);
    });
    this.#body.replaceChildren(...rows);
    show(this.#table, rows.length > 0);
    write(this.#empty, rows.length === 0 ? this.#spec.empty : "");
    show(this.#empty, rows.length === 0);
    show(this.#more, this.#next !== undefined);
    if (focused === undefined) return;
    const heir = rows.find(({ dataset }) => dataset["key"] === focused) ?? rows.at(-1);
    heir?.querySelector<HTMLElement>("button")?.focus({ preventScroll: true });
  }

  /** The key of the row that has the keyboard's focus. */
  #focus(): string | undefined {
    const row = document.activeElement?.closest<HTMLElement>("tr[data-key]");
    return row && this.#body.contains(row) ? row.dataset["key"] : undefined;
  }
}

/** A button for the end of a row that opens what can be done with it. */
export function moreButton(label: string, onClick: (button: HTMLElement) => void): HTMLButtonElement {
  const button = h("button", { type: "button", class: "act", "aria-haspopup": "menu", "aria-label": label }, icon("more"));
  button.addEventListener("click", () => onClick(button));
  return button;
}

/** A button beside a heading. */
export function addButton(label: string, onClick: () => void): HTMLButtonElement {
  const button = h("button", { type: "button", class: "plain" }, label);
  button.addEventListener("click", onClick);
  return button;
}

/** What something is, as a sign and a word. */
export function chip(tone: "free" | "busy" | "away" | "offline" | "late", sign: Parameters<typeof icon>[0], text: string): HTMLElement {
  return h("span", { class: `chip chip-${tone}` }, h("span", { class: "sign" }, icon(sign)), h("span", {}, text));
}

/** Short words beside each other. */
export function tags(...texts: readonly Child[]): HTMLElement {
  return h("span", { class: "tags" }, ...texts.map((text) => h("span", { class: "tag" }, text)));
}
