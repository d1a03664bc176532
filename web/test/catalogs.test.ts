import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { en } from "../src/i18n/en.ts";
import { fr } from "../src/i18n/fr.ts";

type Entry = string | Readonly<Record<string, string>>;
const CATALOGS: Record<string, Record<string, Entry>> = { en, fr };

describe.each(Object.entries(CATALOGS))("the catalog of %s", (language, catalog) => {
  test("has the same texts as English, and none besides", () => {
    expect(Object.keys(catalog).toSorted()).toEqual(Object.keys(en).toSorted());
  });

  test("has a text for every plural category of the language, and for no other", () => {
    const categories = new Intl.PluralRules(language).resolvedOptions().pluralCategories.toSorted();
    for (const [key, entry] of plurals(catalog)) expect(Object.keys(entry).toSorted(), key).toEqual(categories);
  });

  test("has plural forms where English has them", () => {
    expect(plurals(catalog).map(([key]) => key)).toEqual(plurals(en).map(([key]) => key));
  });

  test("has the slots of the English text in every form", () => {
    for (const [key, entry] of Object.entries(catalog)) {
      const wanted = slots(forms((en as Record<string, Entry>)[key] ?? "")["other"] ?? "");
      for (const [category, text] of Object.entries(forms(entry))) {
        // "The last call" need not say that it is one.
        const free = category === "one" ? ["{count}"] : [];
        const missing = wanted.filter((slot) => !slots(text).includes(slot) && !free.includes(slot));
        const unknown = slots(text).filter((slot) => !wanted.includes(slot));
        expect([...missing, ...unknown], `${key}: ${text}`).toEqual([]);
      }
    }
  });

  test("leaves no text empty, and none with a space at its ends", () => {
    for (const [key, entry] of Object.entries(catalog)) {
      for (const text of Object.values(forms(entry))) {
        expect(text, key).not.toBe("");
        expect(text, key).toBe(text.trim());
      }
    }
  });
});

test("no text of another language was left in English by mistake", () => {
  // Words that are the same in both languages.
  const same = new Set(["Agent", "Agents", "Configuration", "MOS", "Place", "Expert", "{detail}", "{cause}, code {code}", "VIP"]);
  for (const [key, text] of Object.entries(fr)) {
    if (typeof text === "string" && !same.has(text)) expect(text, key).not.toBe((en as Record<string, Entry>)[key]);
  }
});

test("every text is used by the page", () => {
  const folder = new URL("../src/", import.meta.url);
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" });
  const source = files
    .filter((file) => file.endsWith(".ts") && !/^i18n.(en|fr)(_identity)?\.ts$/.test(file))
    .map((file) => readFileSync(new URL(file, folder), "utf8"))
    .join("\n");
  const unused = Object.keys(en).filter((key) => {
    const stems = key.split(".").map((_, end, parts) => `\`${parts.slice(0, end).join(".")}.\${`);
    return !source.includes(`"${key}"`) && !stems.some((stem) => source.includes(stem));
  });
  expect(unused).toEqual([]);
});

function plurals(catalog: Record<string, Entry>): [string, Readonly<Record<string, string>>][] {
  return Object.entries(catalog).flatMap(([key, entry]) => (typeof entry === "string" ? [] : [[key, entry]]));
}

function forms(entry: Entry): Readonly<Record<string, string>> {
  return typeof entry === "string" ? { other: entry } : entry;
}

function slots(text: string): string[] {
  return [...text.matchAll(/\{\w+\}/g)].map(([slot]) => slot).toSorted();
}
