import { describe, expect, test } from "vitest";
import { digits, firstLanguage, Words } from "../src/i18n/words.ts";

const SECOND = 1_000_000;
const NARROW = "\u202f";

const [english, french] = [new Words("en"), new Words("fr")];

describe("plural forms", () => {
  test("follow the language, not English", () => {
    const told = [english, french].map((words) => {
      return [0, 1, 2].map((count) => words.say("figures.waiting.detail", { count }));
    });
    expect(told).toEqual([
      ["in 0 queues", "in 1 queue", "in 2 queues"],
      ["dans 0 file", "dans 1 file", "dans 2 files"],
    ]);
  });

  test("know that French counts millions of something", () => {
    const text = french.say("figures.answered.detail", { count: 1_000_000 });
    expect(text.replaceAll(/\s/g, " ")).toBe("sur 1 000 000 d’appels mis en file");
  });
});

describe("durations", () => {
  test("are told in the largest units that matter", () => {
    const told = (seconds: number): string => english.duration(seconds * SECOND).replaceAll(NARROW, " ");
    // As in columns, a second that is not over does not count.
    expect([0, 0.02, 0.42, 0.99, 1, 59.6, 60, 200, 3600, 3900, 90_000].map(told)).toEqual([
      "0 s",
      "0 s",
      "0.4 s",
      "0.9 s",
      "1 s",
      "59 s",
      "1 min",
      "3 min 20 s",
      "1 h",
      "1 h 5 min",
      "25 h",
    ]);
    expect(french.duration(0.42 * SECOND)).toBe(`0,4${NARROW}s`);
  });

  test("stand in columns as digits, and are never negative", () => {
    const shown = [-5, 0, 9, 75, 3_675].map((seconds) => digits(seconds * SECOND));
    expect(shown).toEqual(["0:00", "0:00", "0:09", "1:15", "1:01:15"]);
  });
});

test("French keeps its signs on the line of the word before", () => {
  expect(french.say("story.title", { caller: "Zoé" })).toBe(`Appel${NARROW}: Zoé`);
});

test("a word that a newer program sends and this page does not know is shown as it is", () => {
  const unknown = "outcome.voicemail" as "outcome.lost";
  expect(english.text(unknown)).toBe("outcome.voicemail");
});

describe("the language at the start", () => {
  test("is the one that was chosen, or else the first of the browser's that we have", () => {
    expect(firstLanguage("fr", ["en-US"])).toBe("fr");
    expect(firstLanguage(null, ["de-DE", "fr-CA", "en"])).toBe("fr");
    expect(firstLanguage("tlh", ["de"])).toBe("en");
  });

  test("takes its formats from the browser's region", () => {
    expect(new Words("en", "en-US").time(0)).toMatch(/[AP]M$/);
    expect(new Words("en", "en-GB").time(0)).toMatch(/\d$/);
    expect(new Words("fr", "en-US").time(0)).toBe(french.time(0));
  });
});
