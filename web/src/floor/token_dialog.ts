/** Asks for the access token that the program demands. It cannot be closed: without the token there is nothing to see. */

import type { Words } from "../i18n/words.ts";
import { h, write } from "../ui/dom.ts";

export class TokenDialog {
  readonly node: HTMLDialogElement;
  readonly #words: Words;
  readonly #input = h("input", { id: "token", type: "password", autocomplete: "off", required: true });
  readonly #wrong = h("p", { class: "wrong", role: "alert" });

  constructor(words: Words, onToken: (token: string) => void) {
    this.#words = words;
    const form = h(
      "form",
      { method: "dialog" },
      h("h2", { id: "token-title" }, words.text("token.title")),
      h("p", {}, words.text("token.text")),
      h("label", { for: "token" }, words.text("token.label")),
      this.#input,
      this.#wrong,
      h("button", { type: "submit", class: "primary" }, words.text("token.submit")),
    );
    this.node = h("dialog", { class: "token", "aria-labelledby": "token-title" }, form);
    this.node.addEventListener("cancel", (event) => event.preventDefault());
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.node.close();
      onToken(this.#input.value.trim());
    });
  }

  /** `isWrong` if a token was given and not accepted. */
  open(isWrong: boolean): void {
    write(this.#wrong, isWrong ? this.#words.text("token.wrong") : "");
    if (!this.node.open) this.node.showModal();
    this.#input.select();
  }
}
