import { expect, test } from "vitest";
import { Clock } from "../src/live/clock.ts";

const SECOND = 1_000_000;

/** A page whose own time is this, in seconds. */
function page(): { at: number; clock: Clock } {
  const own: { at: number; clock: Clock } = { at: 1_000, clock: new Clock(() => own.at * 1_000) };
  return own;
}

test("the time is the program's, however wrong the page's own", () => {
  const own = page();
  own.clock.set(5_000 * SECOND);
  own.at += 7;
  expect(own.clock.now()).toBe(5_007 * SECOND);
});

test("nothing has happened in the future", () => {
  const own = page();
  own.clock.set(5_000 * SECOND);
  own.clock.notBefore(5_002 * SECOND);
  expect(own.clock.now()).toBe(5_002 * SECOND);
  own.clock.notBefore(4_000 * SECOND);
  expect(own.clock.now()).toBe(5_002 * SECOND);
});

test("the times stand still while the page is not live", () => {
  const own = page();
  own.clock.set(5_000 * SECOND);
  own.at += 3;
  own.clock.stop();
  own.at += 60;
  own.clock.stop();
  expect(own.clock.now()).toBe(5_003 * SECOND);
  own.clock.set(5_063 * SECOND);
  own.at += 1;
  expect(own.clock.now()).toBe(5_064 * SECOND);
});
