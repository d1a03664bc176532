/** Who calls, and addresses as people read them. */

import type { Address, Personal } from "../api/center.ts";
import type { Words } from "../i18n/words.ts";

/** What is known of a caller. */
export type Caller = { from: Personal<Address>; from_name: Personal<string> };

/** What a caller is called: the name that their network gives, or else the number. */
export function callerName(words: Words, { from, from_name }: Caller): string {
  return from_name?.trim() || addressText(words, from);
}

/** The number beside the name; `undefined` if the name is the number already, or the number was erased. */
export function callerNumber(words: Words, { from, from_name }: Caller): string | undefined {
  return from_name?.trim() && from !== null ? addressText(words, from) : undefined;
}

/** An address as people read it; of one that was erased, only that nobody knows it. */
export function addressText(words: Words, address: Personal<Address>): string {
  if (address === null) return words.text("caller.unnamed");
  if (address === "anonymous") return words.text("caller.anonymous");
  const text = "phone" in address ? phoneText(address.phone) : address.sip.replace(/^sips?:/, "");
  return text || words.text("caller.unnamed");
}

/**
 * A telephone number in groups, for the numbering plans that have one form; any other stays as it is, because groups
 * that are wrong read worse than none.
 */
export function phoneText(number: string): string {
  for (const [plan, groups] of PLANS) {
    const found = plan.exec(number);
    if (found) return groups(found.slice(1)).join(NO_BREAK);
  }
  return number;
}

const PLANS: readonly (readonly [RegExp, (parts: string[]) => string[]])[] = [
  // North America: country, area, exchange, line.
  [/^\+1(\d{3})(\d{3})(\d{4})$/, (parts) => ["+1", ...parts]],
  // France: country, zone, four pairs.
  [/^\+33(\d)(\d\d)(\d\d)(\d\d)(\d\d)$/, (parts) => ["+33", ...parts]],
  // Great Britain, the large cities: country, area, exchange, line.
  [/^\+44(2\d)(\d{4})(\d{4})$/, (parts) => ["+44", ...parts]],
];

const NO_BREAK = "\u00a0";
