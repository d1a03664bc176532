/** The floor: figures, the five parts, and what opens above them. */

import type { InteractionId, Timestamp, View as CenterView } from "../api/center.ts";
import type { Tools, View } from "../frame/view.ts";
import { tick } from "../live/clock.ts";
import type { Lookup } from "../live/lookup.ts";
import { h } from "../ui/dom.ts";
import { AgentsPart } from "./agents.ts";
import { CallsPart } from "./calls.ts";
import type { Context } from "./context.ts";
import { type Figures, figuresOf } from "./figures.ts";
import { Glance } from "./glance.ts";
import { QueuesPart } from "./queues.ts";
import { RecentPart } from "./recent.ts";
import { StoryDialog } from "./story.ts";
import { Supervision } from "./supervision.ts";
import { WaitingPart } from "./waiting.ts";

/** What the reader can ask for that is not the floor's own business. */
export type FloorWishes = {
  /** The story of a call was opened, or closed again. */
  story(id: InteractionId | undefined): void;
  refresh(): void;
};

export class FloorView implements View {
  readonly node: HTMLElement;
  readonly #tools: Tools;
  readonly #lookup: Lookup;
  readonly #glance: Glance;
  readonly #parts: { node: HTMLElement; show(view: CenterView, figures: Figures): void }[];
  readonly #story: StoryDialog;
  #view: CenterView | undefined;
  #figures: Figures | undefined;
  #isHere = false;

  constructor(tools: Tools, lookup: Lookup, wishes: FloorWishes) {
    const { words, client, menu, dialog, say, refuse } = tools;
    this.#tools = tools;
    this.#lookup = lookup;
    this.#story = new StoryDialog(words, client, () => wishes.story(undefined), wishes.refresh);
    const supervision = new Supervision({
      words,
      client,
      lookup,
      menu,
      dialog,
      view: () => this.#view,
      explain: (id) => {
        wishes.story(id);
        this.#story.explain();
      },
      say,
      refuse,
    });
    this.#glance = new Glance(words);
    const context: Context = {
      words,
      lookup,
      nameOfAgent: (agent) => this.#view?.live.agents[agent]?.name ?? agent,
      openStory: wishes.story,
      openAgent: (id, button) => supervision.openAgent(id, button),
      openCall: (id, button) => supervision.openCall(id, button),
      switchQueue: (id) => supervision.switchQueue(id),
      callBack: () => supervision.callBack(),
      refresh: wishes.refresh,
    };
    const [waiting, queues, calls] = [new WaitingPart(context), new QueuesPart(context), new CallsPart(context)];
    const [recent, agents] = [new RecentPart(context), new AgentsPart(context)];
    this.#parts = [waiting, queues, calls, recent, agents];
    const parts = h("div", { class: "parts" }, column(waiting, queues), column(calls, recent), column(agents));
    this.node = h("div", { class: "floor" }, this.#glance.node, parts, this.#story.node);
  }

  enter(): void {
    this.#isHere = true;
    this.#entitle();
  }

  leave(): void {
    this.#isHere = false;
    this.#story.close();
  }

  /** Shows the center as it is now. */
  show(view: CenterView, now: Timestamp): void {
    this.#view = view;
    const figures = figuresOf(view);
    this.#figures = figures;
    this.#glance.show(figures, this.#lookup.levels);
    for (const part of this.#parts) part.show(view, figures);
    this.#story.show(view);
    tick(this.node, now);
    this.#entitle();
  }

  /** The times go on with those of the whole page. */
  tick(): void {}

  /** Opens the story of a call, or closes the one that is open. */
  showStory(id: InteractionId | undefined): void {
    if (id === undefined) this.#story.close();
    else if (this.#view) this.#story.open(id, this.#view);
  }

  /** The figures, for those who hear the page. */
  spoken(): string | undefined {
    if (!this.#figures || !this.#isHere) return undefined;
    const { waiting: count, agents } = this.#figures;
    return this.#tools.words.say("summary.spoken", { count, free: agents.free });
  }

  #entitle(): void {
    if (!this.#isHere || !this.#figures) return;
    document.title = this.#tools.words.say("product.title", { waiting: this.#figures.waiting });
  }
}

/** Parts that stand below each other where the page is wide enough for columns. */
function column(...parts: { node: HTMLElement }[]): HTMLElement {
  return h("div", { class: "column" }, ...parts.map(({ node }) => node));
}
