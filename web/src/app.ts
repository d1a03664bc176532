/** The page in its browser: who is signed in, and with that what is shown; and the language of all of it. */

import { Client } from "./api/client.ts";
import * as door from "./api/door.ts";
import type { Tenant } from "./api/identity.ts";
import type { Problem } from "./api/request.ts";
import { Desk } from "./desk.ts";
import { type Host, hostInAddress, openHost } from "./host/host.ts";
import type { Language } from "./i18n/catalog.ts";
import { firstLanguage, Words } from "./i18n/words.ts";
import { type Ending, Login } from "./login/login.ts";
import { type Occasion, SignInPage } from "./login/page.ts";
import { Tabs } from "./login/tabs.ts";

export class App {
  readonly #root: HTMLElement;
  readonly #tabs = new Tabs();
  readonly #login: Login;
  readonly #client: Client;
  #words: Words;
  #host: Host | undefined;
  #desk: Desk | undefined;
  #signIn: SignInPage | undefined;
  /** Why the host did not sign the reader in. */
  #refusal: Problem | undefined;
  /** Whether it is still being found out who is there. */
  #isBeginning = true;

  constructor(root: HTMLElement) {
    this.#root = root;
    this.#words = this.#wordsOf(firstLanguage(localStorage.getItem(LANGUAGE), navigator.languages));
    this.#login = new Login(
      {
        renew: async () => {
          if (!this.#host) return await door.refresh();
          const answer = await this.#host.signIn();
          this.#refusal = answer.ok ? undefined : answer.problem;
          return answer;
        },
        alone: async (act) => await this.#tabs.alone(act),
        tell: (news) => {
          // Who is signed in by Teams has nothing in common with who is signed in in the browser.
          if (!this.#host) this.#tabs.tell(news);
        },
        after: (ms, act) => {
          const timer = setTimeout(act, ms);
          return () => clearTimeout(timer);
        },
      },
      {
        onToken: (token) => this.#desk?.tokenIs(token),
        onPerson: () => {
          if (!this.#isBeginning) void this.#enter();
        },
        onEnd: (why) => this.#leave(why),
      },
    );
    this.#client = new Client(this.#login);
  }

  /** Begins: finds out who is there, and shows what is theirs. */
  async start(): Promise<void> {
    document.documentElement.lang = this.#words.language;
    this.#tabs.listen((news) => {
      if (!this.#host) this.#login.hear(news);
    });
    if (hostInAddress()) await this.#openHost();
    const occasion = occasionInAddress();
    const key = sessionStorage.getItem(KEY);
    if (key) this.#login.beginWithKey(key);
    const isKnown = key !== null || (occasion === undefined && (await this.#login.resume()));
    this.#isBeginning = false;
    if (isKnown) await this.#enter();
    else await this.#showSignIn(occasion ?? this.#firstOccasion());
  }

  /** What the reader ought to know to begin with: who is refused by Teams itself only needs to be asked. */
  #firstOccasion(): Occasion {
    const problem = this.#refusal;
    return problem && problem.code !== "sso_refused" ? { kind: "failed", problem } : { kind: "methods" };
  }

  async #openHost(): Promise<void> {
    const opened = await openHost({
      onTheme: (theme) => this.#themeIs(theme),
      onLocale: (locale) => {
        if (localStorage.getItem(LANGUAGE) === null) this.#words = this.#wordsOf(firstLanguage(null, [locale]), locale);
      },
    });
    this.#host = opened;
    document.documentElement.lang = this.#words.language;
  }

  #themeIs(theme: string): void {
    document.documentElement.dataset["theme"] = theme;
  }

