/** Rows by key: what stays is kept and moved, what is equal is not touched, what moves is seen to move. */

import { wantsCalm } from "./dom.ts";

/** One row, which can show one thing after another. */
export type Row<T> = { node: HTMLElement; update(item: T): void };

type Shown<T> = { row: Row<T>; item: T };

export class Rows<T extends object> {
  readonly #body: HTMLElement;
  readonly #key: (item: T) => string | number;
  readonly #create: () => Row<T>;
  #shown = new Map<string | number, Shown<T>>();

  constructor(body: HTMLElement, key: (item: T) => string | number, create: () => Row<T>) {
    this.#body = body;
    this.#key = key;
    this.#create = create;
  }

  /** Shows these items in this order. */
  show(items: readonly T[]): void {
    const next = new Map<string | number, Shown<T>>();
    for (const item of items) next.set(this.#key(item), this.#rowOf(item));
    const order = [...next.values()].map(({ row }) => row.node);
    const before = this.#body.children;
    const isSame = before.length === order.length && order.every((node, index) => before[index] === node);
    this.#shown = next;
    if (!isSame) this.#arrange(order);
  }

  #rowOf(item: T): Shown<T> {
    const shown = this.#shown.get(this.#key(item));
    if (!shown) {
      const row = this.#create();
      row.update(item);
      return { row, item };
    }
    if (!isEqual(shown.item, item)) shown.row.update(item);
    return { row: shown.row, item };
  }

  #arrange(order: readonly HTMLElement[]): void {
    const isSeen = order.length <= MOVING_MAX && !document.hidden && !wantsCalm();
    const tops = isSeen ? topsOf(this.#body.children) : undefined;
    const isFirst = this.#body.childElementCount === 0;
    const focus = focusIn(this.#body);
    const kept = new Set<Element>(order);
    for (const node of Array.from(this.#body.children)) if (!kept.has(node)) node.remove();
    for (const [index, node] of order.entries()) {
      if (this.#body.children[index] !== node) this.#body.insertBefore(node, this.#body.children[index] ?? null);
    }
    if (focus) keepFocus(focus, order);
    if (tops && !isFirst) move(order, tops);
  }
}

type Focus = { element: HTMLElement; index: number };

/** What has the keyboard's focus among the rows, and in which row. */
function focusIn(body: HTMLElement): Focus | undefined {
  const element = document.activeElement;
  if (!(element instanceof HTMLElement) || !body.contains(element)) return undefined;
  return { element, index: Array.from(body.children).findIndex((row) => row.contains(element)) };
}

/** A row that moves keeps the focus; one that is gone leaves it to the row in its place. */
function keepFocus({ element, index }: Focus, order: readonly HTMLElement[]): void {
  if (document.activeElement === element) return;
  const heir = element.isConnected ? element : order[Math.min(index, order.length - 1)]?.querySelector("button");
  heir?.focus({ preventScroll: true });
}

/** Whether two items say the same, part by part. */
function isEqual(a: object, b: object): boolean {
  const [before, after] = [a as Record<string, unknown>, b as Record<string, unknown>];
  const keys = Object.keys(after);
  return keys.length === Object.keys(before).length && keys.every((key) => before[key] === after[key]);
}

function topsOf(nodes: HTMLCollection): Map<Element, number> {
  return new Map([...nodes].map((node) => [node, (node as HTMLElement).offsetTop]));
}

function move(order: readonly HTMLElement[], tops: ReadonlyMap<Element, number>): void {
  const moves = order.map((node) => ({ node, by: (tops.get(node) ?? Number.NaN) - node.offsetTop }));
  for (const { node, by } of moves) {
    if (Number.isNaN(by)) node.animate([{ opacity: 0 }, { opacity: 1 }], { duration: 350, easing: "ease-out" });
    else if (by !== 0) {
      const from = { transform: `translateY(${by}px)` };
      node.animate([from, { transform: "none" }], { duration: 280, easing: "cubic-bezier(0.2, 0, 0, 1)" });
    }
  }
}

/** With more rows than this nothing is seen to move: it would cost more than it tells. */
const MOVING_MAX = 60;
