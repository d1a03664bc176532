/** The bar at the top of every page. */

import type { Language } from "../i18n/catalog.ts";
import { isLanguage, LANGUAGES, type Words } from "../i18n/words.ts";
import { type Child, h } from "../ui/dom.ts";
import { icon } from "../ui/icon.ts";
import { logo } from "../ui/logo.ts";

/** `where` says what page it is; `parts` stand between it and the choice of the language. */
export function topBar(words: Words, where: HTMLElement, onLanguage: (language: Language) => void, ...parts: Child[]): HTMLElement {
  const name = h("h1", {}, logo(), h("span", { class: "product" }, "Tandem"), where);
  return h("header", { class: "top" }, name, ...parts, languageChoice(words, onLanguage));
}

function languageChoice(words: Words, onLanguage: (language: Language) => void): HTMLElement {
  const label = words.text("language.label");
  const select = h("select", { "aria-label": label, id: "language" });
  for (const [language, text] of Object.entries(LANGUAGES)) {
    select.append(h("option", { value: language, lang: language, selected: language === words.language }, text));
  }
  select.addEventListener("change", () => {
    if (isLanguage(select.value)) onLanguage(select.value);
  });
  return h("div", { class: "language" }, select, icon("down"));
}
