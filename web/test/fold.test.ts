/**
 * The fold of the page against the fold of the program: what the center said of itself after each fact of some of its
 * own tests is what the page makes of the same facts.
 */

import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { AgentView, Fact, InteractionView, QueueView, View } from "../src/api/center.ts";
import { applyFact, emptyView, RECENT_MAX, STORY_FACTS_MAX } from "../src/live/fold.ts";
import { MockCenter } from "../mock/center.ts";
import { journal } from "./journal.ts";

/** A fact, and what it changed in the center; `null` is what is gone. */
type Recorded = {
  fact: Fact;
  agents?: Record<string, AgentView | null>;
  interactions?: Record<string, InteractionView | null>;
  queues?: Record<string, QueueView | null>;
  totals?: View["totals"];
  recent?: number[];
};

describe.each(stories())("story %i of the center", (_, story) => {
  test("is told alike by the page", () => {
    const view = emptyView();
    const { agents, interactions, queues } = emptyView().live;
    for (const recorded of story) {
      change(agents, recorded.agents);
      change(interactions, recorded.interactions);
      change(queues, recorded.queues);
      applyFact(view, recorded.fact);
      expect(view.live.agents, `agents after fact ${recorded.fact.number}`).toEqual(agents);
      expect(view.live.interactions, `interactions after fact ${recorded.fact.number}`).toEqual(interactions);
      expect(view.live.queues, `queues after fact ${recorded.fact.number}`).toEqual(queues);
      if (recorded.totals) expect(view.totals).toEqual(recorded.totals);
      if (recorded.recent) expect(view.recent.map(({ interaction }) => interaction)).toEqual(recorded.recent);
    }
  });
});

test("a journal of the first release leaves nothing open", () => {
  const view = emptyView();
  for (const fact of journal()) applyFact(view, fact);
  expect(view.live.interactions).toEqual({});
  expect(view.stories).toEqual({});
  expect(view.recent.map(({ story }) => story.at(-1)?.kind)).toEqual(["closed", "closed", "closed"]);
  expect(Object.keys(view.live.queues)).toEqual(["support", "full"]);
});

test("the state at any number and the facts after it are the state now", () => {
  const center = new MockCenter({ seed: 9, agents: 6, callsPerMinute: 8 });
  const facts: Fact[] = [];
  let view = emptyView();
  for (let minute = 0; minute < 30; minute += 1) {
    // As a page that begins here would have it: over the wire.
    const joined = JSON.parse(JSON.stringify(center.view)) as View;
    const fresh = center.advance(center.now + 60e6);
    for (const fact of fresh) applyFact(joined, fact);
    expect(joined).toEqual(center.view);
    facts.push(...fresh);
  }
  view = emptyView();
  for (const fact of new MockCenter({ seed: 9, agents: 6, callsPerMinute: 8 }).advance(center.now)) {
    applyFact(view, fact);
  }
  expect(view).toEqual(center.view);
  expect(facts.length).toBeGreaterThan(1_000);
});

describe("a fact", () => {
  test("that was taken in already changes nothing", () => {
    const facts = journal();
    const view = emptyView();
    for (const fact of facts) applyFact(view, fact);
    const before = structuredClone(view);
    for (const fact of facts) applyFact(view, fact);
    expect(view).toEqual(before);
  });

  test("of an unknown kind changes nothing but the number and the time", () => {
    const view = emptyView();
    const before = structuredClone(view);
    applyFact(view, { number: 1, at: 5, v: 2, kind: "voicemail_left" } as unknown as Fact);
    expect(view).toEqual({ ...before, at: 5, live: { ...before.live, number: 1 } });
  });

  test("replaces what it changes, and nothing else", () => {
    const center = new MockCenter({ seed: 9, agents: 6, callsPerMinute: 8 });
    center.advance(center.now + 300e6);
    const view = JSON.parse(JSON.stringify(center.view)) as View;
    const agents = { ...view.live.agents };
    for (const fact of center.advance(center.now + 30e6)) {
      const before = { ...view.live.agents };
      applyFact(view, fact);
      for (const [id, agent] of Object.entries(view.live.agents)) {
        if (!("agent" in fact) || fact.agent !== id) expect(agent).toBe(before[id]);
      }
    }
    expect(view.live.agents).not.toEqual(agents);
  });
});

test("what is erased names nobody any more, and all the rest stays", () => {
  const view = emptyView();
  for (const fact of journal()) applyFact(view, fact);
  const known = view.recent.find(({ story }) => story.some(({ kind }) => kind === "transfer_asked"));
  const before = structuredClone(view);
  const { interaction = 0 } = known ?? {};
  applyFact(view, { number: view.live.number + 1, at: view.at, v: 1, kind: "erased", interaction, by: "request" });
  const erased = view.recent.find((closed) => closed.interaction === interaction);
  expect(erased).toMatchObject({ from: null, from_name: null, outcome: known?.outcome });
  expect(JSON.stringify(erased)).not.toMatch(/\+14255550123|\+14255550177|"Ada"/);
  expect(erased?.story.at(-1)?.kind).toBe("erased");
  expect(view.recent.length).toBe(before.recent.length);
  expect(JSON.stringify(view.recent.filter((closed) => closed !== erased))).toContain("Ada");
  expect({ ...view.totals, stories: view.stories }).toEqual({ ...before.totals, stories: before.stories });
});

test("the view stays bounded, however long a call and however many", () => {
  const view = emptyView();
  let number = 0;
  const tell = (fact: object): void => applyFact(view, { number: ++number, at: number, v: 1, ...fact } as Fact);
  const arrival = { kind: "arrived", call: "0", line: "l", from: "anonymous", from_name: "", to: "anonymous", flow: "f" };
  tell(arrival);
  for (let hold = 0; hold < STORY_FACTS_MAX + 10; hold += 1) tell({ kind: "answered", interaction: 1 });
  expect(view.stories[1]).toHaveLength(STORY_FACTS_MAX);
  for (let call = 0; call < RECENT_MAX + 10; call += 1) {
    tell(arrival);
    tell({ kind: "closed", interaction: number, outcome: "lost" });
  }
  expect(view.recent).toHaveLength(RECENT_MAX);
  expect(view.recent[0]?.closed_at).toBe(number);
});

function stories(): [number, Recorded[]][] {
  const text = readFileSync(new URL("folds.jsonl", import.meta.url), "utf8").trimEnd();
  const all: Recorded[][] = [];
  for (const line of text.split("\n")) {
    const recorded = JSON.parse(line) as Recorded;
    if (recorded.fact.number === 1) all.push([]);
    all.at(-1)?.push(recorded);
  }
  return all.map((story, index) => [index + 1, story]);
}

function change<T>(all: Record<string, T>, changes: Record<string, T | null> = {}): void {
  for (const [id, value] of Object.entries(changes)) {
    if (value === null) delete all[id];
    else all[id] = value;
  }
}
