/** What the parts of the page have in common. */

import type { AgentId, InteractionId, QueueId } from "../api/center.ts";
import type { Words } from "../i18n/words.ts";
import type { Lookup } from "../live/lookup.ts";

export type Context = {
  words: Words;
  /** What the view does not say. */
  lookup: Lookup;
  /** What an agent is called. */
  nameOfAgent(agent: AgentId): string;
  /** Shows the story of a call. */
  openStory(id: InteractionId): void;
  /** Offers what can be done about an agent, beside the button. */
  openAgent(agent: AgentId, button: HTMLElement): void;
  /** Offers what can be done about somebody who waits, beside the button. */
  openCall(id: InteractionId, button: HTMLElement): void;
  /** Closes or opens a queue. */
  switchQueue(queue: QueueId): void;
  /** Has a customer called. */
  callBack(): void;
  /** The reader wants to see something else of the view that is there. */
  refresh(): void;
};
