import { describe, expect, test } from "vitest";
import type { Fact, FactKind, FactOf } from "../src/api/center.ts";
import { sentence, timeline } from "../src/call/timeline.ts";
import type { Key, PlainKey, Values } from "../src/i18n/catalog.ts";
import { en } from "../src/i18n/en.ts";
import { Words } from "../src/i18n/words.ts";
import { MockCenter } from "../mock/center.ts";
import { journal } from "./journal.ts";

const LANGUAGES = [new Words("en"), new Words("fr")];
const NAMES = { agent: () => undefined, queue: () => "Support" };

describe.each(LANGUAGES)("in $language", (words) => {
  test("every fact of a journal of the first release has a sentence", () => {
    const facts = journal().filter((fact) => !OF_NO_CALL.has(fact.kind));
    for (const fact of facts) expect(sentence(words, fact, NAMES), fact.kind).toMatch(/^[^{}]+\.$/);
  });

  test("every sentence of the catalog can be told", () => {
    const spy = new Spy(words.language);
    timeline(spy, everyFact(), NAMES);
    const missing = Object.keys(en).filter((key) => key.startsWith("told.") && !spy.told.has(key));
    expect(missing).toEqual([]);
  });

  test("a kind that is not known yet is told as unknown", () => {
    const fact = { number: 1, at: 0, v: 2, kind: "voicemail_left", interaction: 1 } as unknown as Fact;
    expect(sentence(words, fact, NAMES)).toContain("voicemail_left");
  });
});

test("times count from the beginning of the story, and names that the story tells are used", () => {
  const [words] = LANGUAGES;
  const facts: Fact[] = [
    at(1_000_000, { ...ARRIVED }),
    at(4_500_000, offered("bea", "Bea Ruiz")),
    at(4_900_000, { kind: "ringing", interaction: 1, agent: "bea" }),
  ];
  const entries = words ? timeline(words, facts, NAMES) : [];
  expect(entries.map(({ after }) => after)).toEqual([0, 3_500_000, 3_900_000]);
  expect(entries.at(-1)?.sentence).toBe("Bea Ruiz’s telephone rings.");
});

test("what the network said stands beside the sentence, unless it says nothing new", () => {
  const details = [
    { kind: "hung_up" },
    { kind: "declined", code: 603 },
    { kind: "unreachable" },
    { kind: "network_failure", code: 502, detail: "Bad gateway" },
  ] as const;
  const facts = details.map((cause) => at(0, { kind: "call_ended", interaction: 1, call: "0", cause, lasted_us: 0 }));
  const told = LANGUAGES.map((words) => timeline(words, facts, NAMES).map(({ detail }) => detail));
  expect(told).toEqual([
    [undefined, "declined, code 603", "the line is down", "the other network failed, code 502. Bad gateway"],
    [undefined, "refusé, code 603", "la ligne est en panne", "l’autre réseau est en panne, code 502. Bad gateway"],
  ]);
});

test("the words of whoever did something stand beside the sentence, and nothing else in quotes", () => {
  const moved = at(0, { kind: "prioritised", interaction: 1, priority: 1, vip: false, stands_since: 0, why: "Called twice" });
  const ended = at(0, { kind: "ending", interaction: 1, why: "caller_left", outcome: "handled" });
  const wrapped = at(0, { kind: "wrap_up_ended", ...AGENT, by: "command", wrapped_us: 1, code: "fault", note: "Sent a part", then: { state: "offline" } });
  const [words] = LANGUAGES;
  const told = words ? timeline(words, [moved, ended, wrapped], NAMES).map(({ detail }) => detail) : [];
  expect(told).toEqual(["“Called twice”", undefined, "code fault · “Sent a part”"]);
});

test("a whole call reads like a story in both languages", () => {
  const center = new MockCenter({ seed: 3, agents: 4 });
  center.advance(center.now + 15 * 60e6);
  const handled = center.view.recent.findLast(({ outcome }) => outcome === "handled");
  const told = LANGUAGES.map((words) => timeline(words, handled?.story ?? [], NAMES).map((entry) => entry.sentence));
  expect(told).toMatchSnapshot();
});

