/** The trail: who did what, and what was refused. */

import type { Act, Acts } from "../api/admin.ts";
import type { Tools, View } from "../frame/view.ts";
import { h } from "../ui/dom.ts";
import { cell, nameCell } from "../ui/table.ts";
import { chip, List } from "./list.ts";

export class AuditView implements View {
  readonly #tools: Tools;
  readonly #list: List<Act>;
  readonly #act: HTMLInputElement;
  readonly #who: HTMLInputElement;
  readonly #outcome: HTMLSelectElement;

  constructor(tools: Tools) {
    const { words } = tools;
    this.#tools = tools;
    this.#act = h("input", { id: "audit-act", type: "search", autocomplete: "off", placeholder: "person." });
    this.#who = h("input", { id: "audit-who", type: "search", autocomplete: "off" });
    const outcomes = [
      ["", "audit.outcome.all"],
      ["done", "audit.outcome.done"],
      ["refused", "audit.outcome.refused"],
      ["refused.not_yours", "audit.outcome.not_yours"],
    ] as const;
    this.#outcome = h("select", { id: "audit-outcome" });
    for (const [value, key] of outcomes) this.#outcome.append(h("option", { value }, words.text(key)));
    const filter = h(
      "form",
      { class: "tools filters", role: "search" },
      h("div", { class: "field" }, h("label", { for: "audit-act" }, words.text("audit.act")), this.#act),
      h("div", { class: "field" }, h("label", { for: "audit-who" }, words.text("audit.id")), this.#who),
      h("div", { class: "field" }, h("label", { for: "audit-outcome" }, words.text("audit.outcome")), this.#outcome),
      h("button", { type: "submit", class: "plain" }, words.text("audit.show")),
    );
    filter.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#list.reload();
    });
    this.#outcome.addEventListener("change", () => void this.#list.reload());
    this.#list = new List<Act>(words, {
      id: "audit",
      title: words.text("audit.title"),
      text: words.text("audit.text"),
      columns: [
        { title: words.text("audit.what") },
        { title: words.text("audit.who") },
        { title: words.text("audit.object") },
        { title: words.text("audit.outcome"), class: "state" },
        { title: words.text("audit.when") },
      ],
      key: ({ number }) => String(number),
      cells: (act) => this.#cells(act),
      empty: words.text("audit.empty"),
      tools: filter,
      load: async (cursor) => {
        const answer = await tools.client.ask<Acts>(`${tools.base}/audit?${this.#query(cursor)}`);
        return answer.ok ? { ok: true, value: { items: answer.value.acts, next: answer.value.next } } : answer;
      },
    });
  }

  get node(): HTMLElement {
    return this.#list.node;
  }

  enter(): void {
    void this.#list.reload();
  }

  leave(): void {}

  tick(): void {}

  #query(cursor: string | undefined): URLSearchParams {
    const query = new URLSearchParams();
    const wanted = { act: this.#act.value.trim(), who: this.#who.value.trim(), outcome: this.#outcome.value, cursor: cursor ?? "" };
    for (const [name, value] of Object.entries(wanted)) if (value !== "") query.set(name, value);
    return query;
  }

  #cells({ act, detail, who, id, object, outcome, code, at }: Act): HTMLTableCellElement[] {
    const { words } = this.#tools;
    const more = Object.entries(detail).map(([name, value]) => `${name}: ${value}`);
    const isDone = outcome === "done";
    const told = isDone ? words.text("audit.done") : words.say("audit.refused", { code: code ?? "" });
    return [
      nameCell(h("code", { class: "name" }, act), h("span", { class: "below" }, more.join(" · "))),
      cell("who", this.#whoText(who), h("code", { class: "below" }, id ?? "")),
      cell("object", h("code", { class: "below" }, object)),
      cell("state", isDone ? chip("free", "available", told) : chip("late", "end", told)),
      cell("when", words.moment(at)),
    ];
  }

  #whoText(who: string): string {
    const { words } = this.#tools;
    switch (who) {
      case "person":
      case "key":
      case "console":
      case "tandem":
      case "unknown":
        return words.text(`who.${who}`);
      default:
        return who;
    }
  }
}
