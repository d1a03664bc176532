/** The whole page in one language: header, notices, figures, the four parts, and what opens above them. */

import type { Client } from "../api/client.ts";
import type { InteractionId, Timestamp, View } from "../api/center.ts";
import type { Language } from "../i18n/catalog.ts";
import { isLanguage, LANGUAGES, type Words } from "../i18n/words.ts";
import { tick } from "../live/clock.ts";
import type { Connection } from "../live/follow.ts";
import type { Lookup } from "../live/lookup.ts";
import { h, show, write } from "../ui/dom.ts";
import { icon } from "../ui/icon.ts";
import { logo } from "../ui/logo.ts";
import { FormDialog } from "../ui/form.ts";
import { Menu } from "../ui/menu.ts";
import { AgentsPart } from "./agents.ts";
import { CallsPart } from "./calls.ts";
import type { Context } from "./context.ts";
import { type Figures, figuresOf } from "./figures.ts";
import { Glance } from "./glance.ts";
import { QueuesPart } from "./queues.ts";
import { RecentPart } from "./recent.ts";
import { StoryDialog } from "./story.ts";
import { Supervision } from "./supervision.ts";
import { TokenDialog } from "./token_dialog.ts";
import { WaitingPart } from "./waiting.ts";

/** What the reader can ask for that is not the page's own business. */
export type Wishes = {
  language(language: Language): void;
  token(token: string): void;
  /** Try to be live again now. */
  retry(): void;
  /** The story of a call was opened, or closed again. */
  story(id: InteractionId | undefined): void;
  refresh(): void;
};

export class Page {
  readonly #words: Words;
  readonly #root: HTMLElement;
  readonly #live = h("p", { class: "live" });
  readonly #lost = h("span");
  readonly #banner: HTMLElement;
  readonly #refusal = h("span");
  readonly #refusals: HTMLElement;
  readonly #spoken = h("p", { class: "heard", role: "status" });
  readonly #alarm = h("p", { class: "heard", role: "alert" });
  readonly #main: HTMLElement;
  readonly #glance: Glance;
  readonly #parts: { node: HTMLElement; show(view: View, figures: Figures): void }[];
  readonly #story: StoryDialog;
  readonly #token: TokenDialog;
  #view: View | undefined;
  readonly #lookup: Lookup;
  #figures: Figures | undefined;

  constructor(root: HTMLElement, words: Words, client: Client, lookup: Lookup, wishes: Wishes) {
    this.#root = root;
    this.#words = words;
    this.#lookup = lookup;
    this.#story = new StoryDialog(words, client, () => wishes.story(undefined), wishes.refresh);
    const menu = new Menu();
    const dialog = new FormDialog(words);
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
      say: (text) => {
        show(this.#refusals, false);
        write(this.#spoken, text);
      },
      refuse: (text) => this.#refuse(text),
    });
    this.#token = new TokenDialog(words, wishes.token);
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
    this.#banner = this.#makeBanner(wishes);
    this.#refusals = this.#makeRefusals();
    const parts = h("div", { class: "parts" }, column(waiting, queues), column(calls, recent), column(agents));
    const notices = [this.#banner, this.#refusals];
    this.#main = h("main", { id: "main", tabindex: -1 }, ...notices, this.#glance.node, parts, menu.node);
    const skip = h("a", { class: "skip", href: "#main" }, words.text("product.skip"));
    root.replaceChildren(
      skip,
      this.#makeHeader(wishes),
      this.#main,
      this.#spoken,
      this.#alarm,
      this.#story.node,
      dialog.node,
      this.#token.node,
    );
    document.documentElement.lang = words.language;
  }

  /** Shows the view as it is now. */
  show(view: View, now: Timestamp): void {
    this.#view = view;
    const figures = figuresOf(view);
    this.#figures = figures;
    this.#glance.show(figures, this.#lookup.levels);
    for (const part of this.#parts) part.show(view, figures);
    this.#story.show(view);
    this.#root.removeAttribute("aria-busy");
    this.tick(now);
    document.title = this.#words.say("product.title", { waiting: figures.waiting });
  }

  /** Lets the times go on. */
  tick(now: Timestamp): void {
    tick(this.#main, now);
  }

  /** Opens the story of a call, or closes the one that is open. */
  showStory(id: InteractionId | undefined): void {
    if (id === undefined) this.#story.close();
    else if (this.#view) this.#story.open(id, this.#view);
  }

  /** Shows how the connection stands. `at` is the moment up to which the page is right, if it ever was. */
  showConnection(connection: Connection, at: Timestamp | undefined, wasLost: boolean): void {
    const words = this.#words;
    const isLost = connection === "lost";
    const state = connection === "locked" ? "connecting" : connection;
    this.#live.dataset["state"] = state;
    write(this.#live, words.text(`live.${state}`));
    const detail =
      at === undefined ? words.text("live.lost.never") : words.say("live.lost.detail", { time: words.time(at) });
    write(this.#lost, isLost ? detail : "");
    show(this.#banner, isLost);
    this.#main.toggleAttribute("data-stale", isLost);
    if (isLost) write(this.#alarm, detail);
    else if (connection === "live" && wasLost) write(this.#alarm, words.text("live.again"));
  }

  /** Asks for the token. */
  showToken(isWrong: boolean): void {
    this.#token.open(isWrong);
  }

  /** Says the figures to those who hear the page. */
  speak(): void {
    if (!this.#figures) return;
    const { waiting: count, agents } = this.#figures;
    write(this.#spoken, this.#words.say("summary.spoken", { count, free: agents.free }));
  }

  #makeHeader(wishes: Wishes): HTMLElement {
    const words = this.#words;
    const name = h("h1", {}, logo(), h("span", { class: "product" }, "Tandem"), h("span", { class: "where" }, words.text("product.page")));
    const label = words.text("language.label");
    const select = h("select", { "aria-label": label, id: "language" });
    for (const [language, text] of Object.entries(LANGUAGES)) {
      select.append(h("option", { value: language, lang: language, selected: language === words.language }, text));
    }
    select.addEventListener("change", () => {
      if (isLanguage(select.value)) wishes.language(select.value);
    });
    return h("header", { class: "top" }, name, this.#live, h("div", { class: "language" }, select, icon("down")));
  }

  #makeBanner(wishes: Wishes): HTMLElement {
    const retry = h("button", { type: "button" }, this.#words.text("live.retry"));
    retry.addEventListener("click", wishes.retry);
    return h("div", { class: "banner", hidden: true }, icon("resting"), this.#lost, retry);
  }

  #makeRefusals(): HTMLElement {
    const label = this.#words.text("story.close");
    const close = h("button", { type: "button", class: "close", "aria-label": label }, icon("end"));
    const refusals = h("div", { class: "banner refusal", hidden: true }, icon("resting"), this.#refusal, close);
    close.addEventListener("click", () => show(refusals, false));
    return refusals;
  }

  #refuse(refusal: string): void {
    write(this.#refusal, refusal);
    write(this.#alarm, refusal);
    show(this.#refusals, true);
  }
}

/** Parts that stand below each other where the page is wide enough for columns. */
function column(...parts: { node: HTMLElement }[]): HTMLElement {
  return h("div", { class: "column" }, ...parts.map(({ node }) => node));
}
