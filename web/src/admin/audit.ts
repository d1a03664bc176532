/** The trail: who did what, and what was refused. */

import type { Act, Acts, Key, People } from "../api/admin.ts";
import type { Tools, View } from "../frame/view.ts";
import { h } from "../ui/dom.ts";
import { cell, nameCell } from "../ui/table.ts";
import { chip, List } from "./list.ts";

export class AuditView implements View {
  readonly #tools: Tools;
  readonly #list: List<Act>;
  readonly #act = h("input", { id: "audit-act", type: "search", autocomplete: "off", placeholder: "person." });
  readonly #who = h("input", { id: "audit-who", type: "search", autocomplete: "off", list: "audit-names" });
  readonly #names = h("datalist", { id: "audit-names" });
  readonly #outcome = h("select", { id: "audit-outcome" });
  readonly #from = h("input", { id: "audit-from", type: "datetime-local", step: 60 });
  readonly #to = h("input", { id: "audit-to", type: "datetime-local", step: 60 });
  /** The ids of those who can be asked for, by what they are called in the choice. */
  readonly #ids = new Map<string, string>();
  /** What each of them is called, by id. */
  readonly #called = new Map<string, string>();

  constructor(tools: Tools) {
    const { words } = tools;
    this.#tools = tools;
    const outcomes = [
      ["", "audit.outcome.all"],
      ["done", "audit.outcome.done"],
      ["refused", "audit.outcome.refused"],
      ["unknown", "audit.outcome.unknown"],
      ["refused.not_yours", "audit.outcome.not_yours"],
    ] as const;
    for (const [value, key] of outcomes) this.#outcome.append(h("option", { value }, words.text(key)));
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
      tools: this.#filter(),
      load: async (cursor) => {
        const answer = await tools.client.ask<Acts>(`${tools.base}/audit?${this.#query(cursor)}`);
        if (!answer.ok) return answer;
        for (const { id, name } of answer.value.acts) if (id !== undefined && name !== undefined) this.#know(name, id);
        return { ok: true, value: { items: answer.value.acts, next: answer.value.next } };
      },
    });
  }

  get node(): HTMLElement {
    return this.#list.node;
  }

  enter(): void {
    void this.#list.reload();
    void this.#askNames();
  }

  leave(): void {}

  tick(): void {}

  #filter(): HTMLElement {
    const { words } = this.#tools;
    const filter = h(
      "form",
      { class: "tools filters", role: "search" },
      field(words.text("audit.id"), this.#who),
      field(words.text("audit.act"), this.#act),
      field(words.text("audit.outcome"), this.#outcome),
      field(words.text("audit.from"), this.#from),
      field(words.text("audit.to"), this.#to),
      h("button", { type: "submit", class: "plain" }, words.text("audit.show")),
      this.#names,
    );
    filter.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#list.reload();
    });
    for (const input of [this.#outcome, this.#from, this.#to, this.#who]) {
      input.addEventListener("change", () => void this.#list.reload());
    }
    return filter;
  }

  /** Whom one may want to ask for: people and keys, as far as the reader sees them, and whoever stands in the trail. */
  async #askNames(): Promise<void> {
    const { client, base, rights } = this.#tools;
    if (rights.may("people:read")) {
      const people = await client.ask<People>(`${base}/people?limit=200`);
      if (people.ok) for (const { name, id } of people.value.people) this.#know(name, id);
    }
    if (rights.may("keys:write")) {
      const keys = await client.ask<{ keys: Key[] }>(`${base}/keys`);
      if (keys.ok) for (const { name, id } of keys.value.keys) this.#know(name, id);
    }
  }

  /** Takes somebody into the choice. Several of one name are told apart by their ids. */
  #know(name: string, id: string): void {
    if (this.#called.has(id)) return;
    this.#called.set(id, name);
    const alike = [...this.#called].filter(([, called]) => called === name).map(([other]) => other);
    if (alike.length === 1) this.#offer(name, id);
    else {
      this.#ids.delete(name);
      for (const option of this.#names.querySelectorAll("option")) if (option.value === name) option.remove();
      for (const other of alike) this.#offer(`${name} (${other})`, other);
    }
  }

  #offer(text: string, id: string): void {
    if (!this.#ids.has(text)) this.#names.append(h("option", { value: text }));
    this.#ids.set(text, id);
  }

  #query(cursor: string | undefined): URLSearchParams {
    const query = new URLSearchParams();
    const who = this.#who.value.trim();
    const wanted = {
      act: this.#act.value.trim(),
      who: this.#ids.get(who) ?? who,
      outcome: this.#outcome.value,
      from: momentIn(this.#from),
      to: momentIn(this.#to),
      cursor: cursor ?? "",
    };
    for (const [name, value] of Object.entries(wanted)) if (value !== "") query.set(name, value);
    return query;
  }

  #cells({ act, detail, who, id, name, object, object_name, outcome, code, at }: Act): HTMLTableCellElement[] {
    const { words } = this.#tools;
    const more = Object.entries(detail).map(([called, value]) => `${called}: ${value}`);
    return [
      nameCell(h("code", { class: "name" }, act), h("span", { class: "below" }, more.join(" · "))),
      cell("who", ...this.#named(this.#whoText(who), id, name)),
      cell("object", ...this.#object(object, object_name)),
      cell("state", this.#outcomeChip(outcome, code ?? "")),
      cell("when", words.moment(at)),
    ];
  }

  #outcomeChip(outcome: string, code: string): HTMLElement {
    const { words } = this.#tools;
    if (outcome === "done") return chip("free", "available", words.text("audit.done"));
    if (outcome === "unknown") return chip("away", "break", words.say("audit.unknown", { code }));
    return chip("late", "end", words.say("audit.refused", { code }));
  }

  /** Somebody by name, the id for those who point at it or hear the page; by id where there is no name any more. */
  #named(what: string, id: string | undefined, name: string | undefined): (HTMLElement | string)[] {
    if (id === undefined) return [what];
    if (name === undefined) return [what, h("code", { class: "below" }, id)];
    return [h("span", { title: id }, name, h("span", { class: "heard" }, ` (${id})`)), h("span", { class: "below" }, what)];
  }

  #object(object: string, name: string | undefined): (HTMLElement | string)[] {
    const { words, go, has } = this.#tools;
    const [noun = "", id] = object.split("/");
    const path = noun === "calls" || noun === "interactions" ? "/" : VIEWS[noun];
    const shown = name ?? words.known(`audit.noun.${noun}`) ?? object;
    // The number of a login says nothing to anybody, and its owner stands beside it.
    const below = name !== undefined ? (words.known(`audit.noun.${noun}`) ?? noun) : shown === object || noun === "login" ? "" : (id ?? "");
    const heard = h("span", { class: "heard" }, ` (${object})`);
    const isThere = path !== undefined && has(path);
    const first = isThere ? h("a", { href: path, title: object }, shown, heard) : h("span", { title: object }, shown, heard);
    if (isThere) {
      first.addEventListener("click", (event) => {
        if (event.ctrlKey || event.metaKey || event.shiftKey) return;
        event.preventDefault();
        go(path === "/" && id !== undefined ? `/calls/${id}` : path);
      });
    }
    return [first, h("span", { class: "below" }, below)];
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

function field(label: string, input: HTMLElement): HTMLElement {
  return h("div", { class: "field" }, h("label", { for: input.id }, label), input);
}

/** What is in a field, in microseconds; empty if there is nothing in it. */
function momentIn({ value }: HTMLInputElement): string {
  const at_ms = Date.parse(value);
  return Number.isNaN(at_ms) ? "" : String(at_ms * 1000);
}

/** Where what an act was done to can be looked at. */
const VIEWS: Readonly<Record<string, string>> = {
  person: "/people",
  people: "/people",
  key: "/keys",
  keys: "/keys",
  webhook: "/webhooks",
  webhooks: "/webhooks",
  configuration: "/tenants",
  tenant: "/tenants",
  tenants: "/tenants",
  microsoft: "/microsoft",
};
