/** The figures at the top of the page. */

import type { Words } from "../i18n/words.ts";
import { showNoTime, showSince } from "../live/clock.ts";
import { h, show, write } from "../ui/dom.ts";
import { icon } from "../ui/icon.ts";
import type { Levels } from "../live/lookup.ts";
import { type AgentGroup, type Figures, TARGET_US } from "./figures.ts";

export class Glance {
  readonly node: HTMLElement;
  readonly #words: Words;
  readonly #target: string;
  readonly #waiting: Tile;
  readonly #longest: Tile;
  readonly #agents: Tile;
  readonly #answered: Tile;
  readonly #abandoned: Tile;
  readonly #level: Tile;
  readonly #time = h("span");
  readonly #none = h("span", {}, "–");
  readonly #shares = new Map<AgentGroup, HTMLElement>();
  readonly #met = h("span", { class: "share share-met" });
  readonly #missed = h("span", { class: "share share-missed" });

  constructor(words: Words) {
    this.#words = words;
    this.#target = words.duration(TARGET_US);
    this.#waiting = tile("waiting-now", words.text("figures.waiting"));
    this.#longest = tile("longest", words.text("figures.longest"));
    this.#agents = tile("free", words.text("figures.agents"));
    this.#answered = tile("answered", words.text("figures.answered"));
    this.#abandoned = tile("abandoned", words.text("figures.abandoned"));
    this.#level = tile("level", words.text("figures.level"));
    this.#longest.value.append(h("span", { class: "since" }, this.#time, icon("clock")), this.#none);
    for (const group of ["free", "busy", "away", "offline"] as const) {
      this.#shares.set(group, h("span", { class: `share share-${group}` }));
    }
    this.#agents.node.append(h("dd", { class: "bar", "aria-hidden": "true" }, ...this.#shares.values()));
    this.#level.node.append(h("dd", { class: "bar", "aria-hidden": "true" }, this.#met, this.#missed));
    const tiles = [this.#waiting, this.#longest, this.#agents, this.#answered, this.#abandoned, this.#level];
    const title = h("h2", { class: "heard", id: "glance-title" }, words.text("figures.title"));
    const list = h("dl", {}, ...tiles.map(({ node }) => node));
    this.node = h("section", { class: "glance", "aria-labelledby": "glance-title" }, title, list);
  }

  show(figures: Figures, levels: Levels | undefined): void {
    const words = this.#words;
    const { agents } = figures;
    write(this.#waiting.value, words.number(figures.waiting));
    const { queues: count } = figures;
    const where = count === 0 ? words.text("figures.waiting.none") : words.say("figures.waiting.detail", { count });
    write(this.#waiting.detail, where);
    this.#showLongest(figures);
    write(this.#agents.value, words.number(agents.free));
    this.#agents.value.toggleAttribute("data-none", agents.free === 0);
    write(this.#agents.detail, words.say("figures.agents.detail", agents));
    for (const [group, share] of this.#shares) grow(share, agents[group]);
    write(this.#answered.value, words.number(figures.answered));
    write(this.#answered.detail, words.say("figures.answered.detail", { count: figures.entered }));
    this.#showAbandoned(figures);
    this.#showLevel(levels);
  }

  #showLongest({ longestSince }: Figures): void {
    const isWaiting = longestSince !== undefined;
    if (isWaiting) showSince(this.#time, longestSince, TARGET_US);
    else showNoTime(this.#time);
    show(this.#none, !isWaiting);
    this.#time.parentElement?.toggleAttribute("hidden", !isWaiting);
    const detail = isWaiting
      ? this.#words.say("figures.longest.target", { target: this.#target })
      : this.#words.text("figures.longest.none");
    write(this.#longest.detail, detail);
  }

  #showAbandoned({ abandoned, entered }: Figures): void {
    const words = this.#words;
    write(this.#abandoned.value, words.number(abandoned));
    const detail =
      abandoned === 0
        ? words.text("figures.abandoned.none")
        : words.say("figures.abandoned.detail", { share: words.share(abandoned / entered) });
    write(this.#abandoned.detail, detail);
  }

  #showLevel(levels: Levels | undefined): void {
    const words = this.#words;
    const { met, of } = levels?.withoutShort ?? { met: 0, of: 0 };
    write(this.#level.value, of === 0 ? "–" : words.wholeShare(met / of));
    write(this.#level.detail, of === 0 ? words.text("figures.level.none") : this.#levelDetail(of, levels));
    grow(this.#met, met);
    grow(this.#missed, of - met);
  }

  /** What the figure means, and what it is if those count as well who gave up at once. */
  #levelDetail(count: number, levels: Levels | undefined): string {
    const words = this.#words;
    const { met, of } = levels?.ofAll ?? { met: 0, of: 0 };
    const all = of === 0 ? "–" : words.wholeShare(met / of);
    return words.say("figures.level.detail", { count, target: this.#target, all });
  }
}

type Tile = { node: HTMLElement; value: HTMLElement; detail: HTMLElement };

function tile(name: string, title: string): Tile {
  const value = h("dd", { class: "value" });
  const detail = h("dd", { class: "detail" });
  return { node: h("div", { class: `tile ${name}` }, h("dt", {}, title), value, detail), value, detail };
}

/** Gives a part of a bar its share of the length. */
function grow(share: HTMLElement, amount: number): void {
  show(share, amount > 0);
  share.style.setProperty("flex-grow", String(amount));
}
