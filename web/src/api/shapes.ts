/** What the program takes and answers, as its description says it. */

import type { components } from "./schema.ts";

type Schemas = components["schemas"];

export type Agents = Schemas["Agents"];
export type Assignment = Schemas["Assignment"];
export type Because = Schemas["Because"];
export type Conclusion = Schemas["Conclusion"];
export type Done = Pick<Schemas["Done"], "number">;
export type Importance = Schemas["Importance"];
export type MoveTo = Schemas["MoveTo"];
export type Queues = Schemas["Queues"];
export type SetState = Schemas["SetState"];
export type Switch = Schemas["Switch"];
export type Trunks = Schemas["Trunks"];
export type WantedCallback = Schemas["WantedCallback"];

/** What a report says about the queues, as far as the page needs it. */
export type QueueReport = {
  rows: { channel: string; metrics: { metric: string; variant?: string; numerator?: number; denominator?: number }[] }[];
};
