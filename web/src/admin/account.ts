/** What is one's own: with what one signs in, and where one is signed in. */

import type { Credentials, OpenLogin, Passkey } from "../api/admin.ts";
import type { Answer } from "../api/request.ts";
import { problemText } from "../floor/problem.ts";
import type { Tools, View } from "../frame/view.ts";
import { canUsePasskeys, makePasskey, type Options } from "../login/passkey.ts";
import { h } from "../ui/dom.ts";
import { cell, nameCell } from "../ui/table.ts";
import { deviceText } from "./device.ts";
import { addButton, List } from "./list.ts";

export class AccountView implements View {
  readonly node: HTMLElement;
  readonly #tools: Tools;
  readonly #passkeys: List<Passkey>;
  readonly #logins: List<OpenLogin>;
  #hasPassword = false;

  constructor(tools: Tools) {
    const { words, client, me } = tools;
    this.#tools = tools;
    const password = addButton(words.text("account.password"), () => this.#changePassword());
    const add = addButton(words.text("account.passkey.add"), () => this.#addPasskey());
    const acts = h("span", { class: "acts" }, me.user_name === undefined ? undefined : password, canUsePasskeys() ? add : undefined);
    this.#passkeys = new List<Passkey>(words, {
      id: "passkeys",
      title: words.text("account.passkeys"),
      columns: [
        { title: words.text("form.name") },
        { title: words.text("keys.created") },
        { title: words.text("keys.used") },
        { title: words.text("list.act"), class: "act" },
      ],
      key: ({ id }) => id,
      cells: (passkey) => [
        nameCell(h("span", { class: "name" }, passkey.label)),
        cell("when", words.moment(passkey.created)),
        cell("when", passkey.used === undefined ? words.text("list.never") : words.moment(passkey.used)),
        cell("act", addButton(words.text("account.passkey.remove"), () => this.#removePasskey(passkey))),
      ],
      empty: words.text("account.passkeys.empty"),
      act: acts,
      load: async () => {
        const answer = await client.ask<Credentials>("/api/v1/me/credentials");
        if (!answer.ok) return answer;
        this.#hasPassword = answer.value.password_since !== undefined;
        return { ok: true, value: { items: answer.value.passkeys } };
      },
    });
    this.#logins = new List<OpenLogin>(words, {
      id: "logins",
      title: words.text("account.logins"),
      columns: [
        { title: words.text("account.where") },
        { title: words.text("account.how") },
        { title: words.text("account.since") },
        { title: words.text("keys.used") },
        { title: words.text("list.act"), class: "act" },
      ],
      key: ({ id }) => id,
      cells: (login) => this.#loginCells(login),
      empty: words.text("account.logins.empty"),
      act: addButton(words.text("account.logins.end"), () => void this.#endOthers()),
      load: async () => {
        const answer = await client.ask<{ logins: OpenLogin[] }>("/api/v1/me/logins");
        return answer.ok ? { ok: true, value: { items: answer.value.logins } } : answer;
      },
    });
    this.node = h("div", { class: "stack" }, this.#passkeys.node, this.#logins.node);
  }

  enter(): void {
    void this.#passkeys.reload();
    void this.#logins.reload();
  }

  leave(): void {}

  tick(): void {}

  #loginCells(login: OpenLogin): HTMLTableCellElement[] {
    const { words, client } = this.#tools;
    const end = async (): Promise<void> => {
      this.#done(await client.command<undefined>("DELETE", `/api/v1/me/logins/${login.id}`), words.text("account.login.ended"));
    };
    const here = login.this ? words.text("account.this") : "";
    return [
      nameCell(h("span", { class: "name", title: login.label }, deviceText(words, login.label)), h("span", { class: "below" }, here)),
      cell("how", this.#how(login.how)),
      cell("when", words.moment(login.created)),
      cell("when", words.moment(login.used)),
      cell("act", login.this ? "" : addButton(words.text("account.login.end"), () => void end())),
    ];
  }

  #how(how: string): string {
    const { words } = this.#tools;
    switch (how) {
      case "entra":
      case "teams":
      case "passkey":
      case "password":
      case "setup":
      case "demo":
        return words.text(`how.${how}`);
      default:
        return how;
    }
  }

  #changePassword(): void {
    const { words, client, dialog } = this.#tools;
    const current = { kind: "password", name: "current", label: words.text("account.password.current"), required: true, complete: "current-password" } as const;
    const next = {
      kind: "password",
      name: "password",
      label: words.text("form.password.new"),
      required: true,
      min: 12,
      complete: "new-password",
      hint: words.text("form.password.hint"),
    } as const;
    dialog.open({
      title: words.text("account.password.title"),
      text: words.text("account.password.text"),
      submit: words.text("account.password.submit"),
      fields: this.#hasPassword ? [current, next] : [next],
      carryOut: async ({ current: present, password }) => {
        const body = { password, ...(present !== undefined && { current: present }) };
        return this.#said(await client.command<undefined>("PUT", "/api/v1/me/password", body), words.text("account.password.changed"));
      },
    });
  }

  #addPasskey(): void {
    const { words, client, dialog } = this.#tools;
    dialog.open({
      title: words.text("account.passkey.add"),
      text: words.text("account.passkey.text"),
      submit: words.text("account.passkey.submit"),
      fields: [{ kind: "text", name: "label", label: words.text("account.passkey.label"), required: true, max: 64 }],
      carryOut: async ({ label }) => {
        const asked = await client.command<Options>("POST", "/api/v1/me/passkeys/begin", {});
        if (!asked.ok) return problemText(words, asked.problem);
        const response = await makePasskey(asked.value);
        if (!response) return words.text("account.passkey.not");
        const body = { label, response };
        return this.#said(await client.command<unknown>("POST", "/api/v1/me/passkeys", body), words.text("account.passkey.added"));
      },
    });
  }

  #removePasskey({ id, label }: Passkey): void {
    const { words, client, dialog } = this.#tools;
    dialog.open({
      title: words.say("account.passkey.remove.title", { name: label }),
      submit: words.text("account.passkey.remove"),
      fields: [],
      carryOut: async () => {
        const answer = await client.command<unknown>("DELETE", `/api/v1/me/passkeys/${encodeURIComponent(id)}`);
        return this.#said(answer, words.text("account.passkey.removed"));
      },
    });
  }

  async #endOthers(): Promise<void> {
    const { words, client } = this.#tools;
    this.#done(await client.command<{ ended: number }>("DELETE", "/api/v1/me/logins"), words.text("account.logins.ended"));
  }

  #done(answer: Answer<unknown>, done: string): void {
    const { words, refuse } = this.#tools;
    const wrong = this.#said(answer, done);
    if (wrong !== undefined) refuse(words.say("refused.act", { reason: wrong }));
  }

  #said(answer: Answer<unknown>, done: string): string | undefined {
    if (!answer.ok) return problemText(this.#tools.words, answer.problem);
    this.#tools.say(done);
    this.enter();
    return undefined;
  }
}
