/** Signing in: all ways that the program offers, and what stood in the way. */

import * as door from "../api/door.ts";
import type { Methods, OneClickPerson, SignedIn } from "../api/door.ts";
import type { Answer, Problem } from "../api/request.ts";
import { deviceText } from "../admin/device.ts";
import { problemText } from "../floor/problem.ts";
import { rolesText } from "../frame/person.ts";
import { topBar } from "../frame/top.ts";
import type { Host } from "../host/host.ts";
import type { Language } from "../i18n/catalog.ts";
import type { Words } from "../i18n/words.ts";
import { type Child, h, show, write } from "../ui/dom.ts";
import { icon } from "../ui/icon.ts";
import type { Ending } from "./login.ts";
import { canUsePasskeys, comeInWithPasskey, signInByOfferedPasskey, signInByPasskey } from "./passkey.ts";

/** Why somebody is asked to sign in, or for what. */
export type Occasion =
  | { kind: "methods" }
  /** Somebody was signed in. */
  | { kind: "ended"; why: Ending }
  /** Somebody is signed in, and cannot be shown anything. */
  | { kind: "failed"; problem: Problem }
  /** The first start of the program. */
  | { kind: "setup"; code: string }
  | { kind: "invitation"; code: string };

export type SignInWishes = {
  language(language: Language): void;
  signedIn(signedIn: SignedIn): void;
  /** Somebody goes in with the key of a program. */
  key(key: string): void;
};

export class SignInPage {
  readonly occasion: Occasion;
  readonly #root: HTMLElement;
  readonly #words: Words;
  readonly #host: Host | undefined;
  readonly #wishes: SignInWishes;
  readonly #said = h("span");
  readonly #notice: HTMLElement;
  readonly #ways = h("div", { class: "cards" });
  #offer = new AbortController();
  #isBusy = false;

  constructor(root: HTMLElement, words: Words, occasion: Occasion, host: Host | undefined, wishes: SignInWishes) {
    this.#root = root;
    this.#words = words;
    this.occasion = occasion;
    this.#host = host;
    this.#wishes = wishes;
    this.#notice = h("div", { class: "banner", role: "alert", hidden: true }, icon("resting"), this.#said);
  }

  /** Asks what there is to sign in with, and shows it; false if the program does not answer. */
  async open(): Promise<boolean> {
    const words = this.#words;
    const isNew = this.occasion.kind === "setup" || this.occasion.kind === "invitation";
    const answer = isNew ? undefined : await door.askMethods();
    if (answer?.ok) {
      this.#ways.replaceChildren(...this.#methods(answer.value));
      if (answer.value.passkey && answer.value.password && canUsePasskeys()) void this.#offerPasskeys();
    }
    else if (answer) {
      this.#ways.replaceChildren(this.#again(), this.#keyCard(true));
      this.#tell(problemText(words, answer.problem));
    } else this.#ways.replaceChildren(this.#firstTime());
    const why = this.#why();
    if (why !== undefined && answer?.ok) this.#tell(why);
    const where = h("span", { class: "where" }, words.text(isNew ? "sign_in.new" : "sign_in.title"));
    const main = h("main", { id: "main", class: "door" }, this.#notice, this.#ways);
    this.#root.replaceChildren(topBar(words, where, this.#wishes.language), main);
    this.#root.removeAttribute("aria-busy");
    document.title = `${words.text("sign_in.title")} · Tandem`;
    if (isNew) main.querySelector("input")?.focus();
    return isNew || answer?.ok === true;
  }

  /** What the one who comes here ought to know. */
  #why(): string | undefined {
    const { occasion } = this;
    const words = this.#words;
    if (occasion.kind === "failed") return problemText(words, occasion.problem);
    if (occasion.kind === "ended" && occasion.why !== "signed_out") return words.text(`sign_in.${occasion.why}`);
    const fault = new URLSearchParams(location.search).get("error");
    return fault === null ? undefined : problemText(words, { code: fault, message: fault, status: 401 });
  }

