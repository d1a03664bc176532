/** What the parts of the page have in common. */

import type { AgentId, InteractionId } from "../api/center.ts";
import type { Words } from "../i18n/words.ts";

export type Context = {
  words: Words;
  /** Shows the story of a call. */
  openStory(id: InteractionId): void;
  /** Offers the states that an agent can be set to, beside the button. */
  openStates(agent: AgentId, button: HTMLElement): void;
  /** The reader wants to see something else of the view that is there. */
  refresh(): void;
};
