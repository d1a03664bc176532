/** A journal that the center itself wrote, and reads for ever. */

import { readFileSync } from "node:fs";
import type { Fact } from "../src/api/center.ts";

export function journal(): Fact[] {
  const path = new URL("../../crates/center/tests/fixtures/journal-v1.jsonl", import.meta.url);
  const lines = readFileSync(path, "utf8").trimEnd().split("\n");
  return lines.map((line) => JSON.parse(line) as Fact);
}
