/**
 * The center as the program tells it: the facts of its journal, and the view that they add up to.
 *
 * These are the types of `crates/center` (`fact.rs`, `view.rs`, `agent.rs`, `call.rs`) as they stand in JSON. Times
 * are microseconds since 1970 in UTC, durations (`*_us`) are microseconds; both are exact in a JavaScript number until
 * the year 2255.
 */

/** A moment: microseconds since 1970-01-01T00:00:00 UTC. */
export type Timestamp = number;
/** A duration in microseconds. */
export type Micros = number;

export type AgentId = string;
export type QueueId = string;
export type FlowId = string;
export type StepId = string;
/** 16 hexadecimal digits. */
export type CallId = string;
/** The number of the fact with which the interaction began. */
export type InteractionId = number;

export type Address = { phone: string } | { sip: string } | "anonymous";
/** Something that can tell who somebody was; `null` once it was erased. */
export type Personal<T> = T | null;
export type Endpoint = { line: string; address: Address };

export type ChosenState = { state: "available" } | { state: "break"; reason?: string } | { state: "offline" };

export type AgentState =
  | { state: "offline" }
  | { state: "break"; reason?: string }
  | { state: "available"; idle_since: Timestamp }
  | { state: "offered"; interaction: InteractionId }
  | { state: "in_conversation"; interaction: InteractionId }
  | { state: "wrap_up"; interaction: InteractionId; until: Timestamp }
  | { state: "resting"; after: RestCause; until?: Timestamp }
  | { state: "gone" };

export type RestCause = "missed" | "declined" | "busy" | "unreachable";
export type Who = "agent" | "supervisor" | "configuration";
export type Rejection = "unknown_number" | "busy" | "forbidden" | "unavailable" | "overloaded" | "declined";
export type MenuMiss = "no_key" | "wrong_key";
export type QueueRefusal = "full" | "gone";
export type QueueExit = "abandoned" | "lost" | "waited_too_long" | "call_limit" | "queue_gone";
export type OfferOutcome = "missed" | "declined" | "busy" | "unreachable" | "agent_left" | "caller_gone" | "lost";
export type Side = "caller" | "agent";
export type EndedBy = "caller" | "agent" | "transfer" | "limit" | "lost";
export type WrapUpEnd = "command" | "timer" | "agent_gone";
/** On whose behalf personal data was erased. */
export type ErasedBy = "request" | "retention";
export type EndWhy = "caller_left" | "agent_left" | "target_left" | "flow_ended" | "call_limit" | "lost";
export type Outcome =
  | "handled"
  | "transferred"
  | "abandoned_in_queue"
  | "abandoned_in_flow"
  | "flow_ended"
  | "lost";
export type Missing =
  | "answer"
  | "play_end"
  | "collect_end"
  | "transfer_end"
  | "party_left"
  | "call_end"
  | "flow_end";
export type TransferOutcome = "done" | "failed";

export type CauseKind =
  | "hung_up"
  | "cancelled"
  | "removed"
  | "transferred"
  | "not_answered"
  | "busy"
  | "declined"
  | "not_found"
  | "unavailable"
  | "forbidden"
  | "not_acceptable"
  | "unreachable"
  | "overloaded"
  | "network_failure"
  | "lost"
  | "rejected"
  | "limit"
  | "restarted";
export type Cause = { kind: CauseKind; code?: number; detail?: string };

/** How well a party was heard. The score is the mean opinion score times 100. */
export type Quality = {
  mos_x100: number | null;
  packets_received: number;
  lost_x10000: number;
  jitter_ms: number;
  round_trip_ms: number | null;
};

/** What a configuration says as far as this page needs it; the whole of it is richer. */
export type Document = {
  agents: { id: AgentId; name: string }[];
  queues: { id: QueueId; name: string }[];
};

type Of<Kind extends string, Data = unknown> = { kind: Kind } & Data;
type InInteraction = { interaction: InteractionId };
type OfAgent = { agent: AgentId; agent_name: string };
type Arrival = {
  call: CallId;
  line: string;
  from: Personal<Address>;
  from_name: Personal<string>;
  to: Address;
};

