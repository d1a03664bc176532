/** The page in its browser: joins the live socket, the clock, the address and the language with what is shown. */

import { Client } from "./api/client.ts";
import type { InteractionId, View } from "./api/center.ts";
import { greeting } from "./api/live.ts";
import { Page } from "./floor/page.ts";
import type { Language } from "./i18n/catalog.ts";
import { firstLanguage, Words } from "./i18n/words.ts";
import { Clock } from "./live/clock.ts";
import { type Connection, Follower, type World } from "./live/follow.ts";
import { Lookup } from "./live/lookup.ts";

export class App {
  readonly #root: HTMLElement;
  readonly #client = new Client();
  readonly #lookup = new Lookup(this.#client, () => this.#plan());
  readonly #clock = new Clock(() => Date.now());
  readonly #follower: Follower;
  #page: Page;
  #view: View | undefined;
  #connection: Connection = "connecting";
  #isPlanned = false;
  #shownAt = 0;
  #spokenAt = 0;
  #spoken = 0;

  constructor(root: HTMLElement) {
    this.#root = root;
    this.#client.token = sessionStorage.getItem(TOKEN) ?? "";
    this.#follower = new Follower(this.#world(), {
      onState: (view, now) => {
        this.#clock.set(now);
        this.#view = view;
        this.#refresh();
      },
      onFacts: (facts) => {
        for (const { at } of facts) this.#clock.notBefore(at);
        if (facts.some(({ kind }) => kind === "configured")) void this.#lookup.ask();
        this.#plan();
      },
      onConnection: (connection) => this.#connectionIs(connection),
    });
    this.#page = this.#newPage(firstLanguage(localStorage.getItem(LANGUAGE), navigator.languages));
  }

  /** Begins to be live, for as long as the page is open. */
  start(): void {
    addEventListener("popstate", () => this.#page.showStory(storyInAddress()));
    addEventListener("online", () => this.#follower.retry());
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) return;
      this.#follower.retry();
      this.#refresh();
    });
    setInterval(() => this.#everySecond(), 1_000);
    setInterval(() => {
      if (!document.hidden && this.#connection === "live") void this.#lookup.ask();
    }, LOOK_UP_EVERY_MS);
    this.#follower.start();
  }

  #newPage(language: Language): Page {
    const region = navigator.languages.find((tag) => tag.split("-")[0] === language) ?? language;
    return new Page(this.#root, new Words(language, region), this.#client, this.#lookup, {
      language: (chosen) => this.#speak(chosen),
      token: (token) => {
        this.#client.token = token;
        sessionStorage.setItem(TOKEN, token);
        this.#follower.start();
      },
      retry: () => this.#follower.retry(),
      story: (id) => this.#openStory(id),
      refresh: () => this.#refresh(),
    });
  }

  #speak(language: Language): void {
    localStorage.setItem(LANGUAGE, language);
    this.#page = this.#newPage(language);
    this.#page.showConnection(this.#connection, this.#view?.at, false);
    this.#refresh();
    this.#page.showStory(storyInAddress());
    document.getElementById("language")?.focus();
  }

  #openStory(id: InteractionId | undefined): void {
    const address = id === undefined ? "/" : `/calls/${id}`;
    if (location.pathname !== address) history.pushState(null, "", address);
    this.#page.showStory(id);
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
    if (!this.#view) return;
    const isFirst = this.#shownAt === 0;
    this.#shownAt = performance.now();
    this.#page.show(this.#view, this.#clock.now());
    if (isFirst) this.#page.showStory(storyInAddress());
  }

  #everySecond(): void {
    if (!document.hidden) this.#page.tick(this.#clock.now());
    const number = this.#view?.live.number ?? 0;
    if (number === this.#spoken || performance.now() < this.#spokenAt + SPEAK_EVERY_MS) return;
    this.#spokenAt = performance.now();
    this.#spoken = number;
    this.#page.speak();
  }

  #connectionIs(connection: Connection): void {
    const wasLost = this.#connection === "lost";
    this.#connection = connection;
    if (connection === "live") void this.#lookup.ask();
    else this.#clock.stop();
    this.#page.showConnection(connection, this.#view && this.#clock.now(), wasLost);
    if (connection === "locked") this.#page.showToken(this.#client.token !== "");
  }

  #world(): World {
    return {
      open: (onMessage, onClose) => {
        const socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/live`);
        const cancelled = new AbortController();
        const { signal } = cancelled;
        socket.addEventListener("open", () => socket.send(greeting(this.#client.token)), { signal });
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

/** Under this name the browser keeps the chosen language. */
const LANGUAGE = "tandem.language";

/** Under this name the tab keeps the access token. */
const TOKEN = "tandem.token";

/** A program that does not say within this time that it is well is not there. */
const PROBE_PATIENCE_MS = 5_000;

/** What is new is shown this often at most. */
const SHOW_EVERY_MS = 250;

/** What the live view does not say is asked for this often. */
const LOOK_UP_EVERY_MS = 10_000;

/** The figures are spoken this often at most, and only when something has happened. */
const SPEAK_EVERY_MS = 30_000;
