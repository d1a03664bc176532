/** Finding somebody who knows: by name, department or skill, with whether they are free. */

import type { Found } from "../api/directory.ts";
import { problemText } from "../floor/problem.ts";
import type { Tools, View } from "../frame/view.ts";
import { h, write } from "../ui/dom.ts";
import { personRow } from "./person.ts";

export class ExpertsView implements View {
  readonly node: HTMLElement;
  readonly #tools: Tools;
  readonly #search: HTMLInputElement;
  readonly #department: HTMLInputElement;
  readonly #skill: HTMLInputElement;
  readonly #found = h("ul", { class: "people" });
  readonly #told = h("p", { class: "empty", role: "status" });
  #timer: number | undefined;
  #again: number | undefined;
  /** Which question is the last one: an answer to an earlier one is of no interest. */
  #asked = 0;

  constructor(tools: Tools) {
    const { words } = tools;
    this.#tools = tools;
    this.#search = h("input", { id: "expert-q", type: "search", autocomplete: "off" });
    this.#department = h("input", { id: "expert-department", type: "search", autocomplete: "off" });
    this.#skill = h("input", { id: "expert-skill", type: "search", autocomplete: "off" });
    for (const input of [this.#search, this.#department, this.#skill]) input.addEventListener("input", () => this.#plan());
    const form = h(
      "form",
      { class: "tools filters", role: "search" },
      h("div", { class: "field" }, h("label", { for: "expert-q" }, words.text("experts.find")), this.#search),
      h("div", { class: "field" }, h("label", { for: "expert-department" }, words.text("experts.department")), this.#department),
      h("div", { class: "field" }, h("label", { for: "expert-skill" }, words.text("experts.skill")), this.#skill),
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#ask();
    });
    write(this.#told, words.text("experts.begin"));
    const title = h("h2", { id: "experts-title" }, words.text("experts.title"));
    this.node = h(
      "section",
      { class: "part experts", "aria-labelledby": "experts-title" },
      h("header", {}, title),
      h("p", { class: "about" }, words.text("experts.text")),
      form,
      this.#found,
      this.#told,
    );
  }

  enter(): void {
    this.#search.focus({ preventScroll: true });
    this.#again = window.setInterval(() => {
      if (!document.hidden) void this.#ask();
    }, ASK_AGAIN_MS);
  }

  leave(): void {
    clearTimeout(this.#timer);
    clearInterval(this.#again);
  }

  tick(): void {}

  #plan(): void {
    clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => void this.#ask(), PAUSE_MS);
  }

  async #ask(): Promise<void> {
    const { words, client } = this.#tools;
    this.#asked += 1;
    const asked = this.#asked;
    const query = new URLSearchParams();
    const wanted = { q: this.#search.value, department: this.#department.value, skill: this.#skill.value };
    for (const [name, value] of Object.entries(wanted)) if (value.trim() !== "") query.set(name, value.trim());
    if (query.size === 0) {
      this.#found.replaceChildren();
      write(this.#told, words.text("experts.begin"));
      return;
    }
    query.set("limit", String(SHOWN_MAX));
    const answer = await client.ask<{ people: Found[] }>(`/api/v1/directory?${query}`);
    if (asked !== this.#asked) return;
    const people = answer.ok ? answer.value.people : [];
    this.#found.replaceChildren(...people.map((person) => personRow(words, person)));
    const count = people.length;
    write(this.#told, answer.ok ? words.say("experts.count", { count }) : problemText(words, answer.problem));
  }
}

/** Whoever types is not asked after each letter. */
const PAUSE_MS = 150;

/** Presence goes on while somebody looks: it is asked for anew this often. */
const ASK_AGAIN_MS = 10_000;

/** Shown at most; who looks for one among more types more. */
const SHOWN_MAX = 20;
