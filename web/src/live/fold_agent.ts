/** The fold of what agents are and do; see `fold.ts`. */

import type {
  AgentId,
  AgentPerson,
  AgentRecord,
  AgentState,
  AgentView,
  Doing,
  Fact,
  FactOf,
  InteractionId,
  Timestamp,
  Work,
} from "../api/center.ts";

type Agents = Record<AgentId, AgentView>;

/** Takes in a fact as far as it is about an agent. */
export function applyToAgent(agents: Agents, fact: Fact): void {
  switch (fact.kind) {
    case "agent_chose": {
      const { agent: id, agent_name: name, chosen } = fact;
      const agent = agents[id];
      agents[id] = agent ? chose(agent, chosen) : { ...fact.then, name, chosen, since: fact.at };
      setAgent(agents, id, fact.then, fact.at);
      break;
    }
    case "presence_told": {
      const { source, presence, manual, stops, observed_at, until, confidence } = fact;
      const told = { source, presence, manual, stops, observed_at, until, ...(confidence && { confidence }) };
      change(agents, fact.agent, (agent) => ({ ...agent, presence: told }));
      setAgent(agents, fact.agent, fact.then, fact.at);
      break;
    }
    case "presence_forgotten":
      change(agents, fact.agent, (agent) => {
        const { presence: _, ...rest } = agent;
        return rest;
      });
      setAgent(agents, fact.agent, fact.then, fact.at);
      break;
    case "offered": {
      const { interaction, queue, turn } = fact;
      change(agents, fact.agent, (agent) => {
        const turns = turn ? { turns: { ...agent.record?.turns, [queue]: turn.next } } : {};
        const record = { ...agent.record, last_offer: fact.number, ...turns };
        return { ...agent, record, work: [...(agent.work ?? []), { interaction, doing: "offered" }] };
      });
      setAgent(agents, fact.agent, fact.then ?? { state: "offered", interaction }, fact.at);
      break;
    }
    case "connected": {
      const { interaction } = fact;
      change(agents, fact.agent, (agent) => {
        const conversations = (agent.record?.conversations ?? 0) + 1;
        return doing({ ...agent, record: recordOf({ ...agent.record, conversations, misses: 0 }) }, interaction, {
          doing: "talking",
        });
      });
      setAgent(agents, fact.agent, fact.then ?? { state: "in_conversation", interaction }, fact.at);
      break;
    }
    case "offer_ended": {
      const { misses = 0 } = fact;
      const rest = fact.rest ?? restOf(fact.then);
      change(agents, fact.agent, (agent) => {
        const after = doing(withRecord(agent, { misses }), fact.interaction, undefined);
        return rest ? { ...after, rest } : after;
      });
      setAgent(agents, fact.agent, fact.then, fact.at);
      break;
    }
    case "conversation_ended": {
      const until = wrapUpUntil(fact);
      const { queue, at: since } = fact;
      const next: Doing | undefined = until === undefined ? undefined : { doing: "wrap_up", since, until, queue };
      change(agents, fact.agent, (agent) => doing(agent, fact.interaction, next));
      setAgent(agents, fact.agent, fact.then, fact.at);
      break;
    }
    case "wrap_up_extended": {
      const { interaction, until } = fact;
      change(agents, fact.agent, (agent) => {
        if (!agent.work) return agent;
        return { ...agent, work: agent.work.map((work) => (work.interaction === interaction ? longer(work, until) : work)) };
      });
      setAgent(agents, fact.agent, fact.then, fact.at);
      break;
    }
    case "wrap_up_ended":
      change(agents, fact.agent, (agent) => doing(agent, fact.interaction, undefined));
      setAgent(agents, fact.agent, fact.then, fact.at);
      break;
    case "rest_ended":
      change(agents, fact.agent, withoutRest);
      setAgent(agents, fact.agent, fact.then, fact.at);
      break;
    default:
  }
}

