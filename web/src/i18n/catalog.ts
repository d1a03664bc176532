/** What a catalog of texts is, checked by the compiler: same keys, all plural categories, no unknown slot. */

import type { en } from "./en.ts";

export type Key = keyof typeof en;

/** The plural categories that a language has (Unicode CLDR, as `Intl.PluralRules` reports them). */
export type Categories = {
  en: "one" | "other";
  fr: "one" | "many" | "other";
};

export type Language = keyof Categories;

/** The texts of a language: a text where English has a text, one per plural category where English has several. */
export type Catalog<L extends Language> = {
  readonly [K in Key]: (typeof en)[K] extends string ? string : Readonly<Record<Categories[L], string>>;
};

type SlotsOfText<S extends string> = S extends `${string}{${infer Name}}${infer Rest}` ? Name | SlotsOfText<Rest> : never;

/** The names of the slots of a text. */
export type Slots<K extends Key> = (typeof en)[K] extends infer Entry
  ? Entry extends string
    ? SlotsOfText<Entry>
    : Entry extends { other: infer Other extends string }
      ? SlotsOfText<Other> | "count"
      : never
  : never;

/** What fills the slots; a number is written as the language writes numbers. */
export type Values<K extends Key> = { [Name in Slots<K>]: Name extends "count" ? number : string | number };

/** The keys of texts without a slot. */
export type PlainKey = { [K in Key]: [Slots<K>] extends [never] ? K : never }[Key];
