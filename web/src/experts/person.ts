/** Somebody of the directory, as a row: who they are, what they know, and whether they are free. */

import type { Presence } from "../api/center.ts";
import type { Found } from "../api/directory.ts";
import { tags } from "../admin/list.ts";
import type { Words } from "../i18n/words.ts";
import { h } from "../ui/dom.ts";
import { icon, type IconName } from "../ui/icon.ts";

export function personRow(words: Words, person: Found): HTMLElement {
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
    ),
    presenceNode(words, person),
  );
}

/** Presence as a sign, a word and its age: never by colour alone. */
function presenceNode(words: Words, { availability, activity, presence_age_ms }: Found): HTMLElement {
  const presence = presenceOf(availability, activity);
  const sign = h("span", { class: "sign" }, icon(SIGNS[presence]));
  const chip = h("span", { class: `chip chip-${TONES[presence]}` }, sign, h("span", {}, words.text(`presence.${presence}`)));
  const age = presence_age_ms === undefined ? "" : words.say("experts.ago", { time: words.duration(presence_age_ms * 1_000) });
  return h("span", { class: "seen" }, chip, h("span", { class: "below" }, age));
}

/** What Microsoft Graph says in our words: the activity where it says more than the availability. */
export function presenceOf(availability: string | undefined, activity: string | undefined): Presence {
  return ACTIVITIES[activity ?? ""] ?? AVAILABILITIES[availability ?? ""] ?? "unknown";
}

const ACTIVITIES: Readonly<Record<string, Presence>> = {
  InACall: "in_call",
  InAConferenceCall: "in_call",
  InAMeeting: "in_meeting",
  Presenting: "presenting",
  OutOfOffice: "out_of_office",
  OffWork: "offline",
};

const AVAILABILITIES: Readonly<Record<string, Presence>> = {
  Available: "available",
  AvailableIdle: "available",
  Busy: "busy",
  BusyIdle: "busy",
  DoNotDisturb: "do_not_disturb",
  Away: "away",
  BeRightBack: "be_right_back",
  Offline: "offline",
};

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
