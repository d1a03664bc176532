import { describe, expect, test } from "vitest";
import type { Fact, FactKind } from "../src/api/center.ts";
import { summarise } from "../src/call/summary.ts";
import { figuresOf } from "../src/floor/figures.ts";
import { waitingIn } from "../src/floor/waiting.ts";
import { waitingSince } from "../src/live/fold.ts";
import { levelsIn } from "../src/live/lookup.ts";
import { MockCenter } from "../mock/center.ts";

const SECOND = 1_000_000;

describe("the service level", () => {
  test("adds up queues and intervals by their parts, with and without those who gave up at once", () => {
    const one = { channel: "call", metrics: [level("sl5", 3, 4), level("sl2", 3, 5), level("sl7", 1, 9)] } as const;
    const other = { channel: "call", metrics: [level("sl5", 1, 6), { metric: "abandonment", variant: "sl5" }] } as const;
    const messages = { channel: "voicemail", metrics: [level("sl5", 9, 9)] } as const;
    const rows = [one, other, messages].map(({ channel, metrics }) => ({ channel, metrics: [...metrics] }));
    expect(levelsIn({ rows })).toEqual({ withoutShort: { met: 4, of: 10 }, ofAll: { met: 3, of: 5 } });
  });

  test("is unknown without calls, and never 0 or 100 percent", () => {
    expect(levelsIn({ rows: [] }).withoutShort).toEqual({ met: 0, of: 0 });
  });
});

describe("the figures of a busy center", () => {
  const center = new MockCenter({ seed: 11, agents: 40, callsPerMinute: 60, patienceSeconds: 600 });
  center.advance(center.now + 20 * 60e6);
  const { view } = center;
  const figures = figuresOf(view);

  test("count every agent once", () => {
    const { free, busy, away, offline } = figures.agents;
    expect(free + busy + away + offline).toBe(40);
    expect(busy).toBeGreaterThan(0);
  });

  test("agree with the lists", () => {
    const waiting = waitingIn(view);
    expect(figures.waiting).toBe(waiting.length);
    expect(figures.waiting).toBeGreaterThan(0);
    const callers = waiting.filter(({ call: { channel = "call" } }) => channel === "call");
    expect(figures.longestSince).toBe(Math.min(...callers.map(({ call }) => waitingSince(call))));
    const onTheLine = waiting.filter(({ call: { in_call = true } }) => in_call);
    expect(figures.calls.waiting + figures.calls.ringing).toBe(onTheLine.length);
  });

  test("account for everybody who entered a queue", () => {
    const totals = Object.values(view.totals);
    const out = totals.reduce((sum, { answered: a, abandoned: b, flowed_out, lost }) => sum + a + b + flowed_out + lost, 0);
    expect(out + figures.waiting).toBe(figures.entered);
  });

  test("place callers in their own queue, in the order of entry", () => {
    const places = new Map<string, number>();
    for (const { call, place } of waitingIn(view)) {
      expect(place).toBe((places.get(call.queue) ?? 0) + 1);
      places.set(call.queue, place);
    }
  });
});

describe("what a call came to", () => {
  test("adds up all its queues and agents, and takes the worst quality", () => {
    const story = [
      fact({ kind: "queue_entered", interaction: 1, queue: "a", queue_name: "A", ahead: 0 }),
      left("waited_too_long", 30),
      connected(12),
      quality(430),
      quality(null),
      quality(260),
      ended(90, 15),
    ];
    const summary = summarise(story);
    expect(summary).toMatchObject({ waited: 42 * SECOND, talked: 90 * SECOND, held: 15 * SECOND, mos: 2.6, queue: "A" });
    expect(summary.agents).toEqual([{ id: "ada", name: "Ada Lima" }]);
  });

  test("says nothing of what did not happen", () => {
    expect(summarise([])).toMatchObject({ waited: undefined, talked: undefined, mos: undefined, agents: [] });
  });
});

const AGENT = { interaction: 1, agent: "ada", agent_name: "Ada Lima" };
const QUEUE = { queue: "a", queue_name: "A" };

function fact(kind: FactKind): Fact {
  return { number: 1, at: 0, v: 1, ...kind };
}

function connected(seconds: number): Fact {
  return fact({ kind: "connected", ...AGENT, ...QUEUE, waited_us: seconds * SECOND, rang_us: 0 });
}

function left(reason: "waited_too_long", seconds: number): Fact {
  return fact({ kind: "queue_left", interaction: 1, ...QUEUE, reason, waited_us: seconds * SECOND });
}

function quality(mos_x100: number | null): Fact {
  const measured = { mos_x100, packets_received: 1, lost_x10000: 0, jitter_ms: 0, round_trip_ms: null };
  return fact({ kind: "quality", interaction: 1, party: 0, quality: measured });
}

function ended(talked: number, held: number): Fact {
  const times = { talked_us: talked * SECOND, held_us: held * SECOND };
  const how = { by: "caller", cause: { kind: "hung_up" }, then: { state: "offline" } } as const;
  return fact({ kind: "conversation_ended", ...AGENT, queue: "a", ...how, ...times });
}

function level(variant: string, numerator: number, denominator: number): { metric: string; variant: string; numerator: number; denominator: number } {
  return { metric: "service_level", variant, numerator, denominator };
}
