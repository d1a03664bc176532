import { describe, expect, test } from "vitest";
import type { Fact, View } from "../src/api/center.ts";
import { UNAUTHORIZED } from "../src/api/live.ts";
import { emptyView } from "../src/live/fold.ts";
import { backOff, type Cancel, Follower, type World } from "../src/live/follow.ts";

describe("following", () => {
  test("takes the state, then every fact after it", () => {
    const story = new Story();
    story.follower.start();
    story.state(7);
    story.facts(8, 9);
    expect(story.log).toEqual(["open", "state 7", "live", "facts 8 9"]);
  });

  test("takes no fact twice", () => {
    const story = new Story();
    story.follower.start();
    story.state(7);
    story.facts(6, 7, 8);
    story.facts(8);
    expect(story.log.slice(3)).toEqual(["facts 8"]);
  });

  test("starts again when a fact is missing", () => {
    const story = new Story();
    story.follower.start();
    story.state(7);
    story.facts(9);
    expect(story.log.slice(3)).toEqual(["close", "lost"]);
    story.pass(500);
    story.state(9);
    expect(story.log.slice(5)).toEqual(["open", "state 9", "live"]);
  });

  test("starts again when it is told something that it does not understand", () => {
    for (const message of ["{", "null", "{}", '{"type":"other"}', new ArrayBuffer(1)]) {
      const story = new Story();
      story.follower.start();
      story.say(message);
      expect(story.log).toEqual(["open", "close", "lost"]);
    }
  });

  test("tries more and more slowly until facts come again", () => {
    const story = new Story();
    story.follower.start();
    const waits: number[] = [];
    for (let attempt = 0; attempt < 8; attempt += 1) {
      story.cutOff();
      waits.push(story.untilOpen());
    }
    expect(waits).toEqual([375, 750, 1500, 3000, 6000, 11_250, 11_250, 11_250]);
    story.state(1);
    story.cutOff();
    expect(story.untilOpen()).toBe(11_250);
    story.state(1);
    story.facts(2);
    story.cutOff();
    expect(story.untilOpen()).toBe(375);
  });

  test("tries at once when asked to, and only if it is not trying already", () => {
    const story = new Story();
    story.follower.start();
    story.follower.retry();
    expect(story.log).toEqual(["open"]);
    story.cutOff();
    story.follower.retry();
    expect(story.log).toEqual(["open", "close", "lost", "open"]);
  });

  test("gives up a socket that does not tell the state", () => {
    const story = new Story();
    story.follower.start();
    story.pass(20_000);
    expect(story.log).toEqual(["open", "close", "lost"]);
  });

  test("asks after a long silence whether anybody is there", () => {
    const story = new Story();
    story.follower.start();
    story.state(1);
    story.pass(30_000);
    story.probed(true);
    expect(story.log.slice(3)).toEqual(["probe"]);
    story.pass(30_000);
    story.probed(false);
    expect(story.log.slice(4)).toEqual(["probe", "close", "lost"]);
  });

  test("does not blame a new socket for the silence of the old one", () => {
    const story = new Story();
    story.follower.start();
    story.state(1);
    story.pass(30_000);
    story.cutOff();
    story.untilOpen();
    story.state(1);
    story.probed(false);
    expect(story.follower.connection).toBe("live");
  });

  test("waits for another token when this one is not accepted", () => {
    const story = new Story();
    story.follower.start();
    story.cutOff(UNAUTHORIZED);
    expect(story.log).toEqual(["open", "close", "locked"]);
    expect(story.isWaiting()).toBe(false);
    story.follower.start();
    story.state(1);
    expect(story.log.slice(3)).toEqual(["connecting", "open", "state 1", "live"]);
  });

  test("says again that a token is not accepted", () => {
    const story = new Story();
    story.follower.start();
    story.cutOff(UNAUTHORIZED);
    story.follower.start();
    story.cutOff(UNAUTHORIZED);
    expect(story.log.slice(3)).toEqual(["connecting", "open", "close", "locked"]);
  });

  test("stops for good", () => {
    const story = new Story();
    story.follower.start();
    story.state(1);
    story.follower.stop();
    story.facts(2);
    expect(story.log.slice(3)).toEqual(["close"]);
    expect(story.isWaiting()).toBe(false);
  });
});

test("no two pages come back at the same moment", () => {
  expect(backOff(0, 0)).toBe(250);
  expect(backOff(0, 1)).toBe(500);
  expect(backOff(50, 1)).toBe(15_000);
});

/** A world of its own in which time passes when it is told to. */
class Story implements World {
  readonly log: string[] = [];
  readonly follower = new Follower(this, {
    onState: ({ live }) => this.log.push(`state ${live.number}`),
    onFacts: (facts) => this.log.push(`facts ${facts.map(({ number }) => number).join(" ")}`),
    onConnection: (connection) => this.log.push(connection),
  });
  #now = 0;
  #timers: { at: number; act: () => void }[] = [];
  #message: (data: unknown) => void = () => {};
  #close: (code: number) => void = () => {};
  #probe: (isThere: boolean) => void = () => {};

  open(onMessage: (data: unknown) => void, onClose: (code: number) => void): Cancel {
    this.log.push("open");
    this.#message = onMessage;
    this.#close = onClose;
    return () => {
      this.log.push("close");
      this.#message = () => {};
      this.#close = () => {};
    };
  }

  probe(answer: (isThere: boolean) => void): void {
    this.log.push("probe");
    this.#probe = answer;
  }

  random(): number {
    return 0.5;
  }

  after(ms: number, act: () => void): Cancel {
    const timer = { at: this.#now + ms, act };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  state(number: number): void {
    const state: View = emptyView();
    state.live.number = number;
    this.say(JSON.stringify({ type: "state", number, now: 0, state }));
  }

  facts(...numbers: number[]): void {
    const facts = numbers.map((number): Fact => ({ number, at: number, v: 1, kind: "answered", interaction: 1 }));
    this.say(JSON.stringify({ type: "facts", facts }));
  }

  say(message: unknown): void {
    this.#message(message);
  }

  cutOff(code = 1006): void {
    this.#close(code);
  }

  probed(isThere: boolean): void {
    this.#probe(isThere);
  }

  isWaiting(): boolean {
    return this.#timers.length > 0;
  }

  pass(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      const [next] = this.#timers.toSorted((a, b) => a.at - b.at);
      if (!next || next.at > end) break;
      this.#timers = this.#timers.filter((timer) => timer !== next);
      this.#now = next.at;
      next.act();
    }
    this.#now = end;
  }

  /** Lets time pass until the next socket is opened, and says how long that took. */
  untilOpen(): number {
    const [begun, opened] = [this.#now, this.#opened()];
    while (this.#opened() === opened) {
      const [next] = this.#timers.toSorted((a, b) => a.at - b.at);
      if (!next) throw new Error("nothing more will happen");
      this.pass(next.at - this.#now);
    }
    return this.#now - begun;
  }

  #opened(): number {
    return this.log.filter((line) => line === "open").length;
  }
}
