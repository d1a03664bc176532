/** Where a login is open, as its owner knows it again: the browser says far more about itself than that. */

import type { Words } from "../i18n/words.ts";

/** What a browser says it is, in words; `undefined` if it is none that we know. */
export function deviceText(words: Words, userAgent: string): string {
  const program = PROGRAMS.find(([sign]) => sign.test(userAgent))?.[1];
  const system = SYSTEMS.find(([sign]) => sign.test(userAgent))?.[1];
  if (program !== undefined && system !== undefined) return words.say("account.device", { program, system });
  // The first word is the one that a program that is no browser gives itself, such as `curl/8.5.0`.
  const [first = ""] = userAgent.split(" ");
  return program ?? system ?? (first || words.text("account.device.unknown"));
}

/** The first that fits: almost all of them say that they are Chrome and Safari too. */
const PROGRAMS: readonly (readonly [RegExp, string])[] = [
  [/\bTeams\//, "Microsoft Teams"],
  [/\bEdgA?\/|\bEdgiOS\//, "Edge"],
  [/\bOPR\//, "Opera"],
  [/\bFirefox\/|\bFxiOS\//, "Firefox"],
  [/Chrome\/|\bCriOS\//, "Chrome"],
  [/\bSafari\//, "Safari"],
];

/** The first that fits: Android says that it is Linux too. */
const SYSTEMS: readonly (readonly [RegExp, string])[] = [
  [/\bWindows\b/, "Windows"],
  [/\biPhone\b/, "iPhone"],
  [/\biPad\b/, "iPad"],
  [/\bMac OS X\b/, "macOS"],
  [/\bAndroid\b/, "Android"],
  [/\bCrOS\b/, "ChromeOS"],
  [/\bLinux\b/, "Linux"],
];
