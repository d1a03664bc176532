/** What a supervisor wants to know at a glance, counted from the view. */

import type { AgentState, InteractionView, QueueStay, StageView, Timestamp, View } from "../api/center.ts";
import { waitingSince } from "../live/fold.ts";

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
};

/** What an agent's state comes to for whoever looks for somebody free. */
export type AgentGroup = "free" | "busy" | "away" | "offline";

/** What a call's stage comes to. */
export type CallGroup = "menu" | "waiting" | "ringing" | "talking";

/** Within this wait a caller is answered in time: the habit of the field. */
export const TARGET_US = 20_000_000;

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
  };
  for (const agent of Object.values(view.live.agents)) figures.agents[agentGroup(agent)] += 1;
  const queues = new Set<string>();
  for (const interaction of Object.values(view.live.interactions)) {
    const group = callGroup(interaction);
    if (group && isInProgress(interaction)) figures.calls[group] += 1;
    if (isInProgress(interaction)) figures.inProgress += 1;
    if (!isWaiting(interaction)) continue;
    figures.waiting += 1;
    queues.add(interaction.queue);
    // Who is to be called back, or has left a message, does other things meanwhile.
    if (interaction.channel !== undefined && interaction.channel !== "call") continue;
    figures.longestSince = Math.min(figures.longestSince ?? Infinity, waitingSince(interaction));
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
    case "not_reachable":
      return "away";
    default:
      return "offline";
  }
}

/** Whether somebody is in a queue, being offered or not. */
export function isWaiting(interaction: InteractionView): interaction is Extract<InteractionView, QueueStay> {
  const { stage } = interaction;
  return stage === "waiting" || stage === "offered" || stage === "calling_back";
}

/** Whether a call stands: promises and messages wait without one, and an agent's wrap-up may outlast it. */
export function isInProgress({ stage, in_call = true }: InteractionView): boolean {
  return in_call && stage !== "wrap_up";
}

/** Where a call is; `undefined` while it is being ended, and after. */
export function callGroup({ stage }: StageView): CallGroup | undefined {
  switch (stage) {
    case "in_flow":
      return "menu";
    case "waiting":
      return "waiting";
    case "offered":
    case "calling_back":
    case "redirecting":
      return "ringing";
    case "leaving_message":
      return "menu";
    case "connected":
    case "transferred":
      return "talking";
    default:
      return undefined;
  }
}
