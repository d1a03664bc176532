/** The cell that names a call: who calls, and below it what else is worth knowing. Pressed, it opens the story. */

import type { InteractionId } from "../api/center.ts";
import { h, show, write } from "../ui/dom.ts";
import { nameCell } from "../ui/table.ts";
import type { Context } from "./context.ts";

export type CallerCell = {
  node: HTMLTableCellElement;
  /** `mark` is what stands out below the name. */
  update(id: InteractionId, name: string, below: readonly (string | undefined)[], mark?: string): void;
};

/** `more` stands below all of it. */
export function callerCell({ words, openStory }: Context, more?: HTMLElement): CallerCell {
  const button = h("button", { type: "button", class: "name" });
  const stands = h("span", { class: "mark" });
  const rest = h("span");
  const below = h("span", { class: "below" }, stands, rest);
  let call: InteractionId = 0;
  button.addEventListener("click", () => openStory(call));
  return {
    node: nameCell(button, below, more),
    update(id, name, parts, mark) {
      call = id;
      write(button, name);
      button.setAttribute("aria-label", words.say("calls.open", { caller: name }));
      const text = parts.filter((part) => part !== undefined).join(SEPARATOR);
      write(stands, mark ?? "");
      write(rest, mark && text ? SEPARATOR + text : text);
      show(below, mark !== undefined || text !== "");
    },
  };
}

const SEPARATOR = " · ";
