/** The panel that explains: why somebody waits, or why an agent was rung. */

import type { Client } from "../api/client.ts";
import type { AgentId, InteractionId } from "../api/center.ts";
import { tell } from "../call/explanation.ts";
import type { Words } from "../i18n/words.ts";
import { h } from "../ui/dom.ts";
import { icon } from "../ui/icon.ts";
import { problemText } from "./problem.ts";

export class WhyPanel {
  readonly node: HTMLElement;
  readonly #words: Words;
  readonly #client: Client;
  readonly #body = h("div");
  readonly #title = h("h3", { id: "why-title", tabindex: -1 });
  #asked = 0;

  constructor(words: Words, client: Client) {
    this.#words = words;
    this.#client = client;
    const close = h("button", { type: "button", class: "close", "aria-label": words.text("why.close") }, icon("end"));
    close.addEventListener("click", () => this.close());
    const head = h("header", {}, this.#title, close);
    this.node = h("section", { class: "why", "aria-labelledby": "why-title", hidden: true }, head, this.#body);
  }

  /** Explains the wait of somebody, or the offer that was told by a fact. */
  async open(id: InteractionId, offer: number | undefined, title: string, nameOf: (agent: AgentId) => string): Promise<void> {
    const asked = ++this.#asked;
    const words = this.#words;
    this.#title.textContent = title;
    this.#body.replaceChildren(h("p", { class: "empty" }, words.text("why.loading")));
    this.node.hidden = false;
    this.#title.focus();
    this.node.scrollIntoView({ block: "nearest" });
    const answer = await this.#client.callExplanation(id, offer);
    if (asked !== this.#asked) return;
    if (!answer.ok) {
      const missing = answer.problem.code === "not_found";
      const text = missing ? words.text("why.missing") : problemText(words, answer.problem);
      this.#body.replaceChildren(h("p", { role: "alert" }, text));
      return;
    }
    const told = tell(words, answer.value, nameOf);
    const lists = [
      ...list(words.text("why.eligible"), told.eligible.map(({ name, merit }) => [name, merit])),
      ...list(words.text("why.excluded"), told.excluded.map(({ name, why }) => [name, why])),
    ];
    const at = h("p", { class: "below" }, words.say("why.at", { time: words.moment(answer.value.at) }));
    this.#body.replaceChildren(...told.sentences.map((sentence) => h("p", {}, sentence)), ...lists, at);
  }

  close(): void {
    this.#asked += 1;
    this.node.hidden = true;
    this.#body.replaceChildren();
  }
}

function list(title: string, entries: readonly (readonly [string, string])[]): HTMLElement[] {
  if (entries.length === 0) return [];
  const shown = entries.slice(0, NAMED_MAX).map(([name, why]) => h("div", {}, h("dt", {}, name), h("dd", {}, why)));
  const rest = entries.length - shown.length;
  return [h("h4", {}, title), h("dl", {}, ...shown), ...(rest > 0 ? [h("p", { class: "below" }, `+ ${rest}`)] : [])];
}

/** So many agents are named. */
const NAMED_MAX = 40;
