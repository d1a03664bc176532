import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { problemText } from "../src/floor/problem.ts";
import { Words } from "../src/i18n/words.ts";

/** Codes of requests that the page does not send, and of faults in how a program asks: the English sentence is for who wrote it. */
const FOR_PROGRAMS = new Set([
  "bad_host", "bad_limit", "bad_load", "bad_share", "bad_source", "bad_threshold", "bad_wait", "bad_zone",
  "crowded", "key_reused", "no_route", "no_web_socket", "not_json", "wrong_method",
]);

describe.each(["en", "fr"] as const)("in %s", (language) => {
  test.each(answered().filter((code) => !FOR_PROGRAMS.has(code)))("the refusal %s has words of the page's own", (code) => {
    const problem = { status: 400, code, message: "MESSAGE OF THE PROGRAM", remedy: "REMEDY OF THE PROGRAM", field: "KEYS" };
    expect(problemText(new Words(language), problem)).not.toContain("REMEDY OF THE PROGRAM");
  });
});

test("the codes are found where the program writes them", () => {
  const codes = answered();
  for (const code of ["not_found", "still_open", "taken", "own_rights", "too_short", "setup_wrong"]) expect(codes).toContain(code);
});

test("no code is left to programs that the program does not answer", () => {
  const codes = answered();
  expect([...FOR_PROGRAMS].filter((code) => !codes.includes(code))).toEqual([]);
});

/** Every code that the program answers with, from where it writes them. */
function answered(): string[] {
  const api = new URL("../../crates/server/src/api/", import.meta.url);
  const people = new URL("../../crates/people/src/", import.meta.url);
  const files = readdirSync(api, { encoding: "utf8" }).filter((file) => file.endsWith(".rs"));
  const made = files.flatMap((file) => found(new URL(file, api), MADE));
  const named = ["caller.rs", "person.rs", "setup.rs", "passkey.rs", "password/quality.rs"].flatMap((file) => {
    return found(new URL(file, people), NAMED, CODE_OF);
  });
  return [...new Set([...made, ...named])].toSorted();
}

function found(file: URL, pattern: RegExp, within = /^[^]*$/): string[] {
  const source = within.exec(readFileSync(file, "utf8"))?.[0] ?? "";
  return [...source.matchAll(pattern)].flatMap(([, code]) => code ?? []);
}

/** A code where an error is made with it. */
const MADE = /(?:ApiError::(?:bad_request|unavailable|forbidden)|StatusCode::[A-Z_]+,|\b(?:conflict|bad|stranger))\s*\(?\s*"([a-z_]+)"/g;

/** The codes of a fault, in the function that tells them. */
const CODE_OF = /fn code\([^]*?\n    \}/;
const NAMED = /=> "([a-z_]+)"/g;

test("every reason for which a webhook is disabled has words", () => {
  const file = readFileSync(new URL("../../crates/server/src/webhooks/keep.rs", import.meta.url), "utf8");
  const reasons = [...file.matchAll(/DisabledWhy::\w+ => "(\w+)"/g)].map(([, reason]) => reason);
  expect(reasons).toContain("too_far_behind");
  for (const words of [new Words("en"), new Words("fr")]) {
    expect(reasons.filter((reason) => words.known(`webhooks.reason.${reason}`) === undefined)).toEqual([]);
  }
});