/** Until when the wrap-up lasts that begins with the end of a conversation, if one does. */
export function wrapUpUntil(fact: FactOf<"conversation_ended">): Timestamp | undefined {
  if (fact.wrap_up_until !== undefined) return fact.wrap_up_until;
  // The first release told it by the agent's state alone.
  const { then, interaction } = fact;
  return then.state === "wrap_up" && then.interaction === interaction ? then.until : undefined;
}

function change(agents: Agents, id: AgentId, to: (agent: AgentView) => AgentView): void {
  const agent = agents[id];
  if (agent) agents[id] = to(agent);
}

function chose(agent: AgentView, chosen: AgentView["chosen"]): AgentView {
  const signsIn = agent.chosen.state === "offline";
  return { ...withRecord(withoutRest(agent), { misses: 0, ...(signsIn && { conversations: 0 }) }), chosen };
}

/** How the agent is left alone, as far as the state says. */
function restOf(state: AgentState): AgentPerson["rest"] {
  if (state.state !== "resting") return undefined;
  return { after: state.after, ...(state.until !== undefined && { until: state.until }) };
}

function withoutRest(agent: AgentView): AgentView {
  const { rest: _, ...others } = agent;
  return others;
}

/** Says what the agent does in an interaction; with nothing to do there, it is no longer the agent's. */
function doing(agent: AgentView, interaction: InteractionId, next: Doing | undefined): AgentView {
  if (!agent.work) return agent;
  const { work: before, ...rest } = agent;
  const work = before.flatMap((one): Work[] => {
    if (one.interaction !== interaction) return [one];
    return next ? [{ interaction, ...next }] : [];
  });
  return work.length > 0 ? { ...rest, work } : rest;
}

function longer(work: Work, until: Timestamp): Work {
  return work.doing === "wrap_up" ? { ...work, until } : work;
}

function withRecord(agent: AgentView, changes: AgentRecord): AgentView {
  const { record, ...rest } = agent;
  const after = recordOf({ ...record, ...changes });
  return Object.keys(after).length > 0 ? { ...rest, record: after } : rest;
}

/** A record says nothing of what is zero. */
function recordOf(record: AgentRecord): AgentRecord {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== 0));
}

function setAgent(agents: Agents, id: AgentId, state: AgentState, at: Timestamp): void {
  const agent = agents[id];
  if (!agent) return;
  if (state.state === "gone") delete agents[id];
  else if (!isSameState(agent, state)) agents[id] = { ...state, ...personOf(spent(agent, at)), since: at };
}

/** Counts the time in the state that ends into the agent's occupancy. */
function spent(agent: AgentView, to: Timestamp): AgentView {
  const towards = OCCUPIED[agent.state];
  if (towards === undefined) return agent;
  const kept = Math.exp(-Math.max(0, to - agent.since) / MEMORY_US);
  const before = agent.record?.occupancy ?? 0;
  return withRecord(agent, { occupancy: Math.round(towards + (before - towards) * kept) });
}

function personOf({ name, chosen, since, work, presence, rest, record }: AgentView): AgentPerson {
  return {
    name,
    chosen,
    since,
    ...(work && { work }),
    ...(presence && { presence }),
    ...(rest && { rest }),
    ...(record && { record }),
  };
}

/** Everything that a state may say. */
type StateParts = {
  state: string;
  reason?: string;
  idle_since?: number;
  interaction?: number;
  until?: number;
  after?: string;
  told?: string;
};

const STATE_PARTS = ["state", "reason", "idle_since", "interaction", "until", "after", "told"] as const;

function isSameState(a: StateParts, b: StateParts): boolean {
  return STATE_PARTS.every((part) => a[part] === b[part]);
}

/** All of an agent's time, as occupancy counts it. */
const WHOLE = 1_000_000_000;

/** What a state counts towards occupancy; one that is not here counts as no time at all. */
const OCCUPIED: Partial<Record<AgentState["state"], number>> = {
  in_conversation: WHOLE,
  wrap_up: WHOLE,
  available: 0,
  offered: 0,
  resting: 0,
  not_reachable: 0,
};

/** After this time what was counts about a third. */
const MEMORY_US = 3_600_000_000;