test("a caller whose number was erased is unknown, in both languages", () => {
  const arrived = at(0, { ...ARRIVED, from: null, from_name: null });
  const asked = at(0, { kind: "transfer_asked", ...AGENT, transfer: 1, allowed: true, target: null });
  const told = LANGUAGES.map((words) => timeline(words, [arrived, asked], NAMES).map((entry) => entry.sentence));
  expect(told[0]?.[0]).toContain("Unknown caller");
  expect(told[1]?.[0]).toContain("Appelant inconnu");
  for (const text of told.flat()) expect(text).not.toContain("null");
});

/** Remembers which texts were told. */
class Spy extends Words {
  readonly told = new Set<string>();

  override text(key: PlainKey): string {
    this.told.add(key);
    return super.text(key);
  }

  override say<K extends Key>(key: K, values: Values<K>): string {
    this.told.add(key);
    return super.say(key, values);
  }
}

const TERMS = [{ skills: { french: 5 }, ring: 1 }, { after_us: 30e6 }];

const OF_NO_CALL = new Set(["configured", "agent_chose", "rest_ended", "call_rejected"]);

const AGENT = { interaction: 1, agent: "ada", agent_name: "Ada Lima" };
const QUEUE = { queue: "support", queue_name: "Support" };
const ARRIVED = {
  kind: "arrived",
  call: "0",
  line: "carrier",
  from: { phone: "+33199000001" },
  from_name: "",
  to: { phone: "+33199000100" },
  flow: "main",
} as const;

function at(time: number, kind: FactKind): Fact {
  return { number: 1, at: time, v: 1, ...kind };
}

function offered(agent: string, agent_name: string): FactKind {
  const endpoint = { line: "teams", address: { phone: "+14255550101" } };
  const times = { rings_until: 0, waited_us: 0, idle_us: 0 };
  return { kind: "offered", interaction: 1, agent, agent_name, ...QUEUE, party: 1, endpoint, ...times, configuration: 1 };
}

