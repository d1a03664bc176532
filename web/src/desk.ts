/** Somebody who is signed in: what they may see, the center that they follow, and the address that says what is shown. */

import type { Client } from "./api/client.ts";
import type { Me, Tenant } from "./api/identity.ts";
import type { InteractionId, View as CenterView } from "./api/center.ts";
import { greeting } from "./api/live.ts";
import { AccountView } from "./admin/account.ts";
import { AuditView } from "./admin/audit.ts";
import { KeysView } from "./admin/keys.ts";
import { MicrosoftView } from "./admin/microsoft.ts";
import { PeopleView } from "./admin/people.ts";
import { TenantsView } from "./admin/tenants.ts";
import { WebhooksView } from "./admin/webhooks.ts";
import { ExpertsView } from "./experts/page.ts";
import { FloorView } from "./floor/page.ts";
import { Frame } from "./frame/frame.ts";
import { NoneView } from "./frame/none.ts";
import { type Place, placeAt, placesOf } from "./frame/places.ts";
import type { Tools, View } from "./frame/view.ts";
import type { Language } from "./i18n/catalog.ts";
import type { Words } from "./i18n/words.ts";
import { Clock } from "./live/clock.ts";
import { type Connection, Follower, type World } from "./live/follow.ts";
import { Lookup } from "./live/lookup.ts";
import { Rights } from "./login/rights.ts";
import { WorkView } from "./work/page.ts";

export type DeskSettings = {
  client: Client;
  me: Me;
  /** The tenants of the installation, if the one who is signed in may see them. */
  tenants: readonly Tenant[];
  /** The tenant that is looked at, by somebody of the installation. */
  tenant: string | undefined;
  /** The token that goes with everything now. */
  token: () => string;
  /** The program does not know this token any more: asks for another; true if there is one. */
  renewed: (than: string) => Promise<boolean>;
};

/** What the desk cannot do itself. */
export type DeskWishes = {
  language(language: Language): void;
  tenant(id: string | undefined): void;
  signOut(): void;
};

export class Desk {
  readonly #root: HTMLElement;
  readonly #settings: DeskSettings;
  readonly #wishes: DeskWishes;
  readonly #rights: Rights;
  readonly #places: readonly Place[];
  readonly #lookup: Lookup;
  readonly #clock = new Clock(() => Date.now());
  readonly #follower: Follower | undefined;
  readonly #ended = new AbortController();
  readonly #timers: number[] = [];
  #words: Words;
  #frame: Frame;
  #floor: FloorView | undefined;
  #views = new Map<string, View>();
  #shown: View | undefined;
  #view: CenterView | undefined;
  #socket: WebSocket | undefined;
  #connection: Connection = "connecting";
  #refusals = 0;
  #isPlanned = false;
  #shownAt = 0;
  #spokenAt = 0;
  #spoken = 0;

