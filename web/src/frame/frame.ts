/** The page of somebody who is signed in, in one language: header, ways to the views, notices, and the view that is shown. */

import type { Me, Tenant } from "../api/identity.ts";
import type { Timestamp } from "../api/center.ts";
import type { Language } from "../i18n/catalog.ts";
import type { Words } from "../i18n/words.ts";
import { tick } from "../live/clock.ts";
import type { Connection } from "../live/follow.ts";
import { h, show, write } from "../ui/dom.ts";
import { FormDialog } from "../ui/form.ts";
import { icon } from "../ui/icon.ts";
import { Menu } from "../ui/menu.ts";
import { nameOf, rolesText } from "./person.ts";
import type { Place } from "./places.ts";
import { topBar } from "./top.ts";
import type { View } from "./view.ts";

/** What the reader can ask for that is not a view's business. */
export type Wishes = {
  language(language: Language): void;
  /** Try to be live again now. */
  retry(): void;
  /** Go to a view. */
  go(path: string): void;
  /** Look at another tenant; `undefined` for the installation. */
  tenant(id: string | undefined): void;
  signOut(): void;
};

export type FrameSettings = {
  words: Words;
  me: Me;
  /** The tenants that can be looked at, if there is a choice. */
  tenants: readonly Tenant[];
  tenant: string | undefined;
  places: readonly Place[];
  /** Whether the page follows the center. */
  isLive: boolean;
};

export class Frame {
  readonly menu = new Menu();
  readonly dialog: FormDialog;
  readonly #settings: FrameSettings;
  readonly #live = h("p", { class: "live" });
  readonly #lost = h("span");
  readonly #banner: HTMLElement;
  readonly #refusal = h("span");
  readonly #refusals: HTMLElement;
  readonly #spoken = h("p", { class: "heard", role: "status" });
  readonly #alarm = h("p", { class: "heard", role: "alert" });
  readonly #main: HTMLElement;
  readonly #place = h("div", { class: "view" });
  readonly #where = h("span", { class: "where" });
  readonly #links = new Map<string, HTMLAnchorElement>();
  readonly #root: HTMLElement;

