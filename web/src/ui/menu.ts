/** A menu beside the button that was pressed: one for all buttons of the page. */

import { h, write } from "./dom.ts";
import { icon, type IconName } from "./icon.ts";

/** Something to choose. With `checked` it is one of several of which one holds. */
export type Choice = { label: string; sign: IconName; checked?: boolean; act: () => void };

export class Menu {
  readonly node: HTMLElement;
  readonly #list = h("div", { role: "menu" });
  readonly #note = h("p", { class: "below" });
  #items: HTMLButtonElement[] = [];
  #button: HTMLElement | undefined;

  constructor() {
    this.node = h("div", { class: "menu", popover: "auto" }, this.#list, this.#note);
    this.node.addEventListener("keydown", (event) => this.#onKey(event));
    this.node.addEventListener("toggle", (event) => {
      if (event.newState === "closed") this.#button?.removeAttribute("aria-expanded");
    });
  }

  /** Offers the choices; `note` stands below them. */
  open(title: string, choices: readonly Choice[], button: HTMLElement, note = ""): void {
    this.#button = button;
    this.#list.setAttribute("aria-label", title);
    this.#items = choices.map((choice) => this.#item(choice));
    this.#list.replaceChildren(...this.#items);
    write(this.#note, note);
    this.node.showPopover();
    button.setAttribute("aria-expanded", "true");
    this.#place(button.getBoundingClientRect());
    this.#focus(Math.max(0, choices.findIndex(({ checked }) => checked)));
  }

  #item({ label, sign, checked, act }: Choice): HTMLButtonElement {
    const role = checked === undefined ? "menuitem" : "menuitemradio";
    const item = h("button", { type: "button", role, tabindex: -1 }, icon(sign), label);
    if (checked !== undefined) item.setAttribute("aria-checked", String(checked));
    item.addEventListener("click", () => {
      this.#close();
      act();
    });
    return item;
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
