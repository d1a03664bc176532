/** The story of one call, beside the page: what it came to, and what happened, in sentences. */

import type { Client, Story } from "../api/client.ts";
import type { AgentId, Fact, FactOf, InteractionId, View } from "../api/center.ts";
import { addressText, callerName, callerNumber } from "../call/caller.ts";
import { type Summary, summarise } from "../call/summary.ts";
import { type Entry, timeline, type Tone } from "../call/timeline.ts";
import { digits, type Words } from "../i18n/words.ts";
import { h, heard, show, write } from "../ui/dom.ts";
import { icon, type IconName, showIcon } from "../ui/icon.ts";
import { type Row, Rows } from "../ui/rows.ts";
import { ExpertsPanel } from "../experts/panel.ts";
import { isWaiting } from "./figures.ts";
import { Player } from "./player.ts";
import { problemText } from "./problem.ts";
import { WhyPanel } from "./why.ts";

export class StoryDialog {
  readonly node: HTMLDialogElement;
  readonly #words: Words;
  readonly #client: Client;
  readonly #refresh: () => void;
  readonly #title = h("h2", { id: "story-title" });
  readonly #below = h("p", { class: "below" });
  readonly #figures = h("dl", { class: "figures" });
  readonly #notice = h("p", { class: "empty" });
  readonly #entries = h("ol", { class: "timeline" });
  readonly #rows: Rows<Entry>;
  readonly #why: WhyPanel;
  readonly #ask: HTMLButtonElement;
  readonly #experts: ExpertsPanel;
  #view: View | undefined;
  #id: InteractionId | undefined;
  #fetched: Story | undefined;
  #failure: string | undefined;