  constructor(root: HTMLElement, words: Words, settings: DeskSettings, wishes: DeskWishes) {
    const { me, tenant, client } = settings;
    this.#root = root;
    this.#settings = settings;
    this.#wishes = wishes;
    this.#words = words;
    const isInTenant = (tenant ?? me.tenant) !== undefined || me.kind !== "person";
    this.#rights = new Rights(me, tenant);
    this.#places = placesOf(me, this.#rights, isInTenant);
    this.#lookup = new Lookup(client, () => this.#plan());
    if (this.#places.some(({ name }) => name === "floor")) this.#follower = this.#makeFollower();
    this.#frame = this.#build();
  }

  /** Begins, for as long as somebody is signed in. */
  start(): void {
    const { signal } = this.#ended;
    addEventListener("popstate", () => this.#showPlace(), { signal });
    addEventListener("online", () => this.#follower?.retry(), { signal });
    document.addEventListener("visibilitychange", () => this.#seen(), { signal });
    this.#timers.push(
      window.setInterval(() => this.#everySecond(), 1_000),
      window.setInterval(() => {
        if (!document.hidden && this.#connection === "live") void this.#lookup.ask();
      }, LOOK_UP_EVERY_MS),
    );
    this.#follower?.start();
    this.#showPlace();
  }

  /** Ends: nothing of it is left. */
  stop(): void {
    this.#ended.abort();
    for (const timer of this.#timers) clearInterval(timer);
    this.#follower?.stop();
    this.#shown?.leave();
  }

  /** Says everything in another language. */
  speak(words: Words): void {
    this.#words = words;
    this.#shown?.leave();
    this.#shown = undefined;
    this.#frame = this.#build();
    this.#frame.showConnection(this.#connection, this.#view?.at, false);
    this.#refresh();
    this.#showPlace();
  }

  /** There is another token: the program is told, so that it goes on telling. */
  tokenIs(token: string): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(greeting(token, undefined));
  }

  #build(): Frame {
    const { me, tenants, tenant } = this.#settings;
    this.#views.clear();
    this.#floor = undefined;
    return new Frame(
      this.#root,
      { words: this.#words, me, tenants, tenant, places: this.#places, isLive: this.#follower !== undefined },
      {
        language: this.#wishes.language,
        retry: () => this.#follower?.retry(),
        go: (path) => this.#go(path),
        tenant: this.#wishes.tenant,
        signOut: this.#wishes.signOut,
      },
    );
  }

  #makeView({ name }: Place): View {
    const { client, me, tenant } = this.#settings;
    const frame = this.#frame;
    const isInstallation = me.kind === "person" && (tenant ?? me.tenant) === undefined;
    const tools: Tools = {
      words: this.#words,
      client,
      me,
      rights: this.#rights,
      base: isInstallation ? "/api/v1/installation" : "/api/v1",
      menu: frame.menu,
      dialog: frame.dialog,
      go: (path) => this.#go(path),
      has: (path) => this.#places.some((place) => place.path === path),
      say: (text) => frame.done(text),
      refuse: (text) => frame.refuse(text),
    };
    switch (name) {
      case "floor":
        this.#floor = new FloorView(tools, this.#lookup, {
          story: (id) => this.#openStory(id),
          refresh: () => this.#refresh(),
        });
        return this.#floor;
      case "work":
        return new WorkView(tools);
      case "experts":
        return new ExpertsView(tools);
      case "people":
        return new PeopleView(tools);
      case "keys":
        return new KeysView(tools);
      case "webhooks":
        return new WebhooksView(tools);
      case "audit":
        return new AuditView(tools);
      case "microsoft":
        return new MicrosoftView(tools);
      case "tenants":
        return new TenantsView(tools, (id) => this.#wishes.tenant(id));
      case "account":
        return new AccountView(tools);
      case "none":
        return new NoneView(this.#words);
    }
  }

  #go(path: string): void {
    if (location.pathname !== path) history.pushState(null, "", path);
    this.#showPlace();
    this.#frame.focus();
  }

  #showPlace(): void {
    const place = placeAt(this.#places, location.pathname);
    if (!place) return;
    let view = this.#views.get(place.name);
    if (!view) {
      view = this.#makeView(place);
      this.#views.set(place.name, view);
      if (place.name === "floor") this.#refresh();
    }
    if (view !== this.#shown) {
      this.#shown?.leave();
      this.#shown = view;
      this.#frame.show(view, place);
      document.title = `${this.#words.text(place.title)} · Tandem`;
      view.enter();
      view.tick(this.#now());
      if (place.name === "floor" && !this.#view) this.#root.setAttribute("aria-busy", "true");
    }
    this.#floor?.showStory(storyInAddress());
  }

  #openStory(id: InteractionId | undefined): void {
    const address = id === undefined ? "/" : `/calls/${id}`;
    if (location.pathname !== address) history.pushState(null, "", address);
    this.#floor?.showStory(id);
  }

  #seen(): void {
    if (document.hidden) return;
    this.#follower?.retry();
    this.#refresh();
  }

  /** Shows what is new, but no more often than an eye can follow. */
  #plan(): void {
    if (this.#isPlanned) return;
    this.#isPlanned = true;
    const wait = Math.max(0, this.#shownAt + SHOW_EVERY_MS - performance.now());
    setTimeout(() => {
      this.#isPlanned = false;
      if (!document.hidden) this.#refresh();
    }, wait);
  }

  #refresh(): void {
    if (!this.#view || !this.#floor) return;
    const isFirst = this.#shownAt === 0;
    this.#shownAt = performance.now();
    this.#floor.show(this.#view, this.#clock.now());
    this.#root.removeAttribute("aria-busy");
    if (isFirst) this.#floor.showStory(storyInAddress());
  }

  #everySecond(): void {
    if (document.hidden) return;
    const now = this.#now();
    this.#frame.tick(now);
    this.#shown?.tick(now);
    const number = this.#view?.live.number ?? 0;
    if (number === this.#spoken || performance.now() < this.#spokenAt + SPEAK_EVERY_MS) return;
    const spoken = this.#floor?.spoken();
    if (spoken === undefined) return;
    this.#spokenAt = performance.now();
    this.#spoken = number;
    this.#frame.say(spoken);
  }

  /** The program's time: as the live view has it, or else as the answers to requests have it. */
  #now(): number {
    return this.#follower ? this.#clock.now() : this.#settings.client.now();
  }

  #makeFollower(): Follower {
    return new Follower(this.#world(), {
      onState: (view, now) => {
        this.#clock.set(now);
        this.#view = view;
        this.#refusals = 0;
        this.#refresh();
      },
      onFacts: (facts) => {
        for (const { at } of facts) this.#clock.notBefore(at);
        if (facts.some(({ kind }) => kind === "configured")) void this.#lookup.ask();
        this.#plan();
      },
      onConnection: (connection) => this.#connectionIs(connection),
    });
  }

  #connectionIs(connection: Connection): void {
    const wasLost = this.#connection === "lost";
    this.#connection = connection;
    if (connection === "live") void this.#lookup.ask();
    else this.#clock.stop();
    this.#frame.showConnection(connection, this.#view && this.#clock.now(), wasLost);
    if (connection === "locked") void this.#unlock();
    if (connection === "forbidden") this.#frame.refuse(this.#words.text("live.forbidden"));
  }

