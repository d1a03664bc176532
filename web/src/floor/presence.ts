/** What another system says about somebody, in words: what, whose word it is, and whether it can be relied on. */

import type { Presence } from "../api/center.ts";
import type { Words } from "../i18n/words.ts";

/** As much of it as is told everywhere. */
export type Told = { source: string; presence: Presence; manual?: boolean; confidence?: string };

/** Whose word it is and what it says. How old that is at most stands behind it: the same word is not passed on each time. */
export function presenceText(words: Words, { source, presence, manual = false, confidence }: Told): string {
  const what = words.text(`presence.${presence}`);
  const said = words.say(manual ? "agents.presence.manual" : "agents.presence", { source: SOURCES[source] ?? source, what });
  return confidence === "doubtful" ? `${words.text("presence.doubtful")} ${said}` : said;
}

/** How those whose word it is write themselves; others are shown as they say. */
const SOURCES: Readonly<Record<string, string>> = { teams: "Teams", graph: "Teams", microsoft: "Teams" };
