import { describe, expect, test } from "vitest";
import type { ClosedInteraction, Fact, FactKind, View } from "../src/api/center.ts";
import { summarise } from "../src/call/summary.ts";
import { figuresOf, serviceLevel } from "../src/floor/figures.ts";
import { waitingIn } from "../src/floor/waiting.ts";
import { emptyView } from "../src/live/fold.ts";
import { MockCenter } from "../mock/center.ts";

const SECOND = 1_000_000;

describe("the service level of the last calls", () => {
  test("is unknown without calls, and never 0 or 100 percent", () => {
    expect(serviceLevel(emptyView())).toEqual({ met: 0, of: 0 });
  });

  test("counts who was answered in time among those who were answered or gave up", () => {
    const view = viewOf(answered(3), answered(20), answered(21), abandoned(40), abandoned(2), flowedOut(600));
    // The target itself is in time; giving up within five seconds does not count, nor does being sent on.
    expect(serviceLevel(view)).toEqual({ met: 2, of: 4 });
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
    expect(figures.longestSince).toBe(waiting[0]?.call.entered_at);
    expect(figures.calls.waiting + figures.calls.ringing).toBe(figures.waiting);
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

function left(reason: "abandoned" | "waited_too_long", seconds: number): Fact {
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

function answered(seconds: number): Fact[] {
  return [connected(seconds)];
}

function abandoned(seconds: number): Fact[] {
  return [left("abandoned", seconds)];
}

function flowedOut(seconds: number): Fact[] {
  return [left("waited_too_long", seconds)];
}

function viewOf(...stories: Fact[][]): View {
  const view = emptyView();
  view.recent = stories.map((story) => ({ story }) as unknown as ClosedInteraction);
  return view;
}
