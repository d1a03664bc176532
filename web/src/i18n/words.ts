/** The words of one language: texts from its catalog, numbers, times and durations as the language writes them. */

import type { Micros, Timestamp } from "../api/center.ts";
import type { Catalog, Key, Language, PlainKey, Values } from "./catalog.ts";
import { en } from "./en.ts";
import { fr } from "./fr.ts";

/** The languages, in their own names. */
export const LANGUAGES: Record<Language, string> = { en: "English", fr: "Français" };

const CATALOGS: { [L in Language]: Catalog<L> } = { en, fr };

/** What a catalog of any language has in common with the others. */
type Texts = Readonly<Record<Key, string | Readonly<Record<string, string>>>>;

export class Words {
  readonly language: Language;
  readonly #texts: Texts;
  readonly #plural: Intl.PluralRules;
  readonly #number: Intl.NumberFormat;
  readonly #tenths: Intl.NumberFormat;
  readonly #percent: Intl.NumberFormat;
  readonly #wholePercent: Intl.NumberFormat;
  readonly #time: Intl.DateTimeFormat;
  readonly #moment: Intl.DateTimeFormat;

  /** `region` is a language tag such as `fr-CA` that decides formats; it counts only if it is of the language. */
  constructor(language: Language, region: string = language) {
    this.language = language;
    this.#texts = CATALOGS[language];
    const locale = region.split("-")[0] === language ? region : language;
    this.#plural = new Intl.PluralRules(language);
    this.#number = new Intl.NumberFormat(locale);
    this.#tenths = new Intl.NumberFormat(locale, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
    this.#percent = new Intl.NumberFormat(locale, { style: "percent", maximumFractionDigits: 1 });
    this.#wholePercent = new Intl.NumberFormat(locale, { style: "percent", maximumFractionDigits: 0 });
    this.#time = new Intl.DateTimeFormat(locale, { timeStyle: "medium" });
    this.#moment = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "medium" });
  }

  /** A text without slots. */
  text(key: PlainKey): string {
    return this.#entry(key, undefined);
  }

  /** A text with its slots filled. */
  say<K extends Key>(key: K, values: Values<K>): string {
    const slots: Record<string, string | number> = values;
    const { count } = slots;
    return this.#entry(key, typeof count === "number" ? count : undefined).replace(SLOT, (slot, name: string) => {
      const value = slots[name];
      if (value === undefined) return slot;
      return typeof value === "number" ? this.number(value) : value;
    });
  }

  /** The text for a word of the program, if there is one: a newer program may know words that this page does not. */
  known(key: string): string | undefined {
    const entry = Object.hasOwn(this.#texts, key) ? this.#texts[key as Key] : undefined;
    return typeof entry === "string" ? entry.replace(AT_SIGN, NARROW_SPACE) : undefined;
  }

  number(value: number): string {
    return this.#number.format(value);
  }

  tenths(value: number): string {
    return this.#tenths.format(value);
  }

  /** A share between 0 and 1 as a percentage. */
  share(value: number): string {
    return this.#percent.format(value);
  }

  /** A share without decimals, for large figures. */
  wholeShare(value: number): string {
    return this.#wholePercent.format(value);
  }

  /** The time of day. */
  time(at: Timestamp): string {
    return this.#time.format(at / 1000);
  }

  /** Day and time. */
  moment(at: Timestamp): string {
    return this.#moment.format(at / 1000);
  }

  /** A duration for a sentence: `0.4 s`, `42 s`, `3 min 20 s`, `1 h 5 min`. The units are the same in all our languages. */
  duration(us: Micros): string {
    const tenths = Math.floor(us / 100_000);
    if (tenths > 0 && tenths < 10) return `${this.tenths(tenths / 10)} s`.replace(" ", NARROW_SPACE);
    const all = Math.floor(us / 1_000_000);
    const [hours, minutes, seconds] = [Math.floor(all / 3600), Math.floor(all / 60) % 60, all % 60];
    const parts = hours > 0 ? [`${hours} h`, `${minutes} min`] : [`${minutes} min`, `${seconds} s`];
    return parts
      .filter((part, index) => !part.startsWith("0 ") || (index === 1 && all === 0))
      .map((part) => part.replace(" ", NARROW_SPACE))
      .join(" ");
  }

  /** A duration that is only an estimate: `30 s`, `4 min`, `1 h 10 min`. */
  roughly(us: Micros): string {
    const grain = us < 60e6 ? 10e6 : us < 600e6 ? 60e6 : 300e6;
    return this.duration(Math.round(us / grain) * grain);
  }

  #entry(key: Key, count: number | undefined): string {
    // A program that is newer than this page may use words that it does not have.
    const entry: Texts[Key] | undefined = this.#texts[key];
    const text = typeof entry === "object" ? entry[this.#plural.select(count ?? 0)] : entry;
    return (text ?? key).replace(AT_SIGN, NARROW_SPACE);
  }
}

/** A duration for a column of figures: `0:42`, `12:05`, `1:02:05`. */
export function digits(us: Micros): string {
  const all = Math.max(0, Math.floor(us / 1_000_000));
  const [hours, minutes, seconds] = [Math.floor(all / 3600), Math.floor(all / 60) % 60, all % 60];
  return hours > 0 ? `${hours}:${pad(minutes)}:${pad(seconds)}` : `${minutes}:${pad(seconds)}`;
}

function pad(part: number): string {
  return String(part).padStart(2, "0");
}

/** The language to begin with: the one chosen before, or else the first of the browser's that we have. */
export function firstLanguage(chosen: string | null, browser: readonly string[]): Language {
  for (const tag of [chosen ?? "", ...browser]) {
    const language = tag.split("-")[0];
    if (language !== undefined && isLanguage(language)) return language;
  }
  return "en";
}

export function isLanguage(text: string): text is Language {
  return Object.hasOwn(LANGUAGES, text);
}

const SLOT = /\{(\w+)\}/g;

/** French puts a space beside these signs, at which no line may end. */
const AT_SIGN = / (?=[:;!?»])|(?<=«) /g;

/** Keeps a figure and its unit on one line. */
const NARROW_SPACE = "\u202f";
