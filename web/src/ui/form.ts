/** A dialog that asks for what an act needs: one for all acts of the page. */

import type { Words } from "../i18n/words.ts";
import { h, write } from "./dom.ts";
import { icon } from "./icon.ts";

/** What is asked for. The value of every field is a text; of a box that is ticked it is `yes`. */
export type Field = { name: string; label: string; required?: boolean; value?: string } & (
  | { kind: "text"; max?: number; pattern?: string; hint?: string }
  | { kind: "password"; min?: number; complete: "current-password" | "new-password"; hint?: string }
  /** Something to be copied: it cannot be changed. */
  | { kind: "shown" }
  | { kind: "long"; max?: number }
  | { kind: "time" }
  | { kind: "tick" }
  | { kind: "choice"; choices: readonly { value: string; label: string }[] }
);

/** An act. `carryOut` answers with what went wrong, if something did; the dialog then stays open and says so. */
export type Form = {
  title: string;
  text?: string;
  submit: string;
  fields: readonly Field[];
  carryOut: (values: Readonly<Record<string, string>>) => Promise<string | undefined>;
};

export class FormDialog {
  readonly node: HTMLDialogElement;
  readonly #title = h("h2", { id: "form-title" });
  readonly #text = h("p");
  readonly #fields = h("div", { class: "fields" });
  readonly #wrong = h("p", { class: "wrong", role: "alert" });
  readonly #submit = h("button", { type: "submit", class: "primary" });
  #form: Form | undefined;

  constructor(words: Words) {
    const close = h("button", { type: "button", class: "close", "aria-label": words.text("story.close") }, icon("end"));
    const cancel = h("button", { type: "button", class: "plain" }, words.text("form.cancel"));
    const form = h(
      "form",
      {},
      h("header", {}, this.#title, close),
      this.#text,
      this.#fields,
      this.#wrong,
      h("div", { class: "ends" }, cancel, this.#submit),
    );
    this.node = h("dialog", { class: "form", "aria-labelledby": "form-title" }, form);
    for (const button of [close, cancel]) button.addEventListener("click", () => this.node.close());
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#carryOut(form);
    });
  }

  open(form: Form): void {
    this.#form = form;
    // What opened it may promise that something is asked first; here it is asked.
    write(this.#title, form.title.replace(/…$/, ""));
    write(this.#text, form.text ?? "");
    this.#text.hidden = form.text === undefined;
    write(this.#submit, form.submit);
    write(this.#wrong, "");
    this.#submit.disabled = false;
    this.#fields.replaceChildren(...form.fields.map((field) => fieldNode(field)));
    if (!this.node.open) this.node.showModal();
    this.#fields.querySelector<HTMLElement>("input, select, textarea")?.focus();
  }

  async #carryOut(form: HTMLFormElement): Promise<void> {
    const asked = this.#form;
    if (!asked || this.#submit.disabled) return;
    this.#submit.disabled = true;
    write(this.#wrong, "");
    const secret = new Set(asked.fields.filter(({ kind }) => kind === "password").map(({ name }) => name));
    const values = Object.fromEntries(
      [...new FormData(form)].map(([name, value]) => [name, secret.has(name) ? String(value) : String(value).trim()]),
    );
    const wrong = await asked.carryOut(values);
    // The act may have opened another form, which shows what came of it.
    if (asked !== this.#form) return;
    this.#submit.disabled = false;
    if (wrong !== undefined) write(this.#wrong, wrong);
    else this.node.close();
  }
}

function fieldNode(field: Field): HTMLElement {
  const { name, label, required, value } = field;
  const id = `field-${name}`;
  const input = inputNode(field, { id, name, required });
  if (field.kind === "tick") return h("label", { class: "tick" }, input, label);
  if (value !== undefined && "value" in input) input.value = value;
  const hint = field.kind === "text" || field.kind === "password" ? field.hint : undefined;
  const below = hint === undefined ? undefined : h("span", { class: "below", id: `${id}-hint` }, hint);
  if (below) input.setAttribute("aria-describedby", below.id);
  return h("div", { class: "field" }, h("label", { for: id }, label), input, below);
}

function inputNode(
  field: Field,
  common: { id: string; name: string; required: boolean | undefined },
): HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement {
  switch (field.kind) {
    case "long":
      return h("textarea", { ...common, rows: 3, maxlength: field.max });
    case "password": {
      const { complete, min } = field;
      return h("input", { ...common, type: "password", minlength: min, maxlength: 128, autocomplete: complete });
    }
    case "shown": {
      const input = h("input", { ...common, type: "text", readonly: true, class: "shown-once" });
      input.addEventListener("focus", () => input.select());
      return input;
    }
    case "time":
      return h("input", { ...common, type: "datetime-local", step: 60 });
    case "tick":
      return h("input", { ...common, type: "checkbox", value: "yes", checked: field.value === "yes" });
    case "choice":
      return h("select", common, ...field.choices.map(({ value, label }) => h("option", { value }, label)));
    default:
      return h("input", { ...common, type: "text", maxlength: field.max, pattern: field.pattern, autocomplete: "off" });
  }
}
