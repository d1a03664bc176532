/** Being connected to Microsoft 365: what was granted against what is needed, what is wrong, and how well presence is known. */

import type { Connection, Link, MicrosoftState, PermissionState } from "../api/admin.ts";
import type { Answer } from "../api/request.ts";
import { problemText } from "../floor/problem.ts";
import type { Tools, View } from "../frame/view.ts";
import { type Child, h } from "../ui/dom.ts";
import { icon } from "../ui/icon.ts";
import { cell, nameCell, row } from "../ui/table.ts";
import { addButton, chip, tags } from "./list.ts";

export class MicrosoftView implements View {
  readonly node = h("div", { class: "stack microsoft" });
  readonly #tools: Tools;
  #timer: number | undefined;

  constructor(tools: Tools) {
    this.#tools = tools;
  }

  enter(): void {
    void this.#load();
    this.#timer = window.setInterval(() => {
      // What is being read or filled in must not move.
      if (!document.hidden && !this.node.contains(document.activeElement)) void this.#load();
    }, LOAD_EVERY_MS);
  }

  leave(): void {
    clearInterval(this.#timer);
  }

  tick(): void {}

  async #load(): Promise<void> {
    const { client, words } = this.#tools;
    const answer = await client.ask<MicrosoftState>("/api/v1/microsoft");
    if (!answer.ok) {
      const isOff = answer.problem.code === "no_microsoft";
      const text = isOff ? words.text("microsoft.off") : problemText(words, answer.problem);
      this.node.replaceChildren(this.#section("microsoft-off", words.text("microsoft.title"), h("p", {}, text)));
      return;
    }
    const { client_id, redirect_uris, connections } = answer.value;
    const app = h(
      "dl",
      { class: "facts" },
      ...fact(words.text("microsoft.client"), h("code", {}, client_id)),
      ...fact(words.text("microsoft.redirects"), ...redirect_uris.map((uri) => h("code", { class: "line" }, uri))),
    );
    const none = connections.length === 0 ? h("p", {}, words.text("microsoft.none")) : undefined;
    this.node.replaceChildren(
      this.#section("microsoft-app", words.text("microsoft.title"), h("p", {}, words.text("microsoft.text")), app, none),
      ...connections.map((connection) => this.#connection(connection)),
    );
  }

  #connection(connection: Connection): HTMLElement {
    const { words, rights } = this.#tools;
    const { id, name, origin, consented_at, faults = [], permissions, beyond = [], accounts = {}, accounts_refused: dead = [] } = connection;
    const missing = permissions.filter(({ standing }) => standing === "missing");
    const isWell = faults.length === 0 && missing.length === 0;
    const state = isWell
      ? chip("free", "available", words.text("microsoft.well"))
      : chip("late", "resting", words.text("microsoft.unwell"));
    const since =
      origin === "configuration" || consented_at === undefined
        ? words.text("microsoft.configured")
        : words.say("microsoft.consented", { at: words.moment(consented_at * 1e6) });
    const wrong = faults.map(({ message, remedy }) => {
      return h("li", {}, icon("resting"), h("span", {}, message), h("span", { class: "below" }, words.say("microsoft.remedy", { remedy })));
    });
    const mayWrite = rights.may("tenant:write");
    const names = Object.entries(accounts).map(([account, called]) => {
      const off = addButton(words.text("microsoft.account.off"), () => void this.#take(`${id}/presence-account/${account}`));
      const refused = dead.includes(account) ? chip("late", "end", words.text("microsoft.account.refused")) : undefined;
      return h("li", {}, called || account, " ", refused, " ", mayWrite ? off : undefined);
    });
    const connect = addButton(words.text("microsoft.account.connect"), () => this.#account(connection));
    const remove = addButton(words.text("microsoft.disconnect"), () => this.#disconnect(connection));
    return this.#section(
      `entra-${id}`,
      name || words.say("microsoft.tenant", { id }),
      h("p", { class: "standing" }, state, " ", h("span", { class: "below" }, ...(name ? [h("code", {}, id), " · "] : []), since)),
      wrong.length > 0 ? h("ul", { class: "faults" }, ...wrong) : undefined,
      h("h3", {}, words.text("microsoft.permissions")),
      this.#permissions(permissions),
      beyond.length > 0 ? h("p", { class: "below" }, words.text("microsoft.beyond"), " ", tags(...beyond)) : undefined,
      h("h3", {}, words.text("microsoft.presence")),
      this.#health(connection),
      h("h3", {}, words.text("microsoft.accounts")),
      h("p", { class: "below" }, words.text("microsoft.accounts.text")),
      names.length > 0 ? h("ul", {}, ...names) : undefined,
      mayWrite ? h("p", { class: "acts" }, connect, origin === "consent" ? remove : undefined) : undefined,
    );
  }

  #permissions(permissions: readonly PermissionState[]): HTMLElement {
    const { words } = this.#tools;
    const head = [words.text("microsoft.permission"), words.text("microsoft.why"), words.text("agents.state")].map((title) => {
      return h("th", { scope: "col", role: "columnheader" }, title);
    });
    const rows = permissions.map(({ name, kind, why, without, standing }) => {
      const isKind = kind === "application" || kind === "delegated";
      const below = h("span", { class: "below" }, isKind ? words.text(`microsoft.kind.${kind}`) : kind);
      const key = `permission.${kind}.${name}`;
      const lost =
        without === undefined || without === null
          ? words.text("microsoft.required")
          : words.say("microsoft.without", { without: words.known(`${key}.without`) ?? without });
      return row(
        nameCell(h("code", { class: "name" }, name), below),
        cell("reason", words.known(key) ?? why, h("span", { class: "below" }, lost)),
        cell("state", this.#standing(standing)),
      );
    });
    return h(
      "table",
      { role: "table", "aria-label": words.text("microsoft.permissions") },
      h("thead", { role: "rowgroup" }, h("tr", { role: "row" }, ...head)),
      h("tbody", { role: "rowgroup" }, ...rows),
    );
  }

  #standing(standing: string): HTMLElement {
    const { words } = this.#tools;
    if (standing === "granted") return chip("free", "available", words.text("microsoft.granted"));
    if (standing === "missing") return chip("late", "end", words.text("microsoft.missing"));
    if (standing === "by_person") return chip("offline", "why", words.text("microsoft.by_person"));
    return chip("offline", "why", words.text("microsoft.unknown"));
  }

  #health({ presence }: Connection): HTMLElement {
    const { words } = this.#tools;
    const { watched, known, stale, age_p50_ms, age_p99_ms, subscriptions, subscriptions_refused: refused } = presence;
    const age = words.say("microsoft.ages", { half: words.duration(age_p50_ms * 1e3), most: words.duration(age_p99_ms * 1e3) });
    const figures: [string, string][] = [
      [words.text("microsoft.watched"), words.say("microsoft.watched.detail", { watched, known, stale })],
      [words.text("microsoft.age"), known === 0 ? "–" : age],
      [words.text("microsoft.subscriptions"), refused ?? words.number(subscriptions)],
      [words.text("microsoft.polls"), words.say("microsoft.polls.detail", { polls: presence.polls, throttled: presence.throttled })],
      [
        words.text("microsoft.notifications"),
        words.say("microsoft.notifications.detail", { good: presence.notifications, bad: presence.notifications_distrusted }),
      ],
    ];
    return h("dl", { class: "facts" }, ...figures.flatMap(([title, text]) => fact(title, text)));
  }

  #account({ id }: Connection): void {
    const { words, client, dialog } = this.#tools;
    dialog.open({
      title: words.text("microsoft.account.connect"),
      text: words.text("microsoft.account.text"),
      submit: words.text("microsoft.account.submit"),
      fields: [],
      carryOut: async () => {
        const answer = await client.command<Link>("POST", `/api/v1/microsoft/${id}/presence-account`);
        if (!answer.ok) return problemText(words, answer.problem);
        dialog.open({
          title: words.text("microsoft.account.connect"),
          text: words.text("microsoft.account.link"),
          submit: words.text("list.noted"),
          fields: [{ kind: "shown", name: "link", label: words.text("list.link"), value: answer.value.url }],
          carryOut: async () => await Promise.resolve(undefined),
        });
        return undefined;
      },
    });
  }

  #disconnect({ id, name }: Connection): void {
    const { words, client, dialog } = this.#tools;
    dialog.open({
      title: words.say("microsoft.disconnect.title", { name: name || id }),
      text: words.text("microsoft.disconnect.text"),
      submit: words.text("microsoft.disconnect.submit"),
      fields: [],
      carryOut: async () => this.#done(await client.command<undefined>("DELETE", `/api/v1/microsoft/${id}`)),
    });
  }

  async #take(path: string): Promise<void> {
    const { words, client, refuse } = this.#tools;
    const wrong = this.#done(await client.command<undefined>("DELETE", `/api/v1/microsoft/${path}`));
    if (wrong !== undefined) refuse(words.say("refused.act", { reason: wrong }));
  }

  #done(answer: Answer<unknown>): string | undefined {
    const { words, say } = this.#tools;
    if (!answer.ok) return problemText(words, answer.problem);
    say(words.text("microsoft.done"));
    void this.#load();
    return undefined;
  }

  #section(id: string, title: string, ...children: Child[]): HTMLElement {
    return h("section", { class: "card", "aria-labelledby": `${id}-title` }, h("h2", { id: `${id}-title` }, title), ...children);
  }
}

function fact(title: string, ...text: Child[]): HTMLElement[] {
  return [h("dt", {}, title), h("dd", {}, ...text)];
}

/** How it goes is asked for this often. */
const LOAD_EVERY_MS = 10_000;
