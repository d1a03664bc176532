/** The tenants of the installation, for whoever runs it: how large they are, and how they are connected; not their customers. */

import type { InForce, Link } from "../api/admin.ts";
import type { Tenant } from "../api/identity.ts";
import { problemText } from "../floor/problem.ts";
import type { Tools, View } from "../frame/view.ts";
import { h } from "../ui/dom.ts";
import { cell, nameCell } from "../ui/table.ts";
import { addButton, List, moreButton } from "./list.ts";

export class TenantsView implements View {
  readonly #tools: Tools;
  readonly #list: List<Tenant>;
  readonly #onLook: (id: string) => void;

  /** `onLook` is called when somebody wants to look at a tenant. */
  constructor(tools: Tools, onLook: (id: string) => void) {
    const { words, client, rights } = tools;
    this.#tools = tools;
    this.#onLook = onLook;
    this.#list = new List<Tenant>(words, {
      id: "tenants-list",
      title: words.text("tenants.title"),
      text: words.text("tenants.text"),
      columns: [
        { title: words.text("form.name") },
        { title: words.text("agents.title"), class: "figure" },
        { title: words.text("tenants.signed_in"), class: "figure" },
        { title: words.text("queues.title"), class: "figure" },
        { title: words.text("tenants.open"), class: "figure" },
        { title: words.text("list.act"), class: "act" },
      ],
      key: ({ id }) => id,
      cells: (tenant) => this.#cells(tenant),
      empty: words.text("tenants.empty"),
      act: rights.may("tenants:write") ? addButton(words.text("tenants.reload"), () => this.#reload()) : undefined,
      load: async () => {
        const answer = await client.tenantList();
        return answer.ok ? { ok: true, value: { items: answer.value.tenants } } : answer;
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

  #cells(tenant: Tenant): HTMLTableCellElement[] {
    const { words } = this.#tools;
    const name = tenant.name || tenant.id;
    const button = moreButton(words.say("list.act.label", { name }), (place) => this.#open(tenant, name, place));
    const figure = (value: number): HTMLTableCellElement => cell("figure", words.number(value));
    return [
      nameCell(h("span", { class: "name" }, name), h("code", { class: "below" }, tenant.id)),
      figure(tenant.agents),
      figure(tenant.signed_in),
      figure(tenant.queues),
      figure(tenant.open),
      cell("act", button),
    ];
  }

  #open({ id }: Tenant, name: string, place: HTMLElement): void {
    const { words, rights } = this.#tools;
    const look = { label: words.text("tenants.look"), sign: "find", act: () => this.#onLook(id) } as const;
    const connect = { label: words.text("tenants.connect"), sign: "grid", act: () => this.#connect(id, name) } as const;
    const choices = rights.may("tenants:write") ? [look, connect] : [look];
    this.#tools.menu.open(words.say("list.act.label", { name }), choices, place);
  }

  /** What stands in the configuration file by now: further customers first of all. */
  #reload(): void {
    const { words, client, dialog } = this.#tools;
    dialog.open({
      title: words.text("tenants.reload"),
      text: words.text("tenants.reload.text"),
      submit: words.text("tenants.reload.submit"),
      fields: [],
      carryOut: async () => {
        const answer = await client.command<InForce>("POST", "/api/v1/configuration/reload");
        if (!answer.ok) return problemText(words, answer.problem);
        const { tenants_added: added, tenants_changed: changed, trunks_added: trunks, people_changed: people } = answer.value;
        const counts = [
          ["tenants.reload.added", added.length],
          ["tenants.reload.changed", changed.length],
          ["tenants.reload.trunks", trunks.length],
          ["tenants.reload.people", people],
        ] as const;
        const told = counts.filter(([, count]) => count > 0).map(([key, count]) => words.say(key, { count }));
        dialog.open({
          title: words.text("tenants.reload"),
          text: words.say("tenants.reload.done", { what: told.join(", ") || words.text("tenants.reload.nothing") }),
          submit: words.text("tenants.reload.noted"),
          fields: [],
          carryOut: async () => await Promise.resolve(undefined),
        });
        void this.#list.reload();
        return undefined;
      },
    });
  }

  #connect(id: string, name: string): void {
    const { words, client, dialog } = this.#tools;
    dialog.open({
      title: words.say("tenants.connect.title", { name }),
      text: words.text("tenants.connect.text"),
      submit: words.text("tenants.connect.submit"),
      fields: [],
      carryOut: async () => {
        const answer = await client.command<Link>("POST", `/api/v1/tenants/${encodeURIComponent(id)}/onboarding`);
        if (!answer.ok) return problemText(words, answer.problem);
        dialog.open({
          title: words.say("tenants.connect.title", { name }),
          text: words.text("tenants.connected"),
          submit: words.text("list.noted"),
          fields: [{ kind: "shown", name: "link", label: words.text("list.link"), value: answer.value.url }],
          carryOut: async () => await Promise.resolve(undefined),
        });
        return undefined;
      },
    });
  }
}
