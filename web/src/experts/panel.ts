/** The panel that says whom to ask about a call: who knows, who solved the like before, and whether they are free. */

import type { InteractionId } from "../api/center.ts";
import type { Client, SuggestedExpert } from "../api/client.ts";
import { problemText } from "../floor/problem.ts";
import type { Words } from "../i18n/words.ts";
import { h } from "../ui/dom.ts";
import { icon, type IconName } from "../ui/icon.ts";

export class ExpertsPanel {
  readonly node: HTMLElement;
  readonly #words: Words;
  readonly #client: Client;
  readonly #body = h("div");
  readonly #title: HTMLElement;
  #asked = 0;

  /** Several panels of one page have different names. */
  constructor(words: Words, client: Client, name: string) {
    this.#words = words;
    this.#client = client;
    const id = `${name}-experts-title`;
    this.#title = h("h3", { id, tabindex: -1 }, words.text("ask.title"));
    const close = h("button", { type: "button", class: "close", "aria-label": words.text("ask.close") }, icon("end"));
    close.addEventListener("click", () => this.close());
    const head = h("header", {}, this.#title, close);
    this.node = h("section", { class: "why ask", "aria-labelledby": id, hidden: true }, head, this.#body);
  }

  /** Looks up whom to ask about a call, and shows them. */
  async open(id: InteractionId): Promise<void> {
    this.#asked += 1;
    const asked = this.#asked;
    const words = this.#words;
    this.#body.replaceChildren(h("p", { class: "empty" }, words.text("ask.loading")));
    this.node.hidden = false;
    this.#title.focus();
    this.node.scrollIntoView({ block: "nearest" });
    const answer = await this.#client.callExperts(id);
    if (asked !== this.#asked) return;
    if (!answer.ok) {
      this.#body.replaceChildren(h("p", { role: "alert" }, problemText(words, answer.problem)));
      return;
    }
    const { experts } = answer.value;
    const rows = experts.map((expert) => expertRow(words, expert));
    this.#body.replaceChildren(experts.length > 0 ? h("ul", {}, ...rows) : h("p", { class: "empty" }, words.text("ask.none")));
  }

  close(): void {
    this.#asked += 1;
    this.node.hidden = true;
    this.#body.replaceChildren();
  }
}

function expertRow(words: Words, expert: SuggestedExpert): HTMLElement {
  const { name, job_title, department, phone, mail, reasons } = expert;
  const what = [job_title, department].filter(Boolean).join(" · ");
  const reach = [phone, mail].filter(Boolean).join(" · ");
  const below = [what, reach].filter((text) => text !== "").map((text) => h("span", { class: "below" }, text));
  const why = h("ul", { class: "reasons" }, ...reasons.map((reason) => h("li", {}, reasonText(words, reason))));
  return h("li", { class: "found" }, h("div", {}, h("span", { class: "name" }, name), ...below, why), standingNode(words, expert));
}

/** Why somebody is suggested, as a sentence. */
export function reasonText(words: Words, reason: SuggestedExpert["reasons"][number]): string {
  switch (reason.kind) {
    case "skill": {
      const { skill, level } = reason;
      return typeof level === "number" ? words.say("ask.skill.level", { skill, level }) : words.say("ask.skill", { skill });
    }
    case "solved_before": {
      const { name, times: count, last_ms, common } = reason;
      return words.say(`ask.solved.${common}`, { count, name, time: words.moment(last_ms * 1_000) });
    }
    case "same_department":
      return words.say("ask.department", { department: reason.department });
  }
}

/** Whether somebody can be asked, as a sign and a word, and what another system says with its age. */
function standingNode(words: Words, { standing, free_in_ms, presence, presence_age_ms }: SuggestedExpert): HTMLElement {
  const soon = standing === "soon_free" && typeof free_in_ms === "number";
  const text = soon ? words.say("standing.soon_free_in", { time: words.duration(free_in_ms * 1_000) }) : words.text(`standing.${standing}`);
  const sign = h("span", { class: "sign" }, icon(SIGNS[standing]));
  const chip = h("span", { class: `chip chip-${TONES[standing]}` }, sign, h("span", {}, text));
  const age = typeof presence_age_ms === "number" ? words.say("experts.ago", { time: words.duration(presence_age_ms * 1_000) }) : "";
  const said = presence ? `${words.text(`presence.${presence}`)} · ${age}` : "";
  return h("span", { class: "seen" }, chip, h("span", { class: "below" }, said));
}

type Standing = SuggestedExpert["standing"];

const TONES: Record<Standing, "free" | "busy" | "away" | "offline" | "late"> = {
  free: "free",
  soon_free: "busy",
  busy: "busy",
  away: "away",
  do_not_disturb: "late",
  offline: "offline",
  unknown: "offline",
};

const SIGNS: Record<Standing, IconName> = {
  free: "available",
  soon_free: "clock",
  busy: "talking",
  away: "clock",
  do_not_disturb: "end",
  offline: "offline",
  unknown: "why",
};
