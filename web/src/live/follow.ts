/**
 * Following the center: one web socket that tells the state at a number and then every fact after it.
 *
 * A fact that is not the next one means that something was missed: the socket is closed and the state asked for anew.
 * What is lost is tried again, soon at first, then more and more slowly. A socket that is silent for long may be dead
 * without anybody having told us (the page never sees the program's pings): then the program is asked whether it is there.
 */

import { FORBIDDEN, readMessage, UNAUTHORIZED } from "../api/live.ts";
import type { Fact, Timestamp, View } from "../api/center.ts";
import { applyFact } from "./fold.ts";

/**
 * How the connection stands. `lost` until the next state has come, however often it was tried meanwhile; `locked` when
 * the program demands another token, and `forbidden` when it lets nobody of this token follow: nothing is tried then until
 * {@link Follower.start} is called.
 */
export type Connection = "connecting" | "live" | "lost" | "locked" | "forbidden";

/** What the one who follows is told. */
export type Told = {
  /** The state begins anew: at the start, and after everything that was missed. `now` is the program's time. */
  onState(view: View, now: Timestamp): void;
  /** These facts were taken in, in order. */
  onFacts(facts: readonly Fact[]): void;
  onConnection(connection: Connection): void;
};

/** What following needs of the world; handed in, so that a test can be the world. */
export type World = {
  /** Opens a web socket. Once cancelled, it is closed and says nothing more. */
  open(onMessage: (data: unknown) => void, onClose: (code: number) => void): Cancel;
  /** Asks whether the program is there at all. */
  probe(answer: (isThere: boolean) => void): void;
  /** A number from 0 up to 1. */
  random(): number;
  after(ms: number, act: () => void): Cancel;
};

export type Cancel = () => void;

export class Follower {
  readonly #world: World;
  readonly #told: Told;
  /** Closes the socket that is open or being opened. */
  #close: Cancel | undefined;
  #view: View | undefined;
  #connection: Connection = "connecting";
  /** Attempts since it was last live. */
  #attempts = 0;
  /** What is due when nothing is heard: giving up, asking, or trying again. */
  #waiting: Cancel | undefined;

  constructor(world: World, told: Told) {
    this.#world = world;
    this.#told = told;
  }

  get connection(): Connection {
    return this.#connection;
  }

  /** Begins to follow. Called again, it starts over at once, whatever it was waiting for. */
  start(): void {
    this.stop();
    this.#attempts = 0;
    if (this.#connection === "locked" || this.#connection === "forbidden") this.#connectionIs("connecting");
    this.#open();
  }

  /** Tries now instead of later. Does nothing while it is live or trying. */
  retry(): void {
    if (this.#waiting && !this.#close) this.start();
  }

  /** Stops for good. */
  stop(): void {
    this.#waiting?.();
    this.#waiting = undefined;
    this.#drop();
  }

  #open(): void {
    this.#view = undefined;
    this.#close = this.#world.open(
      (data) => this.#receive(data),
      (code) => this.#closed(code),
    );
    this.#waiting = this.#world.after(STATE_WAIT_MS, () => this.#lost());
  }

  #receive(data: unknown): void {
    const message = readMessage(data);
    if (message?.type === "state") this.#begin(message.state, message.now);
    else if (!message || !this.#view || !this.#take(this.#view, message.facts)) this.#lost();
  }

  #begin(view: View, now: Timestamp): void {
    this.#heard();
    this.#view = view;
    this.#told.onState(view, now);
    this.#connectionIs("live");
  }

  /** Takes in facts; false if they do not follow on what is known. */
  #take(view: View, facts: readonly Fact[]): boolean {
    this.#heard();
    const fresh: Fact[] = [];
    for (const fact of facts) {
      if (fact.number > view.live.number + 1) return false;
      if (fact.number <= view.live.number) continue;
      applyFact(view, fact);
      fresh.push(fact);
    }
    // Only what carries on proves that the next attempt may be made quickly again.
    this.#attempts = 0;
    if (fresh.length > 0) this.#told.onFacts(fresh);
    return true;
  }

  #heard(): void {
    this.#waiting?.();
    this.#waiting = this.#world.after(SILENCE_MS, () => this.#probe());
  }

  #probe(): void {
    const close = this.#close;
    this.#world.probe((isThere) => {
      // What was asked about one socket says nothing about the next.
      if (this.#close !== close || !close) return;
      if (isThere) this.#heard();
      else this.#lost();
    });
  }

  #lost(): void {
    this.#waiting?.();
    this.#drop();
    const wait = backOff(this.#attempts, this.#world.random());
    this.#attempts += 1;
    this.#waiting = this.#world.after(wait, () => this.#open());
    this.#connectionIs("lost");
  }

  #closed(code: number): void {
    if (code !== UNAUTHORIZED && code !== FORBIDDEN) {
      this.#lost();
      return;
    }
    this.stop();
    this.#connectionIs(code === UNAUTHORIZED ? "locked" : "forbidden");
  }

  #drop(): void {
    this.#close?.();
    this.#close = undefined;
  }

  #connectionIs(connection: Connection): void {
    if (connection === this.#connection) return;
    this.#connection = connection;
    this.#told.onConnection(connection);
  }
}

/** How long to wait before the next attempt, in milliseconds: doubled each time, and never the same for all pages. */
export function backOff(attempts: number, random: number): number {
  const most = Math.min(RETRY_MAX_MS, RETRY_MIN_MS * 2 ** attempts);
  return Math.round(most * (0.5 + random / 2));
}

/** The first attempt after a loss is made this much later at most. */
const RETRY_MIN_MS = 500;

/** Attempts are never further apart than this. */
const RETRY_MAX_MS = 15_000;

/** After so long without a word the program is asked whether it is there. */
const SILENCE_MS = 30_000;

/** A socket that has not told the state by then is given up; the state of a large center is some megabytes. */
const STATE_WAIT_MS = 20_000;
