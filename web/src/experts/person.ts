/** Somebody of the directory, as a row: who they are, what they know, and whether they are free. */

import type { Presence, Timestamp } from "../api/center.ts";
import type { Found, Seen } from "../api/directory.ts";
import { tags } from "../admin/list.ts";
import type { Words } from "../i18n/words.ts";
import { h } from "../ui/dom.ts";
import { icon, type IconName } from "../ui/icon.ts";

/** `why` says why somebody is suggested. */
export function personRow(words: Words, now: Timestamp, person: Found, why: readonly string[] = []): HTMLElement {
  const { name, department, job_title, office, phone, mail, skills = [] } = person;
  const what = [job_title, department, office].filter(Boolean).join(" · ");
  const reach = [phone, mail].filter(Boolean).join(" · ");
  const known = skills.map((skill) => (skill.level === undefined ? skill.name : `${skill.name} ${skill.level}`));
  return h(
    "li",
    { class: "found" },
    h(
      "div",
      {},
      h("span", { class: "name" }, name),
      h("span", { class: "below" }, what),
      h("span", { class: "below" }, reach),
      known.length > 0 ? tags(...known) : undefined,
      ...why.map((reason) => h("span", { class: "below" }, reason)),
    ),
    seenNode(words, now, person.presence),
  );
}

/** Presence as a sign, a word and its age: never by colour alone. */
export function seenNode(words: Words, now: Timestamp, seen: Seen | undefined): HTMLElement {
  const presence = seen?.presence ?? "unknown";
  const text = words.text(`presence.${presence}`);
  const chip = h("span", { class: `chip chip-${TONES[presence]}` }, h("span", { class: "sign" }, icon(SIGNS[presence])), h("span", {}, text));
  const age_us = ageOf(seen, now);
  const age = age_us === undefined ? undefined : words.say("experts.ago", { time: words.duration(age_us) });
  const doubt = seen?.confidence === "doubtful" ? words.text("presence.doubtful") : undefined;
  return h("span", { class: "seen" }, chip, h("span", { class: "below" }, [age, doubt].filter(Boolean).join(" · ")));
}

function ageOf(seen: Seen | undefined, now: Timestamp): number | undefined {
  if (seen?.age_us !== undefined) return seen.age_us;
  return seen?.observed_at === undefined ? undefined : Math.max(0, now - seen.observed_at);
}

const TONES: Record<Presence, "free" | "busy" | "away" | "offline" | "late"> = {
  available: "free",
  busy: "busy",
  in_call: "busy",
  in_meeting: "busy",
  presenting: "late",
  do_not_disturb: "late",
  away: "away",
  be_right_back: "away",
  offline: "offline",
  out_of_office: "offline",
  unknown: "offline",
};

const SIGNS: Record<Presence, IconName> = {
  available: "available",
  busy: "offline",
  in_call: "talking",
  in_meeting: "people",
  presenting: "resting",
  do_not_disturb: "end",
  away: "clock",
  be_right_back: "clock",
  offline: "offline",
  out_of_office: "leave",
  unknown: "why",
};
