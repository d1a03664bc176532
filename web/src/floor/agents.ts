/** The agents and what they do. */

import type { AgentId, AgentState, AgentView, ChosenState, InteractionView, View, Work } from "../api/center.ts";
import { callerName } from "../call/caller.ts";
import type { Words } from "../i18n/words.ts";
import { showSince, showUntil } from "../live/clock.ts";
import { h, show, write } from "../ui/dom.ts";
import { icon, type IconName, showIcon } from "../ui/icon.ts";
import type { Row } from "../ui/rows.ts";
import { cell, nameCell, row, Table } from "../ui/table.ts";
import type { Context } from "./context.ts";
import { type AgentGroup, agentGroup, type Figures } from "./figures.ts";
import { presenceText } from "./presence.ts";

type Shown = { id: AgentId; agent: AgentView; work: string; skills: string };

export class AgentsPart {
  readonly #context: Context;
  readonly #table: Table<Shown, AgentGroup>;
  readonly #search: HTMLInputElement;
  readonly #tools: HTMLElement;
  readonly #order: Intl.Collator;

  constructor(context: Context) {
    this.#context = context;
    const { words, refresh } = context;
    this.#order = new Intl.Collator(words.language, { numeric: true });
    const find = words.text("agents.find");
    this.#search = h("input", { type: "search", placeholder: find, "aria-label": find, autocomplete: "off" });
    this.#search.addEventListener("input", refresh);
    this.#tools = h("div", { class: "tools", role: "search" }, this.#search);
    const choices = (["free", "busy", "away", "offline"] as const).map((value) => ({
      value,
      label: words.text(`agents.${value}`),
    }));
    this.#table = new Table<Shown, AgentGroup>(words, {
      id: "agents",
      title: words.text("agents.title"),
      columns: [
        { title: words.text("agents.name") },
        { title: words.text("agents.state"), class: "state" },
        { title: words.text("agents.since"), class: "time" },
        { title: words.text("agents.act"), class: "act" },
      ],
      key: ({ id }) => id,
      create: () => agentRow(context),
      filter: { label: words.text("agents.state"), choices },
      tools: this.#tools,
      onChange: refresh,
    });
  }

  get node(): HTMLElement {
    return this.#table.node;
  }

  show(view: View, figures: Figures): void {
    const { words } = this.#context;
    const { agents, interactions } = view.live;
    const total = Object.keys(agents).length;
    const wanted = this.#wanted(agents);
    show(this.#tools, total > SEARCH_FROM);
    this.#table.show({
      total,
      counts: figures.agents,
      length: wanted.length,
      empty: words.text(total === 0 ? "agents.empty" : "agents.empty.filter"),
      item: (index) => {
        const [id, agent] = wanted[index] ?? [];
        if (id === undefined || !agent) return undefined;
        const work = (agent.work ?? []).map((one) => workText(words, one, interactions[one.interaction]));
        const skills = Object.entries(this.#context.lookup.agents[id]?.skills ?? {});
        return { id, agent, work: work.join(", "), skills: skills.map(([skill, level]) => `${skill} ${level}`).join(", ") };
      },
    });
  }

  /** The agents that the reader wants to see, by name. */
  #wanted(agents: Record<AgentId, AgentView>): [AgentId, AgentView][] {
    const group = this.#table.choice;
    const search = plain(this.#search.value.trim());
    return Object.entries(agents)
      .filter(([, agent]) => group === undefined || agentGroup(agent) === group)
      .filter(([id, { name }]) => search === "" || plain(name).includes(search) || plain(id).includes(search))
      .toSorted(([a, { name }], [b, other]) => this.#order.compare(name, other.name) || this.#order.compare(a, b));
  }
}

