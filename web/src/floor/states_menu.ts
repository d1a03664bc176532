/** The menu with which an agent's state is set: one for all agents, opened beside the button that was pressed. */

import type { AgentId, AgentView, ChosenState } from "../api/center.ts";
import type { Words } from "../i18n/words.ts";
import { h, write } from "../ui/dom.ts";
import { icon, type IconName } from "../ui/icon.ts";

/** The states that can be chosen. */
const STATES: readonly ChosenState["state"][] = ["available", "break", "offline"];

export class StatesMenu {
  readonly node: HTMLElement;
  readonly #words: Words;
  readonly #items: HTMLButtonElement[];
  readonly #later: HTMLElement;
  #button: HTMLElement | undefined;

  constructor(words: Words, onChoose: (agent: AgentId, chosen: ChosenState) => void) {
    this.#words = words;
    this.#items = STATES.map((state) => {
      const item = h("button", { type: "button", role: "menuitemradio", tabindex: -1 });
      item.append(icon(state satisfies IconName), words.text(`state.${state}`));
      item.addEventListener("click", () => {
        const agent = this.#agent;
        this.#close();
        if (agent !== undefined) onChoose(agent, { state });
      });
      return item;
    });
    this.#later = h("p", { class: "below" }, words.text("menu.later"));
    this.node = h("div", { class: "menu", popover: "auto" }, h("div", { role: "menu" }, ...this.#items), this.#later);
    this.node.addEventListener("keydown", (event) => this.#onKey(event));
    this.node.addEventListener("toggle", (event) => {
      if (event.newState === "closed") this.#button?.removeAttribute("aria-expanded");
    });
  }

  #agent: AgentId | undefined;

  open(id: AgentId, agent: AgentView, button: HTMLElement): void {
    this.#agent = id;
    this.#button = button;
    const menu = this.node.firstElementChild;
    menu?.setAttribute("aria-label", this.#words.say("menu.title", { agent: agent.name }));
    for (const [index, item] of this.#items.entries()) {
      item.setAttribute("aria-checked", String(STATES[index] === agent.chosen.state));
    }
    const isBusy = agent.state === "in_conversation" || agent.state === "wrap_up" || agent.state === "offered";
    write(this.#later, isBusy ? this.#words.text("menu.later") : "");
    this.node.showPopover();
    button.setAttribute("aria-expanded", "true");
    this.#place(button.getBoundingClientRect());
    this.#focus(STATES.indexOf(agent.chosen.state));
  }

  #close(): void {
    this.node.hidePopover();
    this.#button?.focus({ preventScroll: true });
  }

  /** Below the button if there is room, else above; never outside of the window. */
  #place(button: DOMRect): void {
    const { offsetWidth: width, offsetHeight: height } = this.node;
    const isRoom = button.bottom + height + MARGIN < innerHeight;
    const top = isRoom ? button.bottom + GAP : Math.max(MARGIN, button.top - height - GAP);
    const left = Math.max(MARGIN, Math.min(button.right - width, innerWidth - width - MARGIN));
    this.node.style.setProperty("top", `${top}px`);
    this.node.style.setProperty("left", `${left}px`);
  }

  #onKey(event: KeyboardEvent): void {
    const at = this.#items.findIndex((item) => item === document.activeElement);
    const last = this.#items.length - 1;
    const moves: Record<string, number> = {
      ArrowDown: at === last ? 0 : at + 1,
      ArrowUp: at <= 0 ? last : at - 1,
      Home: 0,
      End: last,
    };
    const to = moves[event.key];
    if (to !== undefined) {
      event.preventDefault();
      this.#focus(to);
    } else if (event.key === "Tab" || event.key === "Escape") {
      event.preventDefault();
      this.#close();
    }
  }

  #focus(index: number): void {
    this.#items[index]?.focus({ preventScroll: true });
  }
}

/** Between the button and the menu, in pixels. */
const GAP = 4;

/** Between the menu and the edge of the window, in pixels. */
const MARGIN = 8;