  /** `onClose` is called when the reader closes it, `refresh` when a story has been fetched. */
  constructor(words: Words, client: Client, onClose: () => void, refresh: () => void) {
    this.#words = words;
    this.#client = client;
    this.#refresh = refresh;
    this.#rows = new Rows<Entry>(
      this.#entries,
      ({ number }) => number,
      () => entryRow(words, new Player(words, client), (entry) => this.#explainOffer(entry)),
    );
    this.#why = new WhyPanel(words, client);
    this.#ask = h("button", { type: "button", class: "plain" }, icon("why"), words.text("why.ask"));
    this.#ask.addEventListener("click", () => this.explain());
    this.#experts = new ExpertsPanel(words, client, "story");
    const whom = h("button", { type: "button", class: "plain" }, icon("people"), words.text("ask.open"));
    whom.addEventListener("click", () => this.#id !== undefined && void this.#experts.open(this.#id));
    const close = h("button", { type: "button", class: "close", "aria-label": words.text("story.close") }, icon("end"));
    const head = h("header", {}, h("div", {}, this.#title, this.#below), close);
    const what = h("h3", {}, words.text("story.timeline"));
    const body = h("div", { class: "body", tabindex: 0, role: "region", "aria-labelledby": "story-title" });
    body.append(this.#figures, h("div", { class: "asks" }, this.#ask, whom), this.#why.node, this.#experts.node, what, this.#notice, this.#entries);
    this.node = h("dialog", { class: "story", "aria-labelledby": "story-title" }, head, body);
    close.addEventListener("click", () => this.node.close());
    this.node.addEventListener("click", (event) => {
      if (event.target === this.node) this.node.close();
    });
    this.node.addEventListener("close", () => {
      // The event comes a moment after the closing; another story may be open again by then.
      if (this.#id === undefined || this.node.open) return;
      this.#id = undefined;
      onClose();
    });
  }

  /** Explains why the one waits whose story is open. */
  explain(): void {
    if (this.#id === undefined) return;
    void this.#why.open(this.#id, undefined, this.#words.text("why.title"), (agent) => this.#nameOf(agent));
  }

  /** Opens the story of a call; another one that is open gives way. */
  open(id: InteractionId, view: View): void {
    this.#id = id;
    this.#why.close();
    this.#experts.close();
    this.#fetched = undefined;
    this.#failure = undefined;
    this.#rows.show([]);
    if (!storyIn(view, id)) void this.#fetch(id);
    this.show(view);
    if (!this.node.open) this.node.showModal();
  }

  close(): void {
    this.#id = undefined;
    this.node.close();
  }

  /** Shows what is known by now. */
  show(view: View): void {
    if (this.#id === undefined) return;
    this.#view = view;
    const words = this.#words;
    const call = view.live.interactions[this.#id];
    show(this.#ask, call !== undefined && isWaiting(call));
    const story = storyIn(view, this.#id) ?? this.#fetched;
    const facts = story?.facts ?? [];
    const names = {
      agent: (id: string) => view.live.agents[id]?.name,
      queue: (id: string) => view.live.queues[id]?.name,
    };
    this.#showHead(this.#id, facts);
    this.#rows.show(timeline(words, facts, names));
    const notice = this.#failure ?? (story ? words.text("story.cut") : words.text("story.loading"));
    write(this.#notice, notice);
    show(this.#notice, !story || story.cut);
    show(this.#figures, facts.length > 0);
  }

  #showHead(id: InteractionId, facts: readonly Fact[]): void {
    const words = this.#words;
    const scheduled = facts.find((fact): fact is FactOf<"callback_scheduled"> => fact.kind === "callback_scheduled");
    const arrived = facts.find((fact): fact is FactOf<"arrived"> => fact.kind === "arrived");
    const number = words.say("story.call", { number: String(id) });
    if (scheduled) {
      const customer = { from: scheduled.to, from_name: scheduled.name };
      const below = [callerNumber(words, customer), words.moment(scheduled.at), number];
      write(this.#title, words.say("story.title.callback", { caller: callerName(words, customer) }));
      write(this.#below, below.filter((part) => part !== undefined).join(" · "));
      this.#figures.replaceChildren(...figuresOf(words, facts));
      return;
    }
    if (!arrived) {
      write(this.#title, number);
      write(this.#below, "");
      return;
    }
    const dialled = words.say("story.dialled", { to: addressText(words, arrived.to), line: arrived.line });
    const below = [callerNumber(words, arrived), dialled, words.moment(arrived.at), number];
    write(this.#title, words.say("story.title", { caller: callerName(words, arrived) }));
    write(this.#below, below.filter((part) => part !== undefined).join(" · "));
    this.#figures.replaceChildren(...figuresOf(words, facts));
  }

  #explainOffer({ number, offered }: Entry): void {
    if (this.#id === undefined || offered === undefined) return;
    const title = this.#words.say("why.title.offer", { agent: this.#nameOf(offered) });
    void this.#why.open(this.#id, number, title, (agent) => this.#nameOf(agent));
  }

  #nameOf(agent: AgentId): string {
    return this.#view?.live.agents[agent]?.name ?? agent;
  }

  async #fetch(id: InteractionId): Promise<void> {
    const answer = await this.#client.callStory(id);
    if (id !== this.#id) return;
    if (answer.ok) this.#fetched = answer.value;
    else if (answer.problem.code === "not_found") this.#failure = this.#words.text("story.missing");
    else this.#failure = this.#words.say("story.failed", { detail: problemText(this.#words, answer.problem) });
    this.#refresh();
  }
}

function storyIn(view: View, id: InteractionId): Story | undefined {
  const facts = view.stories[id] ?? view.recent.find(({ interaction }) => interaction === id)?.story;
  return facts && { facts, cut: false };
}

function figuresOf(words: Words, facts: readonly Fact[]): HTMLElement[] {
  const summary: Summary = summarise(facts);
  const closed = facts.find((fact): fact is FactOf<"closed"> => fact.kind === "closed");
  const figures: [string, string | undefined][] = [
    [words.text("story.outcome"), words.text(closed ? `outcome.${closed.outcome}` : "story.open")],
    [words.text("story.wait"), summary.waited === undefined ? undefined : digits(summary.waited)],
    [words.text("story.talk"), summary.talked === undefined ? undefined : digits(summary.talked)],
    [words.text("story.hold"), summary.held === 0 ? undefined : digits(summary.held)],
    [words.text("story.quality"), summary.mos === undefined ? undefined : words.tenths(summary.mos)],
    [words.text("story.agents"), summary.agents.map(({ name }) => name).join(", ") || undefined],
  ];
  return figures
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value)));
}

function entryRow(words: Words, player: Player, explain: (entry: Entry) => void): Row<Entry> {
  const time = h("time");
  const label = heard("");
  const sign = h("span", { class: "sign" });
  const sentence = h("span", { class: "sentence" });
  const detail = h("span", { class: "below" });
  const why = h("button", { type: "button", class: "plain" }, icon("why"), words.text("why.offer"));
  const node = h("li", {}, label, time, sign, h("span", {}, sentence, detail, why, player.node));
  let shown: Entry | undefined;
  why.addEventListener("click", () => {
    if (shown) explain(shown);
  });
  time.setAttribute("aria-hidden", "true");
  return {
    node,
    update(entry) {
      write(time, digits(entry.after));
      time.dateTime = new Date(entry.at / 1000).toISOString();
      time.title = words.moment(entry.at);
      write(label, `${words.say("story.after", { time: words.duration(entry.after) })} `);
      showIcon(sign, SIGNS[entry.tone]);
      node.className = `tone-${entry.tone}`;
      write(sentence, entry.sentence);
      write(detail, entry.detail ?? "");
      shown = entry;
      show(why, entry.offered !== undefined);
      player.show(entry.recording);
    },
  };
}

const SIGNS: Record<Tone, IconName> = {
  plain: "dot",
  good: "available",
  ring: "ringing",
  wait: "waiting",
  bad: "resting",
  end: "end",
};
