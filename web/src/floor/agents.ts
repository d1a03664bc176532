/** The agents and what they do. */

import type { AgentId, AgentState, AgentView, ChosenState, View } from "../api/center.ts";
import { callerName } from "../call/caller.ts";
import type { Words } from "../i18n/words.ts";
import { showSince, showUntil } from "../live/clock.ts";
import { h, show, write } from "../ui/dom.ts";
import { icon, type IconName, showIcon } from "../ui/icon.ts";
import type { Row } from "../ui/rows.ts";
import { cell, nameCell, row, Table } from "../ui/table.ts";
import type { Context } from "./context.ts";
import { type AgentGroup, agentGroup, type Figures } from "./figures.ts";

type Shown = { id: AgentId; agent: AgentView; caller: string | undefined };

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
        const interaction = "interaction" in agent ? interactions[agent.interaction] : undefined;
        return { id, agent, caller: interaction && callerName(words, interaction) };
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

function agentRow(context: Context): Row<Shown> {
  const { words } = context;
  const name = h("span", { class: "name" });
  const below = h("span", { class: "below" });
  const sign = h("span", { class: "sign" });
  const state = h("span");
  const chip = h("span", { class: "chip" }, sign, state);
  const next = h("span", { class: "below" });
  const back = h("span", { class: "back" }, `${words.text("agents.until")} `);
  const time = h("span");
  const button = h("button", { type: "button", class: "act", "aria-haspopup": "menu" }, icon("down"));
  const node = row(
    nameCell(name, below),
    cell("state", chip, next),
    cell("time", back, time),
    cell("act", button),
  );
  let id = "";
  button.addEventListener("click", () => context.openStates(id, button));
  return {
    node,
    update({ id: agentId, agent, caller }) {
      id = agentId;
      write(name, agent.name);
      write(below, caller ?? "");
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

const SIGNS: Record<AgentState["state"], IconName> = {
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
