/** The program's clock, as far as a page can know it, and the elements that show elapsed time. */

import type { Timestamp } from "../api/center.ts";
import { digits } from "../i18n/words.ts";

/**
 * All elapsed times on the page go by this one clock: once a second it writes those texts that have changed.
 *
 * The program's time is the page's own plus an offset. The program tells its time with the state; a fact can only
 * arrive after it happened, so that one from the future shows that the offset is too small.
 */
export class Clock {
  readonly #now: () => number;
  #offset_us = 0;
  #stoppedAt: Timestamp | undefined;

  /** `now` is the page's own time in milliseconds since 1970. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** The program's time. */
  now(): Timestamp {
    return this.#stoppedAt ?? this.#own() + this.#offset_us;
  }

  /** The program has told its time. */
  set(now: Timestamp): void {
    this.#offset_us = now - this.#own();
    this.#stoppedAt = undefined;
  }

  /** Something has happened at this moment. */
  notBefore(at: Timestamp): void {
    this.#offset_us = Math.max(this.#offset_us, at - this.#own());
  }

  /** Stops: what is shown is no longer live, and its times must not go on. */
  stop(): void {
    this.#stoppedAt ??= this.now();
  }

  #own(): Timestamp {
    return this.#now() * 1000;
  }
}

/** Makes an element show the time since a moment; with `lateAfter_us` it is marked once it shows more. */
export function showSince(element: HTMLElement, since: Timestamp, lateAfter_us?: number): void {
  element.dataset["since"] = String(since);
  delete element.dataset["until"];
  if (lateAfter_us === undefined) onTime(element);
  else element.dataset["lateAfter"] = String(lateAfter_us);
}

/** Makes an element show the time that is left until a moment. */
export function showUntil(element: HTMLElement, until: Timestamp): void {
  element.dataset["until"] = String(until);
  delete element.dataset["since"];
  onTime(element);
}

/** Makes an element show no time any more. */
export function showNoTime(element: HTMLElement): void {
  delete element.dataset["since"];
  delete element.dataset["until"];
  element.textContent = "";
}

/** What is shown cannot be late. */
function onTime(element: HTMLElement): void {
  delete element.dataset["lateAfter"];
  element.parentElement?.toggleAttribute("data-late", false);
}

/** Brings all elements up to date that show a time. */
export function tick(root: ParentNode, now: Timestamp): void {
  for (const element of root.querySelectorAll<HTMLElement>("[data-since], [data-until]")) tickOne(element, now);
}

function tickOne(element: HTMLElement, now: Timestamp): void {
  const { since, until, lateAfter } = element.dataset;
  const shown = since === undefined ? Math.max(0, Number(until) - now) : now - Number(since);
  const text = digits(shown);
  if (element.textContent !== text) element.textContent = text;
  if (lateAfter !== undefined) element.parentElement?.toggleAttribute("data-late", shown > Number(lateAfter));
}