/** What happened, by kind. */
export type FactKind =
  | Of<"configured", { configuration: Document }>
  | Of<"agent_chose", OfAgent & { chosen: ChosenState; by: Who; then: AgentState }>
  | Of<"rest_ended", OfAgent & { then: AgentState }>
  | Of<"call_rejected", Arrival & { reason: Rejection }>
  | Of<"arrived", Arrival & { flow: FlowId }>
  | Of<"answered", InInteraction>
  | Of<"step_begun", InInteraction & { flow: FlowId; step: StepId }>
  | Of<"menu_chosen", InInteraction & { flow: FlowId; step: StepId; key: string }>
  | Of<"menu_missed", InInteraction & { flow: FlowId; step: StepId; reason: MenuMiss; tries_left: number }>
  | Of<"queue_entered", InInteraction & { queue: QueueId; queue_name: string; ahead: number }>
  | Of<"queue_refused", InInteraction & { queue: QueueId; reason: QueueRefusal }>
  | Of<"queue_left", InInteraction & { queue: QueueId; queue_name: string; reason: QueueExit; waited_us: Micros }>
  | Of<
      "offered",
      InInteraction &
        OfAgent & {
          queue: QueueId;
          queue_name: string;
          party: number;
          endpoint: Endpoint;
          rings_until: Timestamp;
          waited_us: Micros;
          idle_us: Micros;
          configuration: number;
        }
    >
  | Of<"ringing", InInteraction & { agent: AgentId }>
  | Of<
      "offer_ended",
      InInteraction &
        OfAgent & { queue: QueueId; outcome: OfferOutcome; cause?: Cause; rang_us: Micros; then: AgentState }
    >
  | Of<
      "connected",
      InInteraction & OfAgent & { queue: QueueId; queue_name: string; waited_us: Micros; rang_us: Micros }
    >
  | Of<"held", InInteraction & { by: Side }>
  | Of<"resumed", InInteraction & { by: Side; held_us: Micros }>
  | Of<"transfer_asked", InInteraction & OfAgent & { transfer: number; target?: Personal<Address>; allowed: boolean }>
  | Of<"transfer_ended", InInteraction & OfAgent & { transfer: number; outcome: TransferOutcome }>
  | Of<
      "conversation_ended",
      InInteraction &
        OfAgent & {
          queue: QueueId;
          by: EndedBy;
          cause: Cause;
          talked_us: Micros;
          held_us: Micros;
          then: AgentState;
        }
    >
  | Of<"wrap_up_ended", InInteraction & OfAgent & { by: WrapUpEnd; wrapped_us: Micros; then: AgentState }>
  | Of<"quality", InInteraction & { party: number; agent?: AgentId; quality: Quality }>
  | Of<"ending", InInteraction & { why: EndWhy; cause?: Cause; outcome: Outcome }>
  | Of<"call_ended", InInteraction & { call: CallId; cause: Cause; lasted_us: Micros }>
  | Of<"repaired", InInteraction & { missing: Missing }>
  | Of<"closed", InInteraction & { outcome: Outcome }>
  | Of<"erased", InInteraction & { by: ErasedBy; why?: string }>;

/** One thing that happened. Facts are numbered 1, 2, 3 and so on without a gap. */
export type Fact = { number: number; at: Timestamp; v: number } & FactKind;

/** The fact of one kind. */
export type FactOf<Kind extends FactKind["kind"]> = Extract<Fact, { kind: Kind }>;

/** Everything that screens show: what is live, what the queues have counted, and the last calls. */
export type View = {
  /** When the last fact happened. */
  at: Timestamp;
  live: Live;
  totals: Record<QueueId, QueueTotals>;
  /** What has happened so far to each open interaction, in order. */
  stories: Record<InteractionId, Fact[]>;
  /** The interactions closed last, newest first. */
  recent: ClosedInteraction[];
};

/** What is live at a number. */
export type Live = {
  /** The number of the last fact. */
  number: number;
  configuration: number;
  queues: Record<QueueId, QueueView>;
  agents: Record<AgentId, AgentView>;
  interactions: Record<InteractionId, InteractionView>;
};

export type QueueView = { name: string };

export type AgentView = AgentState & { name: string; chosen: ChosenState; since: Timestamp };

export type InteractionView = StageView & {
  call: CallId;
  line: string;
  from: Personal<Address>;
  from_name: Personal<string>;
  to: Address;
  flow: FlowId;
  arrived_at: Timestamp;
  answered: boolean;
  caller_held_since?: Timestamp;
  wrapping_up?: AgentId;
};

/** Where an interaction stands. `wrap_up` means that the call is over. */
export type StageView =
  | { stage: "in_flow"; step: StepId | null }
  | ({ stage: "waiting" } & QueueStay)
  | ({ stage: "offered"; offer: OfferView } & QueueStay)
  | { stage: "connected"; conversation: ConversationView }
  | {
      stage: "transferred";
      /** The conversation with the agent who handed over and has not left yet. */
      leaving?: ConversationView;
      /** The hand-over that goes on although the agent has left. */
      pending?: { agent: AgentId; transfer: number };
    }
  | {
      stage: "ending";
      outcome: Outcome;
      /** The queue that the caller has still to leave. */
      stay?: QueueStay;
      /** The agent who is still being rung. */
      offer?: OfferView & { queue: QueueId };
      /** The agent who is still connected. */
      conversation?: ConversationView;
    }
  | { stage: "wrap_up"; outcome: Outcome };

export type QueueStay = { queue: QueueId; entered_at: Timestamp };

export type OfferView = {
  agent: AgentId;
  party: number;
  offered_at: Timestamp;
  rings_until: Timestamp;
  ringing: boolean;
};

export type ConversationView = {
  queue: QueueId;
  agent: AgentId;
  connected_at: Timestamp;
  held_since?: Timestamp;
  held_us: Micros;
  transfer?: number;
};

export type ClosedInteraction = {
  interaction: InteractionId;
  outcome: Outcome;
  call: CallId;
  line: string;
  from: Personal<Address>;
  from_name: Personal<string>;
  to: Address;
  arrived_at: Timestamp;
  closed_at: Timestamp;
  story: Fact[];
};

/** What a queue has counted since the journal began. */
export type QueueTotals = {
  entered: number;
  refused: number;
  answered: number;
  abandoned: number;
  flowed_out: number;
  lost: number;
};
