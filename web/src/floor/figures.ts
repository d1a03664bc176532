/** What a supervisor wants to know at a glance, counted from the view. */

import type { AgentState, StageView, Timestamp, View } from "../api/center.ts";
import { summaryOfClosed } from "../call/summary.ts";

export type Figures = {
  waiting: number;
  /** Since when the one waits who has waited longest. */
  longestSince: Timestamp | undefined;
  /** The queues in which somebody waits. */
  queues: number;
  agents: Record<AgentGroup, number>;
  /** Calls that are not over. */
  inProgress: number;
  calls: Record<CallGroup, number>;
  answered: number;
  abandoned: number;
  /** Everybody who entered a queue since the journal began. */
  entered: number;
  level: ServiceLevel;
};

/** What an agent's state comes to for whoever looks for somebody free. */
export type AgentGroup = "free" | "busy" | "away" | "offline";

/** What a call's stage comes to. */
export type CallGroup = "menu" | "waiting" | "ringing" | "talking";

/** How many of the last callers were answered in time. */
export type ServiceLevel = { met: number; of: number };

/** Within this wait a caller is answered in time. The usual target; a queue cannot be given one of its own yet. */
export const TARGET_US = 20_000_000;

/** Who gives up sooner than this does not count against the service level: nobody could have answered. */
const SHORT_ABANDON_US = 5_000_000;

export function figuresOf(view: View): Figures {
  const figures: Figures = {
    waiting: 0,
    longestSince: undefined,
    queues: 0,
    agents: { free: 0, busy: 0, away: 0, offline: 0 },
    inProgress: 0,
    calls: { menu: 0, waiting: 0, ringing: 0, talking: 0 },
    answered: 0,
    abandoned: 0,
    entered: 0,
    level: serviceLevel(view),
  };
  for (const agent of Object.values(view.live.agents)) figures.agents[agentGroup(agent)] += 1;
  const queues = new Set<string>();
  for (const interaction of Object.values(view.live.interactions)) {
    const group = callGroup(interaction);
    if (group) figures.calls[group] += 1;
    if (isInProgress(interaction)) figures.inProgress += 1;
    if (interaction.stage === "waiting" || interaction.stage === "offered") {
      figures.waiting += 1;
      queues.add(interaction.queue);
      figures.longestSince = Math.min(figures.longestSince ?? Infinity, interaction.entered_at);
    }
  }
  figures.queues = queues.size;
  for (const totals of Object.values(view.totals)) {
    figures.answered += totals.answered;
    figures.abandoned += totals.abandoned;
    figures.entered += totals.entered;
  }
  return figures;
}

export function agentGroup({ state }: AgentState): AgentGroup {
  switch (state) {
    case "available":
      return "free";
    case "offered":
    case "in_conversation":
    case "wrap_up":
      return "busy";
    case "break":
    case "resting":
      return "away";
    default:
      return "offline";
  }
}

/** Whether a call is not over yet; an agent's wrap-up of one that is over may go on. */
export function isInProgress({ stage }: StageView): boolean {
  return stage !== "wrap_up";
}

/** Where a call is; `undefined` while it is being ended, and after. */
export function callGroup({ stage }: StageView): CallGroup | undefined {
  switch (stage) {
    case "in_flow":
      return "menu";
    case "waiting":
      return "waiting";
    case "offered":
      return "ringing";
    case "connected":
    case "transferred":
      return "talking";
    default:
      return undefined;
  }
}

/**
 * Of the last calls, those answered within the target among those answered or given up: short abandons are left out,
 * later ones are misses.
 */
export function serviceLevel(view: View): ServiceLevel {
  const level: ServiceLevel = { met: 0, of: 0 };
  for (const closed of view.recent) {
    for (const { end, waited } of summaryOfClosed(closed).stays) {
      if (end === "other" || (end === "abandoned" && waited < SHORT_ABANDON_US)) continue;
      level.of += 1;
      if (end === "answered" && waited <= TARGET_US) level.met += 1;
    }
  }
  return level;
}
