/** What the program takes and answers, as its description says it. */

import type { Channel, Strategy } from "./center.ts";
import type { components } from "./schema.ts";

type Schemas = components["schemas"];

export type Done = Pick<Schemas["Done"], "number">;
export type Trunks = Schemas["Trunks"];
export type MoveTo = { queue: string; reason?: string };
export type Importance = { priority: number; vip: boolean; reason?: string };
export type Assignment = { agent: string; reason?: string };
export type Because = { reason?: string };
export type WantedCallback = { line: string; phone: string; name?: string; queue: string; at?: number; priority?: number; reason?: string };
export type Switch = { closed: boolean; reason?: string };
export type Conclusion = { code?: string; note?: string };
/** What a report says about the queues, as far as the page needs it. */
export type QueueReport = {
  queues: { channel: Channel; metrics: { metric: string; variant?: string; numerator?: number; denominator?: number }[] }[];
};
export type AgentEntry = { id: string; queues: string[]; skills?: Record<string, number> };
export type QueueEntry = {
  id: string;
  strategy?: Strategy;
  expected_us?: number | null;
  codes?: { id: string; name: string }[];
};
