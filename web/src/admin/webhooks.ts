/** The programs that are told what happens: whether they take it, what was tried, and telling them again. */

import type { Delivery, Sent, Webhook } from "../api/admin.ts";
import type { Answer } from "../api/request.ts";
import { problemText } from "../floor/problem.ts";
import type { Tools, View } from "../frame/view.ts";
import type { Words } from "../i18n/words.ts";
import { h, show } from "../ui/dom.ts";
import type { Field } from "../ui/form.ts";
import type { Choice } from "../ui/menu.ts";
import { cell, nameCell } from "../ui/table.ts";
import { addButton, chip, List, moreButton, tags } from "./list.ts";

export class WebhooksView implements View {
  readonly node: HTMLElement;
  readonly #tools: Tools;
  readonly #list: List<Webhook>;
  readonly #log = h("div", { class: "log", hidden: true });

  constructor(tools: Tools) {
    const { words, client } = tools;
    this.#tools = tools;
    this.#list = new List<Webhook>(words, {
      id: "webhooks",
      title: words.text("webhooks.title"),
      text: words.text("webhooks.text"),
      columns: [
        { title: words.text("webhooks.url") },
        { title: words.text("webhooks.types") },
        { title: words.text("agents.state"), class: "state" },
        { title: words.text("webhooks.behind"), class: "figure" },
        { title: words.text("list.act"), class: "act" },
      ],
      key: ({ id }) => id,
      cells: (webhook) => this.#cells(webhook),
      empty: words.text("webhooks.empty"),
      act: this.#mayWrite ? addButton(words.text("webhooks.add"), () => this.#add()) : undefined,
      load: async () => {
        const answer = await client.ask<{ webhooks: Webhook[] }>("/api/v1/webhooks");
        return answer.ok ? { ok: true, value: { items: answer.value.webhooks } } : answer;
      },
    });
    this.node = h("div", { class: "stack" }, this.#list.node, this.#log);
  }

  enter(): void {
    void this.#list.reload();
  }

  leave(): void {
    show(this.#log, false);
  }

  tick(): void {}

  get #mayWrite(): boolean {
    return this.#tools.rights.may("webhooks:write");
  }

  #cells(webhook: Webhook): HTMLTableCellElement[] {
    const { words } = this.#tools;
    const { url, description, types, include_personal, cursor, newest } = webhook;
    const name = description || url;
    const personal = include_personal ? words.text("webhooks.personal.yes") : undefined;
    const all = types.length === 0 ? [words.text("webhooks.types.all")] : types;
    const button = moreButton(words.say("list.act.label", { name }), (place) => this.#open(webhook, name, place));
    return [
      nameCell(h("span", { class: "name" }, name), description && h("span", { class: "below" }, url), personal && tags(personal)),
      cell("types", tags(...all)),
      cell("state", stateChip(words, webhook)),
      cell("figure", words.number(Math.max(0, newest - cursor))),
      cell("act", button),
    ];
  }

  #open(webhook: Webhook, name: string, place: HTMLElement): void {
    const { words, menu } = this.#tools;
    const choice = (key: "log" | "test" | "pause" | "resume" | "replay" | "rotate" | "remove", sign: Choice["sign"], act: () => void): Choice => {
      return { label: words.text(`webhooks.${key}`), sign, act };
    };
    const goesOn = webhook.state === "paused" || webhook.state === "disabled";
    const more = [
      choice("test", "play", () => void this.#test(webhook)),
      choice(goesOn ? "resume" : "pause", goesOn ? "available" : "break", () => void this.#pause(webhook, !goesOn)),
      choice("replay", "clock", () => this.#replay(webhook, name)),
      choice("rotate", "key", () => this.#rotate(webhook, name)),
      choice("remove", "end", () => this.#remove(webhook, name)),
    ];
    const choices = [choice("log", "list", () => this.#showLog(webhook, name)), ...(this.#mayWrite ? more : [])];
    menu.open(words.say("list.act.label", { name }), choices, place);
  }

  #add(): void {
    const { words, client, dialog } = this.#tools;
    dialog.open({
      title: words.text("webhooks.add"),
      text: words.text("webhooks.add.text"),
      submit: words.text("webhooks.add.submit"),
      fields: [
        { kind: "text", name: "url", label: words.text("webhooks.url"), required: true, max: 2048, hint: words.text("webhooks.url.hint") },
        { kind: "text", name: "description", label: words.text("webhooks.description"), max: 256 },
        { kind: "text", name: "types", label: words.text("webhooks.types"), hint: words.text("webhooks.types.hint") },
        { kind: "tick", name: "personal", label: words.text("webhooks.personal") },
      ],
      carryOut: async ({ url = "", description = "", types = "", personal }) => {
        const wanted = { url, description, types: types.split(/[\s,]+/).filter(Boolean), include_personal: personal === "yes" };
        const answer = await client.command<{ secret: string }>("POST", "/api/v1/webhooks", wanted);
        return this.#secret(answer, words.text("webhooks.added"));
      },
    });
  }

  #rotate({ id }: Webhook, name: string): void {
    const { words, client, dialog } = this.#tools;
    dialog.open({
      title: words.say("webhooks.rotate.title", { name }),
      text: words.text("webhooks.rotate.text"),
      submit: words.text("webhooks.rotate.submit"),
      fields: [],
      carryOut: async () => {
        const answer = await client.command<{ secret: string }>("POST", `/api/v1/webhooks/${id}/secret`, {});
        return this.#secret(answer, words.text("webhooks.rotated"));
      },
    });
  }

  #replay({ id, state }: Webhook, name: string): void {
    const { words, client, dialog } = this.#tools;
    const since: Field = { kind: "time", name: "since", label: words.text("webhooks.replay.since"), required: true };
    dialog.open({
      title: words.say("webhooks.replay.title", { name }),
      text: words.text("webhooks.replay.text"),
      submit: words.text("webhooks.replay.submit"),
      fields: [since],
      carryOut: async ({ since: from = "" }) => {
        const answer = await client.command<object>("POST", `/api/v1/webhooks/${id}/replay`, { since: Date.parse(from) * 1000 });
        const waits = state === "paused" || state === "disabled";
        return this.#done(answer, words.text(waits ? "webhooks.replayed.later" : "webhooks.replayed"));
      },
    });
  }

  #remove({ id }: Webhook, name: string): void {
    const { words, client, dialog } = this.#tools;
    dialog.open({
      title: words.say("webhooks.remove.title", { name }),
      text: words.text("webhooks.remove.text"),
      submit: words.text("webhooks.remove.submit"),
      fields: [],
      carryOut: async () => {
        show(this.#log, false);
        return this.#done(await client.command<undefined>("DELETE", `/api/v1/webhooks/${id}`), words.text("webhooks.removed"));
      },
    });
  }

  async #test({ id }: Webhook): Promise<void> {
    const { words, client } = this.#tools;
    this.#tell(await client.command<Sent>("POST", `/api/v1/webhooks/${id}/test`), words.text("webhooks.tested"));
  }

  async #pause(webhook: Webhook, paused: boolean): Promise<void> {
    const { words, client } = this.#tools;
    const { id, url, description, types, include_personal } = webhook;
    const wanted = { url, description, types, include_personal, paused };
    const answer = await client.command<Webhook>("PUT", `/api/v1/webhooks/${id}`, wanted);
    const wrong = this.#done(answer, words.text(paused ? "webhooks.paused" : "webhooks.resumed"));
    if (wrong !== undefined) this.#tools.refuse(words.say("refused.act", { reason: wrong }));
  }

  #showLog({ id }: Webhook, name: string): void {
    const { words, client } = this.#tools;
    const list = new List<Delivery>(words, {
      id: "deliveries",
      title: words.say("webhooks.log.title", { name }),
      columns: [
        { title: words.text("webhooks.event") },
        { title: words.text("webhooks.outcome"), class: "state" },
        { title: words.text("webhooks.took"), class: "figure" },
        { title: words.text("audit.when") },
        { title: words.text("list.act"), class: "act" },
      ],
      key: ({ entry }) => String(entry),
      cells: (delivery) => this.#deliveryCells(delivery, () => void this.#resend(id, delivery, list)),
      empty: words.text("webhooks.log.empty"),
      load: async (cursor) => {
        const query = cursor === undefined ? "" : `?cursor=${cursor}`;
        const answer = await client.ask<{ deliveries: Delivery[]; next?: number }>(`/api/v1/webhooks/${id}/deliveries${query}`);
        if (!answer.ok) return answer;
        return { ok: true, value: { items: answer.value.deliveries, next: answer.value.next?.toString() } };
      },
    });
    this.#log.replaceChildren(list.node);
    show(this.#log, true);
    void list.reload();
  }

  #deliveryCells(delivery: Delivery, resend: () => void): HTMLTableCellElement[] {
    const { words } = this.#tools;
    const { number, attempt, at, took_us } = delivery;
    return [
      nameCell(
        h("span", { class: "name" }, words.say("webhooks.event.number", { number: String(number) })),
        h("span", { class: "below" }, words.say("webhooks.attempt", { attempt })),
      ),
      cell("state", outcomeChip(words, delivery)),
      cell("figure", words.duration(took_us)),
      cell("when", words.moment(at)),
      cell("act", this.#mayWrite ? addButton(words.text("webhooks.resend"), resend) : ""),
    ];
  }

  async #resend(id: string, { number }: Delivery, list: List<Delivery>): Promise<void> {
    const { words, client } = this.#tools;
    this.#tell(await client.command<Sent>("POST", `/api/v1/webhooks/${id}/resend`, { number }), words.text("webhooks.resent"));
    await list.reload();
  }

  /** Tells what came of telling a program something once. */
  #tell(answer: Answer<Sent>, done: string): void {
    const { words, say, refuse } = this.#tools;
    if (!answer.ok) refuse(words.say("refused.act", { reason: problemText(words, answer.problem) }));
    else if (answer.value.taken) say(done);
    else refuse(words.say("webhooks.not_taken", { why: whyText(words, answer.value) }));
  }

  /** Shows a secret once, or answers with what went wrong. */
  #secret(answer: Answer<{ secret: string }>, title: string): string | undefined {
    const { words, dialog } = this.#tools;
    const wrong = this.#done(answer, title);
    if (!answer.ok) return wrong;
    dialog.open({
      title,
      text: words.text("list.once"),
      submit: words.text("list.noted"),
      fields: [{ kind: "shown", name: "secret", label: words.text("webhooks.secret"), value: answer.value.secret }],
      carryOut: async () => await Promise.resolve(undefined),
    });
    return undefined;
  }

  #done(answer: Answer<unknown>, done: string): string | undefined {
    if (!answer.ok) return problemText(this.#tools.words, answer.problem);
    this.#tools.say(done);
    void this.#list.reload();
    return undefined;
  }
}

function stateChip(words: Words, { state, attempts = 0, reason }: Webhook): HTMLElement {
  switch (state) {
    case "active":
      return chip("free", "available", words.text("webhooks.state.active"));
    case "failing":
      return chip("late", "resting", words.say("webhooks.state.failing", { count: attempts }));
    case "paused":
      return chip("away", "break", words.text("webhooks.state.paused"));
    default:
      return chip("late", "end", words.say("webhooks.state.disabled", { reason: reasonText(words, reason) }));
  }
}

function outcomeChip(words: Words, delivery: Delivery): HTMLElement {
  if (delivery.taken) return chip("free", "available", words.say("webhooks.taken", { status: String(delivery.status ?? "") }));
  return chip("late", "end", whyText(words, delivery));
}

/** Why nothing came of an attempt. What the network says of itself is not translated. */
function whyText(words: Words, { status, error }: { status?: number; error?: string }): string {
  return error === undefined ? `HTTP ${status ?? "?"}` : words.say("webhooks.no_answer", { error });
}

function reasonText(words: Words, reason = ""): string {
  return words.known(`webhooks.reason.${reason}`) ?? reason;
}