  /** The program did not know us: another token helps, unless it does not know that one either. */
  async #unlock(): Promise<void> {
    this.#refusals += 1;
    if (this.#refusals > UNKNOWN_MAX) {
      this.#wishes.signOut();
      return;
    }
    if (await this.#settings.renewed(this.#settings.token())) this.#follower?.start();
  }

  #world(): World {
    return {
      open: (onMessage, onClose) => {
        const socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/live`);
        const cancelled = new AbortController();
        const { signal } = cancelled;
        this.#socket = socket;
        const { token, tenant } = this.#settings;
        socket.addEventListener("open", () => socket.send(greeting(token(), tenant)), { signal });
        socket.addEventListener("message", ({ data }) => onMessage(data), { signal });
        socket.addEventListener("close", ({ code }) => onClose(code), { signal });
        return () => {
          cancelled.abort();
          socket.close();
        };
      },
      probe: (answer) => {
        const asked = fetch("/healthz", { cache: "no-store", signal: AbortSignal.timeout(PROBE_PATIENCE_MS) });
        void asked.then(({ ok }) => answer(ok)).catch(() => answer(false));
      },
      random: () => Math.random(),
      after: (ms, act) => {
        const timer = setTimeout(act, ms);
        return () => clearTimeout(timer);
      },
    };
  }
}

/** The call whose story the address asks for. */
function storyInAddress(): InteractionId | undefined {
  const found = /^\/calls\/(\d{1,15})$/.exec(location.pathname);
  return found ? Number(found[1]) : undefined;
}

/** How often in a row the program may not know a token that it gave; then it is time to sign in again. */
const UNKNOWN_MAX = 2;

/** A program that does not say within this time that it is well is not there. */
const PROBE_PATIENCE_MS = 5_000;

/** What is new is shown this often at most. */
const SHOW_EVERY_MS = 250;

/** What the live view does not say is asked for this often. */
const LOOK_UP_EVERY_MS = 10_000;

/** The figures are spoken this often at most, and only when something has happened. */
const SPEAK_EVERY_MS = 30_000;
