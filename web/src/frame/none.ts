/** What somebody sees who is signed in and for whom there is nothing to see. */

import type { Words } from "../i18n/words.ts";
import { h } from "../ui/dom.ts";
import type { View } from "./view.ts";

export class NoneView implements View {
  readonly node: HTMLElement;

  constructor(words: Words) {
    const title = h("h2", { id: "none-title" }, words.text("none.title"));
    this.node = h("section", { class: "card", "aria-labelledby": "none-title" }, title, h("p", {}, words.text("none.text")));
  }

  enter(): void {}

  leave(): void {}

  tick(): void {}
}