  #methods(methods: Methods): HTMLElement[] {
    const { one_click: people = [], entra, password, passkey = false, setup } = methods;
    const cards: HTMLElement[] = [];
    if (this.#host) cards.push(this.#teamsCard(this.#host));
    if (people.length > 0) cards.push(this.#people(people));
    const ways: Child[] = [];
    if (entra && !this.#host) ways.push(this.#microsoft());
    if (passkey && canUsePasskeys()) ways.push(this.#passkey());
    if (password) {
      if (ways.length > 0) ways.push(h("p", { class: "or" }, this.#words.text("sign_in.or")));
      ways.push(this.#password(passkey));
    }
    if (setup) ways.push(h("p", { class: "below" }, this.#words.text("sign_in.setup")));
    const title = h("h2", { id: "ways-title" }, this.#words.text(people.length > 0 ? "sign_in.else" : "sign_in.who"));
    if (ways.length > 0) cards.push(h("section", { class: "card", "aria-labelledby": "ways-title" }, title, ...ways));
    cards.push(this.#keyCard(cards.length === 0));
    return cards;
  }

  /** The people of a demo, by tenant. */
  #people(people: readonly OneClickPerson[]): HTMLElement {
    const words = this.#words;
    const tenants = new Map<string, OneClickPerson[]>();
    for (const person of people) {
      const tenant = person.tenant ?? "";
      tenants.set(tenant, [...(tenants.get(tenant) ?? []), person]);
    }
    const groups = [...tenants].map(([tenant, theirs], index) => {
      const id = `tenant-${index}`;
      const name = tenant === "" ? words.text("sign_in.installation") : theirs[0]?.tenant_name || tenant;
      const items = theirs.map((person) => h("li", {}, this.#one(person)));
      return h("section", { "aria-labelledby": id }, h("h3", { id }, name), h("ul", {}, ...items));
    });
    const title = h("h2", { id: "people-title" }, words.text("sign_in.people"));
    const text = h("p", { class: "below" }, words.text("sign_in.people.text"));
    return h(
      "section",
      { class: "card clicks", "aria-labelledby": "people-title" },
      title,
      text,
      h("div", { class: "tenants" }, ...groups),
    );
  }

  #one({ user_name, name, roles }: OneClickPerson): HTMLElement {
    const what = h("span", { class: "below" }, rolesText(this.#words, roles));
    const initials = h("span", { class: "initials", "aria-hidden": "true" }, initialsOf(name));
    const button = h("button", { type: "button", class: "one" }, initials, h("span", {}, h("span", { class: "name" }, name), " ", what));
    button.addEventListener("click", () => void this.#enter(() => door.signInByClick(user_name)));
    return button;
  }

  #microsoft(): HTMLElement {
    return h(
      "a",
      { class: "wide", href: door.entraAddress(location.pathname) },
      icon("grid"),
      this.#words.text("sign_in.microsoft"),
    );
  }

  #passkey(): HTMLElement {
    const button = h("button", { type: "button", class: "wide" }, icon("key"), this.#words.text("sign_in.passkey"));
    button.addEventListener("click", () => void this.#enter(() => signInByPasskey()));
    return button;
  }

  #password(hasPasskeys: boolean): HTMLElement {
    const words = this.#words;
    const complete = hasPasskeys ? "username webauthn" : "username";
    const [name, nameField] = input("user-name", words.text("form.user_name"), { autocomplete: complete, autocapitalize: "none" });
    const [password, passwordField] = input("password", words.text("form.password"), {
      type: "password",
      autocomplete: "current-password",
    });
    return this.#form([nameField, passwordField], words.text("sign_in.submit"), () => {
      return door.signInByPassword(name.value.trim(), password.value);
    });
  }

  /** A first start, or an invitation: somebody says how they will sign in from now on. */
  #firstTime(): HTMLElement {
    const words = this.#words;
    const { occasion } = this;
    const isSetup = occasion.kind === "setup";
    const code = isSetup || occasion.kind === "invitation" ? occasion.code : "";
    const [codeInput, codeField] = input("code", words.text("form.code.setup"), { autocomplete: "off" });
    codeInput.value = code;
    const [name, nameField] = input("name", words.text("form.name"), { autocomplete: "name", maxlength: 128 });
    const [userName, userField] = input("user-name", words.text("form.user_name"), { autocomplete: "username", autocapitalize: "none" });
    const [password, passwordField] = input("password", words.text("form.password.new"), {
      type: "password",
      autocomplete: "new-password",
      minlength: 12,
      maxlength: 128,
    });
    const hint = h("span", { class: "below", id: "password-hint" }, words.text("form.password.hint"));
    password.setAttribute("aria-describedby", "password-hint");
    passwordField.append(hint);
    const fields = [
      ...(code === "" ? [codeField] : []),
      ...(isSetup ? [nameField, userField] : []),
      passwordField,
    ];
    const wanted = (): { code: string; name?: string; user_name?: string } => {
      const given = { code: codeInput.value.trim() };
      return isSetup ? { ...given, name: name.value.trim(), user_name: userName.value.trim() } : given;
    };
    const form = this.#form(fields, words.text(isSetup ? "setup.submit" : "invitation.submit"), () => {
      return door.comeIn(isSetup ? "setup" : "invitation", { ...wanted(), password: password.value });
    });
    const others = [codeInput, ...(isSetup ? [name, userName] : [])];
    if (canUsePasskeys()) passwordField.before(...this.#firstPasskey(others, isSetup ? "setup" : "invitation", wanted));
    const title = h("h2", { id: "first-title" }, words.text(isSetup ? "setup.title" : "invitation.title"));
    const text = h("p", {}, words.text(isSetup ? "setup.text" : "invitation.text"));
    return h("section", { class: "card", "aria-labelledby": "first-title" }, title, text, form);
  }

  /** The offer of a passkey instead of a password, for which the other fields must be right. */
  #firstPasskey(
    others: readonly HTMLInputElement[],
    kind: "setup" | "invitation",
    wanted: () => { code: string; name?: string; user_name?: string },
  ): HTMLElement[] {
    const words = this.#words;
    const button = h("button", { type: "button", class: "wide" }, icon("key"), words.text("sign_in.passkey.make"));
    button.addEventListener("click", () => {
      // A field that does not stand in the page is right: the link has filled it in.
      if (others.some((field) => field.isConnected && !field.reportValidity())) return;
      void this.#enter(() => comeInWithPasskey(kind, wanted(), deviceText(words, navigator.userAgent)));
    });
    const text = h("p", { class: "below" }, words.text("sign_in.passkey.text"));
    return [button, text, h("p", { class: "or" }, words.text("sign_in.or.password"))];
  }

  #teamsCard(host: Host): HTMLElement {
    const words = this.#words;
    const button = h("button", { type: "button", class: "wide" }, icon("grid"), words.text("sign_in.teams"));
    button.addEventListener("click", () => void this.#enter(() => host.signInAsking()));
    const out = h("a", { class: "plain", href: "/", target: "_blank", rel: "noopener" }, words.text("sign_in.browser"));
    const title = h("h2", { id: "teams-title" }, words.text("sign_in.teams.title"));
    const text = h("p", {}, words.text("sign_in.teams.text"));
    return h("section", { class: "card", "aria-labelledby": "teams-title" }, title, text, button, out);
  }

  /** For sites without people yet: the key of a program. */
  #keyCard(isOpen: boolean): HTMLElement {
    const words = this.#words;
    const [key, field] = input("token", words.text("token.label"), { type: "password", autocomplete: "off" });
    const form = h("form", {}, h("p", { class: "below" }, words.text("token.text")), field, submit(words.text("token.submit")));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#wishes.key(key.value.trim());
    });
    return h("details", { class: "card key", open: isOpen }, h("summary", {}, words.text("token.title")), form);
  }

  #again(): HTMLElement {
    const button = h("button", { type: "button", class: "wide" }, this.#words.text("live.retry"));
    button.addEventListener("click", () => location.reload());
    return h("section", { class: "card" }, button);
  }

  #form(fields: readonly HTMLElement[], text: string, act: () => Promise<Answer<SignedIn>>): HTMLElement {
    const form = h("form", {}, ...fields, submit(text));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#enter(act);
    });
    return form;
  }

  /** Lets the browser offer passkeys in the field of the user name, until somebody signs in another way. */
  async #offerPasskeys(): Promise<void> {
    this.#offer.abort();
    this.#offer = new AbortController();
    const answer = await signInByOfferedPasskey(this.#offer.signal);
    if (answer) await this.#enter(async () => await Promise.resolve(answer));
  }

  async #enter(act: () => Promise<Answer<SignedIn>>): Promise<void> {
    if (this.#isBusy) return;
    this.#isBusy = true;
    // The browser asks for one passkey at a time.
    this.#offer.abort();
    this.#root.setAttribute("aria-busy", "true");
    show(this.#notice, false);
    const answer = await act();
    this.#isBusy = false;
    this.#root.removeAttribute("aria-busy");
    if (answer.ok) this.#wishes.signedIn(answer.value);
    else {
      this.#tell(problemText(this.#words, answer.problem));
      if (this.#ways.querySelector('[autocomplete~="webauthn"]')) void this.#offerPasskeys();
    }
  }

  #tell(text: string): void {
    write(this.#said, text);
    show(this.#notice, true);
  }
}

type Attributes = Record<string, string | number>;

function input(id: string, label: string, attributes: Attributes): [HTMLInputElement, HTMLElement] {
  const field = h("input", { id, name: id, type: "text", required: true, ...attributes });
  return [field, h("div", { class: "field" }, h("label", { for: id }, label), field)];
}

function submit(text: string): HTMLElement {
  return h("button", { type: "submit", class: "primary" }, text);
}

function initialsOf(name: string): string {
  const parts = name.split(" ").filter(Boolean);
  return [parts.at(0), parts.length > 1 ? parts.at(-1) : undefined].map((part) => part?.charAt(0) ?? "").join("");
}
