/** What the live view does not say, asked for now and then: skills of agents, rules and prospects of queues, reports. */

import type { Client } from "../api/client.ts";
import type { QueueReport } from "../api/shapes.ts";
import type { AgentId, CodeId, Micros, QueueId, SkillId, Strategy } from "../api/center.ts";

/** What is known of an agent. */
export type KnownAgent = { skills: Readonly<Record<SkillId, number>>; queues: readonly QueueId[] };

/** What is known of a queue. */
export type KnownQueue = {
  strategy: Strategy | undefined;
  /** How long a caller who came now would wait; `undefined` if nobody can tell. */
  expected_us: Micros | undefined;
  codes: readonly { id: CodeId; name: string }[];
};

/** How many callers were answered in time, of how many. */
export type Level = { met: number; of: number };

/** The service level by the two ways of counting that are shown. */
export type Levels = {
  /** SL5: who gives up within five seconds is left out. */
  withoutShort: Level;
  /** SL2: whoever gives up is a miss. */
  ofAll: Level;
};

export class Lookup {
  agents: Readonly<Record<AgentId, KnownAgent>> = {};
  queues: Readonly<Record<QueueId, KnownQueue>> = {};
  /** How callers were answered today; `undefined` until the program has told it. */
  levels: Levels | undefined;
  /** The lines over which customers can be called. */
  lines: readonly string[] = [];
  readonly #client: Client;
  readonly #onNew: () => void;
  #isAsking = false;

  /** `onNew` is called when something may be different. */
  constructor(client: Client, onNew: () => void) {
    this.#client = client;
    this.#onNew = onNew;
  }

  /** Asks for everything anew, unless that is being done. What is not answered stays as it was. */
  async ask(): Promise<void> {
    if (this.#isAsking) return;
    this.#isAsking = true;
    const [agents, queues, trunks, report] = await Promise.all([
      this.#client.agentList(),
      this.#client.queueList(),
      this.#client.trunkList(),
      this.#client.queueReport(midnight() * 1000),
    ]);
    if (agents.ok) {
      this.agents = Object.fromEntries(
        agents.value.agents.map(({ id, skills = {}, queues: of }) => [id, { skills, queues: of }]),
      );
    }
    if (queues.ok) {
      this.queues = Object.fromEntries(
        queues.value.queues.map(({ id, strategy, expected_us, codes = [] }) => {
          return [id, { strategy, expected_us: expected_us ?? undefined, codes }];
        }),
      );
    }
    if (trunks.ok) this.lines = trunks.value.trunks.map(({ name }) => name);
    if (report.ok) this.levels = levelsIn(report.value);
    this.#isAsking = false;
    this.#onNew();
  }
}

/** The service levels of all callers in a report, callbacks and messages aside. */
export function levelsIn({ rows }: QueueReport): Levels {
  const levels: Levels = { withoutShort: { met: 0, of: 0 }, ofAll: { met: 0, of: 0 } };
  for (const { channel, metrics } of rows) {
    if (channel !== "call") continue;
    for (const { metric, variant, numerator = 0, denominator = 0 } of metrics) {
      const level = variant === "sl5" ? levels.withoutShort : variant === "sl2" ? levels.ofAll : undefined;
      if (metric !== "service_level" || !level) continue;
      level.met += numerator;
      level.of += denominator;
    }
  }
  return levels;
}

/** When today began where the reader is. */
function midnight(): number {
  return new Date().setHours(0, 0, 0, 0);
}
