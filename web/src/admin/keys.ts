/** The keys of programs: what each is for, what it may do, and whether it is used. */

import type { Key, NewKey } from "../api/admin.ts";
import { problemText } from "../floor/problem.ts";
import type { Tools, View } from "../frame/view.ts";
import { h } from "../ui/dom.ts";
import type { Field } from "../ui/form.ts";
import { cell, nameCell } from "../ui/table.ts";
import { addButton, List, moreButton, tags } from "./list.ts";

export class KeysView implements View {
  readonly #tools: Tools;
  readonly #list: List<Key>;

  constructor(tools: Tools) {
    const { words, client, base } = tools;
    this.#tools = tools;
    this.#list = new List<Key>(words, {
      id: "keys",
      title: words.text("keys.title"),
      text: words.text("keys.text"),
      columns: [
        { title: words.text("keys.name") },
        { title: words.text("keys.scopes") },
        { title: words.text("keys.created") },
        { title: words.text("keys.used") },
        { title: words.text("keys.expires") },
        { title: words.text("list.act"), class: "act" },
      ],
      key: ({ id }) => id,
      cells: (key) => this.#cells(key),
      empty: words.text("keys.empty"),
      act: addButton(words.text("keys.add"), () => this.#add()),
      load: async () => {
        const answer = await client.ask<{ keys: Key[] }>(`${base}/keys`);
        return answer.ok ? { ok: true, value: { items: answer.value.keys } } : answer;
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

  #cells(key: Key): HTMLTableCellElement[] {
    const { words } = this.#tools;
    const at = (moment: number | undefined): string => (moment === undefined ? words.text("list.never") : words.moment(moment));
    const button = moreButton(words.say("list.act.label", { name: key.name }), (place) => {
      const revoke = { label: words.text("keys.revoke"), sign: "end", act: () => this.#revoke(key) } as const;
      this.#tools.menu.open(words.say("list.act.label", { name: key.name }), [revoke], place);
    });
    return [
      nameCell(h("span", { class: "name" }, key.name), h("code", { class: "below" }, key.id)),
      cell("scopes", tags(...key.scopes)),
      cell("when", words.moment(key.created)),
      cell("when", at(key.used)),
      cell("when", at(key.expires)),
      cell("act", button),
    ];
  }

  #add(): void {
    const { words, client, base, dialog, me, say } = this.#tools;
    const own = me.permissions.filter(({ reach }) => reach === "all").map(({ permission }) => permission);
    const scopes = own.map((scope): Field => ({ kind: "tick", name: `scope.${scope}`, label: scope }));
    dialog.open({
      title: words.text("keys.add"),
      text: words.text("keys.add.text"),
      submit: words.text("keys.add.submit"),
      fields: [
        { kind: "text", name: "name", label: words.text("keys.name"), required: true, max: 128 },
        { kind: "time", name: "expires", label: words.text("keys.expires.label") },
        ...scopes,
      ],
      carryOut: async (values) => {
        const { name = "", expires = "" } = values;
        const chosen = Object.keys(values).filter((one) => one.startsWith("scope.")).map((one) => one.slice("scope.".length));
        const wish = { name, scopes: chosen, ...(expires && { expires: Date.parse(expires) * 1000 }) };
        const answer = await client.command<NewKey>("POST", `${base}/keys`, wish);
        if (!answer.ok) return problemText(words, answer.problem);
        say(words.say("keys.added", { name }));
        void this.#list.reload();
        dialog.open({
          title: words.say("keys.added", { name }),
          text: words.text("list.once"),
          submit: words.text("list.noted"),
          fields: [{ kind: "shown", name: "secret", label: words.text("token.label"), value: answer.value.secret }],
          carryOut: async () => await Promise.resolve(undefined),
        });
        return undefined;
      },
    });
  }

  #revoke({ id, name }: Key): void {
    const { words, client, base, dialog, say } = this.#tools;
    dialog.open({
      title: words.say("keys.revoke.title", { name }),
      text: words.text("keys.revoke.text"),
      submit: words.text("keys.revoke.submit"),
      fields: [],
      carryOut: async () => {
        const answer = await client.command<{ id: string }>("DELETE", `${base}/keys/${encodeURIComponent(id)}`);
        if (!answer.ok) return problemText(words, answer.problem);
        say(words.say("keys.revoked", { name }));
        void this.#list.reload();
        return undefined;
      },
    });
  }
}