  constructor(root: HTMLElement, settings: FrameSettings, wishes: Wishes) {
    const { words } = settings;
    this.#root = root;
    this.#settings = settings;
    this.dialog = new FormDialog(words);
    this.#banner = this.#makeBanner(wishes);
    this.#refusals = this.#makeRefusals();
    this.#main = h("main", { id: "main", tabindex: -1 }, this.#banner, this.#refusals, this.#place, this.menu.node);
    show(this.#live, settings.isLive);
    const skip = h("a", { class: "skip", href: "#main" }, words.text("product.skip"));
    const choice = this.#makeTenants(wishes);
    const top = topBar(words, this.#where, wishes.language, this.#live, choice, this.#makePerson(wishes));
    const ways = this.#makeWays(wishes);
    root.replaceChildren(skip, top, ...(ways ? [ways] : []), this.#main, this.#spoken, this.#alarm, this.dialog.node);
    document.documentElement.lang = words.language;
  }

  /** Shows a view; `path` is the one of its place. */
  show(view: View, { path, title }: Place): void {
    const { words } = this.#settings;
    this.#place.replaceChildren(view.node);
    write(this.#where, words.text(title));
    for (const [to, link] of this.#links) {
      if (to === path) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    this.#root.removeAttribute("aria-busy");
  }

  /** Puts the focus where what was opened begins. */
  focus(): void {
    this.#main.focus({ preventScroll: true });
  }

  /** Lets the times go on. */
  tick(now: Timestamp): void {
    tick(this.#main, now);
  }

  /** Says something to those who hear the page. */
  say(text: string): void {
    write(this.#spoken, text);
  }

  /** Something was done that was asked for: what went wrong before is of no interest any more. */
  done(text: string): void {
    show(this.#refusals, false);
    this.say(text);
  }

  /** Tells that something that was asked for was not done. */
  refuse(refusal: string): void {
    write(this.#refusal, refusal);
    write(this.#alarm, refusal);
    show(this.#refusals, true);
  }

  /** Shows how the connection stands. `at` is the moment up to which the page is right, if it ever was. */
  showConnection(connection: Connection, at: Timestamp | undefined, wasLost: boolean): void {
    const { words } = this.#settings;
    const isLost = connection === "lost";
    const state = connection === "locked" || connection === "forbidden" ? "connecting" : connection;
    this.#live.dataset["state"] = state;
    write(this.#live, words.text(`live.${state}`));
    const detail =
      at === undefined ? words.text("live.lost.never") : words.say("live.lost.detail", { time: words.time(at) });
    write(this.#lost, isLost ? detail : "");
    show(this.#banner, isLost);
    this.#main.toggleAttribute("data-stale", isLost);
    if (isLost) write(this.#alarm, detail);
    else if (connection === "live" && wasLost) write(this.#alarm, words.text("live.again"));
  }

  #makeWays(wishes: Wishes): HTMLElement | undefined {
    const { words, places } = this.#settings;
    const shown = places.filter(({ isHidden }) => !isHidden);
    if (shown.length < 2) return undefined;
    const items = shown.map(({ path, title, sign }) => {
      const link = h("a", { href: path }, icon(sign), words.text(title));
      this.#links.set(path, link);
      link.addEventListener("click", (event) => {
        if (event.ctrlKey || event.metaKey || event.shiftKey) return;
        event.preventDefault();
        wishes.go(path);
      });
      return h("li", {}, link);
    });
    return h("nav", { class: "ways", "aria-label": words.text("ways.title") }, h("ul", {}, ...items));
  }

  #makeTenants(wishes: Wishes): HTMLElement | undefined {
    const { words, tenants, tenant } = this.#settings;
    if (tenants.length === 0) return undefined;
    const select = h("select", { id: "tenant", "aria-label": words.text("tenant.label") });
    select.append(h("option", { value: "", selected: tenant === undefined }, words.text("tenant.none")));
    for (const { id, name } of tenants) select.append(h("option", { value: id, selected: id === tenant }, name || id));
    select.addEventListener("change", () => wishes.tenant(select.value === "" ? undefined : select.value));
    return h("div", { class: "language tenant" }, select, icon("down"));
  }

  #makePerson(wishes: Wishes): HTMLElement {
    const { words, me } = this.#settings;
    const tenant = me.tenant === undefined ? undefined : me.tenant_name || me.tenant;
    const roles = rolesText(words, me.roles.map(({ role }) => role));
    const below = [roles, tenant].filter(Boolean).join(" · ");
    const name = h("span", { class: "name" }, nameOf(words, me));
    const button = h(
      "button",
      { type: "button", class: "person", "aria-haspopup": "menu" },
      icon("person"),
      h("span", { class: "who" }, name, h("small", { class: "below" }, below)),
      icon("down"),
    );
    button.addEventListener("click", () => {
      const account = { label: words.text("person.account"), sign: "key", act: () => wishes.go("/account") } as const;
      const out = { label: words.text("person.sign_out"), sign: "leave", act: () => wishes.signOut() } as const;
      this.menu.open(words.text("person.title"), me.kind === "person" ? [account, out] : [out], button, [nameOf(words, me), below].filter(Boolean).join(" · "));
    });
    return button;
  }

  #makeBanner(wishes: Wishes): HTMLElement {
    const retry = h("button", { type: "button" }, this.#settings.words.text("live.retry"));
    retry.addEventListener("click", wishes.retry);
    return h("div", { class: "banner", hidden: true }, icon("resting"), this.#lost, retry);
  }

  #makeRefusals(): HTMLElement {
    const label = this.#settings.words.text("story.close");
    const close = h("button", { type: "button", class: "close", "aria-label": label }, icon("end"));
    const refusals = h("div", { class: "banner refusal", hidden: true }, icon("resting"), this.#refusal, close);
    close.addEventListener("click", () => show(refusals, false));
    return refusals;
  }
}