/** One fact for each thing that the catalog can tell. */
function everyFact(): Fact[] {
  const call = { interaction: 1 };
  const step = { ...call, flow: "main", step: "menu" };
  const cause = { kind: "hung_up" } as const;
  const then = { state: "offline" } as const;
  const endpoint = { line: "carrier", address: { phone: "+33199000009" } };
  const recording = { recording: "00000000000000ff" };
  const quality = { packets_received: 1, lost_x10000: 2, jitter_ms: 3, round_trip_ms: null };
  const kinds: FactKind[] = [
    ARRIVED,
    { kind: "answered", ...call },
    { kind: "step_begun", ...step },
    { kind: "menu_chosen", ...step, key: "1" },
    ...each("menu_missed", "reason", ["no_key", "wrong_key"], { ...step, tries_left: 1 }),
    ...each("menu_missed", "reason", ["no_key", "wrong_key"], { ...step, tries_left: 0 }),
    { kind: "queue_entered", ...call, ...QUEUE, ahead: 0 },
    { kind: "queue_entered", ...call, ...QUEUE, ahead: 2 },
    ...each("queue_entered", "channel", ["callback", "voicemail"], { ...call, ...QUEUE, ahead: 0 }),
    { kind: "queue_entered", ...call, ...QUEUE, ahead: 1, priority: 1, vip: true, waiting_since: 1, terms: TERMS },
    { kind: "attributes_set", ...call, attributes: { language: "fr" } },
    { kind: "widened", ...call, queue: "support", step: 1 },
    { kind: "announced", ...call, queue: "support" },
    { kind: "announced", ...call, queue: "support", position: 2 },
    { kind: "announced", ...call, queue: "support", expected_us: 60e6 },
    { kind: "announced", ...call, queue: "support", position: 2, expected_us: 60e6 },
    ...each("prioritised", "vip", [true, false], { ...call, priority: 2, stands_since: 0, why: "Waits too long" }),
    { kind: "terms_changed", ...call, terms: [{ agent: "ada" }] },
    ...each("queue_refused", "reason", ["full", "gone", "closed", "no_agents"], { ...call, queue: "support" }),
    ...each(
      "queue_left",
      "reason",
      [
        "abandoned",
        "lost",
        "waited_too_long",
        "call_limit",
        "queue_gone",
        "overflowed",
        "no_agents",
        "callback_promised",
        "customer_not_reached",
        "cancelled",
        "moved",
      ],
      { ...call, ...QUEUE, waited_us: 1 },
    ),
    { kind: "call_placed", ...call, call: "0", endpoint },
    { kind: "redirect_begun", ...call, party: 2, endpoint },
    ...each("redirect_ended", "outcome", ["done", "failed"], call),
    { kind: "callback_scheduled", line: "carrier", to: "anonymous", name: "Bo", queue: "support", due_at: 0, priority: 3 },
    {
      kind: "callback_promised",
      ...call,
      ...QUEUE,
      line: "carrier",
      to: "anonymous",
      waiting_since: 0,
      priority: 3,
      vip: false,
    },
    { kind: "callback_dialled", ...AGENT, party: 2, attempt: 1 },
    { kind: "callback_missed", ...call, queue: "support", attempt: 1, again_at: 0 },
    { kind: "callback_missed", ...call, queue: "support", attempt: 2 },
    ...each("callback_cancelled", "reason", ["called_again", "served", "command"], call),
    { kind: "message_begun", ...call, queue: "support", ...recording, waiting_since: 0, priority: 3, vip: false },
    { kind: "message_left", ...call, ...recording, end: "silence", length_us: 12e6 },
    { kind: "message_missed", ...call, ...recording },
    { kind: "heard", ...call, ...recording },
    offered("ada", "Ada Lima"),
    { ...offered("ada", "Ada Lima"), of_ready: 4 } as FactKind,
    { kind: "ringing", ...call, agent: "ada" },
    ...each(
      "offer_ended",
      "outcome",
      [
        "missed",
        "declined",
        "busy",
        "unreachable",
        "agent_left",
        "caller_gone",
        "lost",
        "answered_elsewhere",
        "not_confirmed",
        "forwarded",
        "caller_moved",
        "customer_not_reached",
      ],
      { ...AGENT, queue: "support", rang_us: 1, then },
    ),
    { kind: "connected", ...AGENT, ...QUEUE, waited_us: 1, rang_us: 1 },
    ...each("held", "by", ["caller", "agent"], call),
    ...each("resumed", "by", ["caller", "agent"], { ...call, held_us: 1 }),
    { kind: "transfer_asked", ...AGENT, transfer: 1, allowed: true, target: "anonymous" },
    { kind: "transfer_asked", ...AGENT, transfer: 1, allowed: true },
    { kind: "transfer_asked", ...AGENT, transfer: 1, allowed: false },
    ...each("transfer_ended", "outcome", ["done", "failed"], { ...AGENT, transfer: 1 }),
    ...each("conversation_ended", "by", ["caller", "transfer"], {
      ...AGENT,
      queue: "support",
      cause,
      talked_us: 1,
      held_us: 0,
      then,
    }),
    { kind: "wrap_up_extended", ...AGENT, until: 0, then },
    ...each("wrap_up_ended", "by", ["command", "timer", "agent_gone", "queue_gone", "taken_up"], {
      ...AGENT,
      wrapped_us: 1,
      code: "billing",
      note: "Will call again",
      then,
    }),
    { kind: "quality", ...call, party: 0, quality: { ...quality, mos_x100: 430 } },
    { kind: "quality", ...call, party: 2, quality: { ...quality, mos_x100: null } },
    ...each(
      "ending",
      "why",
      [
        "caller_left",
        "agent_left",
        "target_left",
        "flow_ended",
        "call_limit",
        "promised",
        "message_taken",
        "message_heard",
        "not_redirected",
        "lost",
      ],
      { ...call, outcome: "handled" },
    ),
    { kind: "call_ended", ...call, call: "0", cause, lasted_us: 1 },
    ...each(
      "repaired",
      "missing",
      ["answer", "play_end", "collect_end", "record_end", "transfer_end", "party_left", "call_end", "flow_end"],
      call,
    ),
    { kind: "closed", ...call, outcome: "handled" },
    ...each("erased", "by", ["request", "retention"], call),
    { kind: "rest_ended", agent: "ada", agent_name: "Ada Lima", then },
  ];
  return kinds.map((kind) => at(0, kind));
}

/** A fact of one kind for each value of one of its parts. */
function each<K extends FactKind["kind"], P extends keyof FactOf<K>>(
  kind: K,
  part: P,
  values: readonly FactOf<K>[P][],
  rest: Omit<FactOf<K>, "kind" | "number" | "at" | "v" | P>,
): FactKind[] {
  return values.map((value) => ({ kind, [part]: value, ...rest }) as unknown as FactKind);
}