/** What an agent is, in words. */
export function stateText(words: Words, state: AgentState | ChosenState): string {
  switch (state.state) {
    case "break":
      return state.reason ? words.say("state.break.reason", { reason: state.reason }) : words.text("state.break");
    case "resting":
      return words.text(`state.resting.${state.after}`);
    case "not_reachable":
      return words.text(`state.not_reachable.${state.told}`);
    default:
      return words.text(`state.${state.state}`);
  }
}

/** One thing that an agent does: with whom, and how far it is if that is not a conversation. */
function workText(words: Words, { doing }: Work, interaction: InteractionView | undefined): string {
  const caller = interaction ? callerName(words, interaction) : words.text("caller.unnamed");
  return doing === "wrap_up" ? words.say("agents.wraps_up", { caller }) : caller;
}

/** What the rules look at of an agent's day. */
function recordText(words: Words, { record, chosen }: AgentView): string | undefined {
  if (chosen.state === "offline") return undefined;
  const { conversations: count = 0, occupancy = 0 } = record ?? {};
  const share = words.wholeShare(occupancy / 1e9);
  return `${words.say("agents.conversations", { count })} · ${words.say("agents.occupancy", { share })}`;
}

function agentRow(context: Context): Row<Shown> {
  const { words } = context;
  const name = h("span", { class: "name" });
  const below = h("span", { class: "below" });
  const sign = h("span", { class: "sign" });
  const state = h("span");
  const chip = h("span", { class: "chip" }, sign, state);
  const next = h("span", { class: "below" });
  const more = h("span", { class: "below more" });
  const doubt = icon("why");
  const said = h("span");
  const age = h("span");
  const presence = h("span", { class: "below presence", title: words.text("agents.presence.age") }, doubt, said, " ", age);
  const back = h("span", { class: "back" }, `${words.text("agents.until")} `);
  const time = h("span");
  const button = h("button", { type: "button", class: "act", "aria-haspopup": "menu" }, icon("down"));
  const node = row(
    nameCell(name, below, more),
    cell("state", chip, next, presence),
    cell("time", back, time),
    cell("act", button),
  );
  let id = "";
  button.addEventListener("click", () => context.openAgent(id, button));
  return {
    node,
    update({ id: agentId, agent, work, skills }) {
      id = agentId;
      write(name, agent.name);
      write(below, work);
      write(more, [skills, recordText(words, agent)].filter(Boolean).join(" · "));
      const told = agent.presence;
      show(presence, told !== undefined);
      if (told) {
        write(said, `${presenceText(words, told)}, ≤`);
        presence.dataset["confidence"] = told.confidence ?? "told";
        showSince(age, told.observed_at);
      }
      write(state, stateText(words, agent));
      showIcon(sign, SIGNS[agent.state]);
      chip.className = `chip chip-${agentGroup(agent)} state-${agent.state}`;
      const later = comesLater(agent) ? stateText(words, agent.chosen) : undefined;
      write(next, later === undefined ? "" : words.say("agents.next", { state: later }));
      button.setAttribute("aria-label", words.say("agents.act.label", { agent: agent.name }));
      const until = agent.state === "resting" ? agent.until : undefined;
      show(back, until !== undefined);
      if (until === undefined) showSince(time, agent.since);
      else showUntil(time, until);
    },
  };
}

/** Whether what was chosen is not in force yet. */
function comesLater({ state, chosen }: AgentView): boolean {
  return (state === "offered" || state === "in_conversation" || state === "wrap_up") && chosen.state !== "available";
}

/** For a search that does not ask for capitals and accents. */
function plain(text: string): string {
  return text.normalize("NFD").replace(/\p{Diacritic}/gu, "").toLowerCase();
}

/** The signs of what agents are. */
export const SIGNS: Record<AgentState["state"], IconName> = {
  available: "available",
  break: "break",
  offline: "offline",
  offered: "ringing",
  in_conversation: "talking",
  wrap_up: "wrap_up",
  resting: "resting",
  not_reachable: "resting",
  gone: "end",
};

/** With more agents than this there is a search. */
const SEARCH_FROM = 12;
