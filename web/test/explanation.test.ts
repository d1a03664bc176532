/** Why something waits, in words of two languages. */

import { expect, test } from "vitest";
import { type Explanation, tell } from "../src/call/explanation.ts";
import { Words } from "../src/i18n/words.ts";

const SECOND = 1_000_000;

/** A callback that nobody is rung for; Adele is free and fits. */
const callback: Explanation = {
  at: 0,
  interaction: 7,
  channel: "callback",
  queue: "support",
  queue_name: "Support",
  strategy: "longest_idle",
  position: 1,
  of: 1,
  waited_us: 20 * SECOND,
  waited_in_all_us: 20 * SECOND,
  priority: 3,
  vip: false,
  asked: {},
  next: null,
  expected_us: null,
  ringing: [],
  eligible: [{ agent: "adele", name: "Adele Vance", idle_us: 60 * SECOND, ranked_by: null }],
  excluded: [],
};

function told(words: Words, explanation: Explanation): string[] {
  return tell(words, explanation, String).sentences.map((sentence) => sentence.replaceAll(/\s/g, " "));
}

test("what the limit of calls holds says so, beside who is free", () => {
  const held: Explanation = { ...callback, held: { by: "calls", most: 5000 } };
  const [english, french] = [told(new Words("en"), held), told(new Words("fr"), held)];
  expect(english.at(-1)).toBe(
    "It waits until a call has ended: there are 5,000 calls, as many as there may be, and one more is needed to offer it.",
  );
  expect(french.at(-1)).toContain("il y a déjà 5 000 appels, le maximum permis");
  expect(tell(new Words("en"), held, String).eligible.map(({ name }) => name)).toEqual(["Adele Vance"]);
});

test("what nothing holds does not speak of it", () => {
  expect(told(new Words("en"), callback)).toHaveLength(2);
});