  /** Shows what belongs to the one who is signed in. */
  async #enter(): Promise<void> {
    const me = await this.#client.me();
    if (!me.ok) {
      // A login that has just ended has told so itself.
      if (this.#login.token !== "" || this.#signIn === undefined) await this.#showSignIn({ kind: "failed", problem: me.problem });
      return;
    }
    let tenants: readonly Tenant[] = [];
    if (me.value.tenant === undefined && me.value.permissions.some(({ permission }) => permission === "tenants:read")) {
      const answer = await this.#client.tenantList();
      if (answer.ok) ({ tenants } = answer.value);
    }
    const tenant = this.#firstTenant(tenants, me.value.kind === "person");
    this.#client.tenant = tenant;
    this.#desk?.stop();
    this.#signIn = undefined;
    this.#desk = new Desk(
      this.#root,
      this.#words,
      {
        client: this.#client,
        me: me.value,
        tenants,
        tenant,
        token: () => this.#login.token,
        renewed: async (than) => await this.#login.renewed(than),
      },
      {
        language: (language) => this.#speak(language),
        tenant: (id) => {
          sessionStorage.setItem(TENANT, id ?? "");
          history.pushState(null, "", "/");
          void this.#enter();
        },
        signOut: () => void this.#signOut(),
      },
    );
    this.#desk.start();
    this.#host?.succeeded();
  }

  /** Which tenant somebody of the installation looks at: the one chosen in this tab, or the only one. */
  #firstTenant(tenants: readonly Tenant[], isPerson: boolean): string | undefined {
    const chosen = sessionStorage.getItem(TENANT);
    const [first] = tenants;
    if (tenants.some(({ id }) => id === chosen)) return chosen ?? undefined;
    // A key is there for a center; a person who runs the installation may be there for all of it.
    return chosen !== "" && (!isPerson || tenants.length === 1) ? first?.id : undefined;
  }

  #leave(why: Ending): void {
    this.#desk?.stop();
    this.#desk = undefined;
    sessionStorage.removeItem(KEY);
    sessionStorage.removeItem(TENANT);
    this.#client.tenant = undefined;
    if (!this.#isBeginning) void this.#showSignIn({ kind: "ended", why });
  }

  async #signOut(): Promise<void> {
    if (!this.#login.isKey) await door.signOut(this.#login.token);
    history.replaceState(null, "", "/");
    this.#login.end("signed_out");
  }

  async #showSignIn(occasion: Occasion): Promise<void> {
    const page = new SignInPage(this.#root, this.#words, occasion, this.#host, {
      language: (language) => this.#speak(language),
      signedIn: (signedIn) => this.#login.begin(signedIn),
      key: (key) => {
        sessionStorage.setItem(KEY, key);
        this.#login.beginWithKey(key);
      },
    });
    this.#signIn = page;
    const isThere = await page.open();
    if (isThere) this.#host?.waits(occasion.kind === "failed" ? occasion.problem.message : occasion.kind);
    else this.#host?.failed("the program does not answer");
  }

  #speak(language: Language): void {
    localStorage.setItem(LANGUAGE, language);
    this.#words = this.#wordsOf(language);
    document.documentElement.lang = language;
    if (this.#desk) this.#desk.speak(this.#words);
    else if (this.#signIn) void this.#showSignIn(this.#signIn.occasion);
    document.getElementById("language")?.focus();
  }

  #wordsOf(language: Language, locale?: string): Words {
    const region = [locale ?? language, ...navigator.languages].find((tag) => tag.split("-")[0] === language && tag.includes("-"));
    return new Words(language, region ?? language);
  }
}

/** What the address asks for besides a view: a first start, or an invitation. The code is taken out of the address. */
function occasionInAddress(): Occasion | undefined {
  const kind = location.pathname === "/setup" ? "setup" : location.pathname === "/invitation" ? "invitation" : undefined;
  if (kind === undefined) return undefined;
  const code = decodeURIComponent(location.hash.slice(1).replace(/^code=/, ""));
  history.replaceState(null, "", "/");
  return { kind, code };
}

/** Under this name the browser keeps the chosen language. */
const LANGUAGE = "tandem.language";

/** Under this name the tab keeps the key of a program that somebody uses instead of signing in. */
const KEY = "tandem.token";

/** Under this name the tab keeps which tenant somebody of the installation looks at. */
const TENANT = "tandem.tenant";
