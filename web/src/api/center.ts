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
export type SkillId = string;
export type CodeId = string;
/** 16 hexadecimal digits. */
export type RecordingId = string;
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
  /** Chose to be available, but another system says that calls would not reach the agent. */
  | { state: "not_reachable"; told: Presence; until: Timestamp }
  | { state: "gone" };

/** What another system says about an agent. */
export type Presence =
  | "available"
  | "busy"
  | "in_call"
  | "in_meeting"
  | "presenting"
  | "do_not_disturb"
  | "be_right_back"
  | "away"
  | "offline"
  | "out_of_office"
  | "unknown";

/** How far what another system says can be relied on; "told" is not written. */
export type Confidence = "doubtful" | "told" | "confirmed";

/** What another system said of an agent when something was decided. */
export type PresenceSeen = {
  source: string;
  presence: Presence;
  manual: boolean;
  age_us: Micros;
  confidence?: Confidence;
};

export type PresenceView = {
  source: string;
  presence: Presence;
  /** Whether the agent chose that there. */
  manual: boolean;
  /** Whether an agent of whom this is said is offered nothing. */
  stops: boolean;
  /** When it was so. */
  observed_at: Timestamp;
  /** Until when it is believed. */
  until: Timestamp;
  confidence?: Confidence;
};

/** How a matter of a customer reaches an agent. */
export type Channel = "call" | "callback" | "voicemail";

/** What is asked of an agent at one time; nothing: anybody of the queue. */
export type Requirement = {
  /** Only this agent. */
  agent?: AgentId;
  /** With the least level, 1 to 10. */
  skills?: Record<SkillId, number>;
  /** The last of the queue's rings from which the agent may be, from 1. */
  ring?: number;
};

/** What is asked of an agent, and what instead from a wait in the queue on. */
export type Terms = ({ after_us?: Micros } & Requirement)[];

export type RestCause = "missed" | "declined" | "busy" | "unreachable";
export type Who = "agent" | "telephone" | "supervisor" | "configuration";
export type Rejection = "unknown_number" | "busy" | "forbidden" | "unavailable" | "overloaded" | "declined";
export type MenuMiss = "no_key" | "wrong_key";
export type QueueRefusal = "full" | "gone" | "closed" | "no_agents";
export type QueueExit =
  | "abandoned"
  | "lost"
  | "waited_too_long"
  | "call_limit"
  | "queue_gone"
  | "overflowed"
  | "no_agents"
  | "callback_promised"
  | "customer_not_reached"
  | "cancelled"
  | "moved";
export type OfferOutcome =
  | "missed"
  | "declined"
  | "busy"
  | "unreachable"
  | "agent_left"
  | "caller_gone"
  | "lost"
  | "answered_elsewhere"
  | "not_confirmed"
  | "forwarded"
  | "caller_moved"
  | "customer_not_reached";
export type Side = "caller" | "agent";
export type EndedBy = "caller" | "agent" | "transfer" | "limit" | "finished" | "lost";
export type WrapUpEnd = "command" | "timer" | "agent_gone" | "queue_gone" | "taken_up";
/** On whose behalf personal data was erased. */
export type ErasedBy = "request" | "retention";
export type EndWhy =
  | "caller_left"
  | "agent_left"
  | "target_left"
  | "flow_ended"
  | "call_limit"
  | "promised"
  | "message_taken"
  | "message_heard"
  | "not_redirected"
  | "lost";
export type Outcome =
  | "handled"
  | "transferred"
  | "abandoned_in_queue"
  | "abandoned_in_flow"
  | "flow_ended"
  | "lost"
  | "not_reached"
  | "cancelled"
  | "expired";
export type CallbackEnd = "called_again" | "served" | "command";
export type RecordEnd = "complete" | "silence" | "limit" | "stopped" | "party_left" | "failed";
export type Missing =
  | "answer"
  | "play_end"
  | "collect_end"
  | "record_end"
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
  agents: { id: AgentId; name: string; skills?: Record<SkillId, number>; queues?: QueueId[] }[];
  queues: QueueDocument[];
};

export type QueueDocument = { id: QueueId; name: string; closed?: boolean; strategy?: Strategy };

export type Strategy =
  | "longest_idle"
  | "round_robin"
  | "ring_all"
  | "serial"
  | "least_occupied"
  | "fewest_conversations"
  | "most_skilled"
  | "least_skilled"
  | "weighted";

type Of<Kind extends string, Data = unknown> = { kind: Kind } & Data;
type InInteraction = { interaction: InteractionId };
type OfAgent = { agent: AgentId; agent_name: string };
type OfQueue = { queue: QueueId; queue_name: string };
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
  | Of<"agent_chose", OfAgent & { chosen: ChosenState; by: Who; why?: string; then: AgentState }>
  | Of<"rest_ended", OfAgent & { then: AgentState }>
  | Of<"presence_told", OfAgent & PresenceView & { then: AgentState }>
  | Of<"presence_forgotten", OfAgent & { then: AgentState }>
  | Of<"queue_switched", { queue: QueueId; queue_name: string; closed: boolean; why?: string }>
  | Of<"call_rejected", Arrival & { reason: Rejection }>
  | Of<"arrived", Arrival & { flow: FlowId }>
  | Of<"answered", InInteraction>
  | Of<"step_begun", InInteraction & { flow: FlowId; step: StepId }>
  | Of<"menu_chosen", InInteraction & { flow: FlowId; step: StepId; key: string }>
  | Of<"menu_missed", InInteraction & { flow: FlowId; step: StepId; reason: MenuMiss; tries_left: number }>
  | Of<"attributes_set", InInteraction & { attributes: Record<string, string> }>
  | Of<
      "queue_entered",
      InInteraction & OfQueue & { ahead: number; channel?: Channel; waiting_since?: Timestamp } & Partial<Standing>
    >
  | Of<"widened", InInteraction & { queue: QueueId; step: number }>
  | Of<"announced", InInteraction & { queue: QueueId; position?: number; expected_us?: Micros }>
  | Of<
      "prioritised",
      InInteraction & { priority: number; vip: boolean; stands_since: Timestamp; why?: string }
    >
  | Of<"terms_changed", InInteraction & { terms: Terms; why?: string }>
  | Of<"queue_refused", InInteraction & { queue: QueueId; reason: QueueRefusal }>
  | Of<"queue_left", InInteraction & OfQueue & { reason: QueueExit; waited_us: Micros }>
  | Of<"call_placed", InInteraction & { call: CallId; endpoint: Endpoint }>
  | Of<"redirect_begun", InInteraction & { party: number; endpoint: Endpoint }>
  | Of<"redirect_ended", InInteraction & { outcome: TransferOutcome; cause?: Cause }>
  | Of<
      "callback_scheduled",
      {
        line: string;
        to: Personal<Address>;
        name: Personal<string>;
        queue: QueueId;
        due_at: Timestamp;
        priority: number;
        terms?: Terms;
        why?: string;
      }
    >
  | Of<
      "callback_promised",
      InInteraction &
        OfQueue & {
          line: string;
          to: Personal<Address>;
          waiting_since: Timestamp;
          priority: number;
          vip: boolean;
          terms?: Terms;
        }
    >
  | Of<"callback_dialled", InInteraction & OfAgent & { party: number; attempt: number }>
  | Of<"callback_missed", InInteraction & { queue: QueueId; attempt: number; again_at?: Timestamp }>
  | Of<"callback_cancelled", InInteraction & { reason: CallbackEnd; why?: string }>
  | Of<
      "message_begun",
      InInteraction & {
        queue: QueueId;
        recording: RecordingId;
        waiting_since: Timestamp;
        priority: number;
        vip: boolean;
      }
    >
  | Of<"message_left", InInteraction & { recording: RecordingId; end: RecordEnd; length_us: Micros }>
  | Of<"message_missed", InInteraction & { recording: RecordingId }>
  | Of<"heard", InInteraction & { recording: RecordingId }>
  | Of<
      "offered",
      InInteraction &
        OfAgent &
        OfQueue & {
          party: number;
          endpoint: Endpoint;
          rings_until: Timestamp;
          waited_us: Micros;
          idle_us: Micros;
          /** Of how many agents who were free and fit this one was chosen. */
          of_ready?: number;
          turn?: { at: number; next: number };
          then?: AgentState;
          configuration: number;
        }
    >
  | Of<"ringing", InInteraction & { agent: AgentId }>
  | Of<
      "offer_ended",
      InInteraction &
        OfAgent & {
          queue: QueueId;
          outcome: OfferOutcome;
          cause?: Cause;
          rang_us: Micros;
          misses?: number;
          rest?: Rest;
          then: AgentState;
        }
    >
  | Of<
      "connected",
      InInteraction & OfAgent & OfQueue & { waited_us: Micros; rang_us: Micros; then?: AgentState }
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
          wrap_up_until?: Timestamp;
          then: AgentState;
        }
    >
  | Of<"wrap_up_extended", InInteraction & OfAgent & { until: Timestamp; then: AgentState }>
  | Of<
      "wrap_up_ended",
      InInteraction &
        OfAgent & {
          queue?: QueueId;
          by: WrapUpEnd;
          wrapped_us: Micros;
          code?: CodeId;
          note?: Personal<string>;
          then: AgentState;
        }
    >
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

export type QueueView = {
  name: string;
  /** Lets nobody in. */
  closed?: boolean;
  configured_closed?: boolean;
  /** How long conversations and wrap-ups take. */
  pace?: Pace;
  /** Where its turns are, if it offers by shares. */
  turn?: number;
};

export type Pace = { talk_us?: Micros; wrap_up_us?: Micros };

export type AgentView = AgentState & AgentPerson;

/** What there is to say of an agent in any state. */
export type AgentPerson = {
  name: string;
  chosen: ChosenState;
  since: Timestamp;
  /** What the agent is doing, oldest first. */
  work?: Work[];
  /** What another system says about the agent. */
  presence?: PresenceView;
  /** How the agent is left alone, perhaps behind something else that the agent does. */
  rest?: Rest;
  record?: AgentRecord;
};

/** An agent is left alone after an offer not taken. */
export type Rest = { after: RestCause; until?: Timestamp };

/** One thing that an agent is doing. */
export type Work = { interaction: InteractionId } & Doing;

export type Doing =
  | { doing: "offered" }
  | { doing: "talking" }
  | { doing: "wrap_up"; since: Timestamp; until: Timestamp; queue: QueueId };

/** What the rules look at of an agent's past. */
export type AgentRecord = {
  /** The number of the fact of the last offer. */
  last_offer?: number;
  /** Since signing in. */
  conversations?: number;
  /** One after the other. */
  misses?: number;
  /** The part of the time spent in conversations and wrap-ups, of 1,000,000,000. */
  occupancy?: number;
  turns?: Record<QueueId, number>;
};

export type InteractionView = StageView & Matter;

/** What there is to say of an interaction at any stage. */
export type Matter = {
  /** Its call, or the last one if none stands. */
  call?: CallId;
  /** `false` if no call stands. */
  in_call?: boolean;
  channel?: Channel;
  line: string;
  from: Personal<Address>;
  from_name: Personal<string>;
  to: Address;
  flow?: FlowId;
  arrived_at: Timestamp;
  /** When its call began, if that is not when it arrived. */
  call_began_at?: Timestamp;
  answered: boolean;
  /** Whether somebody has talked to an agent. */
  handled?: boolean;
  attributes?: Record<string, string>;
  /** The waits of the queues that were left. */
  waited_us?: Micros;
  caller_held_since?: Timestamp;
  /** The agents who are still being rung although nothing can come of it. */
  ringing_out?: RingingOut[];
  wrapping_up?: AgentId[];
  /** The promise to call back. */
  callback?: { line: string; to: Personal<Address>; attempts: number };
  /** The message that was left. */
  message?: { queue: QueueId; recording: RecordingId; length_us: Micros };
};

/** Where an interaction stands. `wrap_up` means that the call is over. */
export type StageView =
  | { stage: "in_flow"; step: StepId | null }
  | ({ stage: "waiting" } & QueueStay)
  | ({ stage: "offered"; offers: OfferView[] } & QueueStay)
  /** An agent has taken a callback, the customer is being rung. */
  | ({ stage: "calling_back"; offer: OfferView; customer: number } & QueueStay)
  /** The call is about to end, and the matter then waits in a queue without one. */
  | ({ stage: "parked" } & Ticket)
  | ({ stage: "scheduled"; at: Timestamp } & Ticket)
  | ({ stage: "leaving_message"; recording: RecordingId } & Ticket)
  /** Is being handed over to a telephone that is no agent's. */
  | { stage: "redirecting"; party: number }
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
      /** The agent who is still connected. */
      conversation?: ConversationView;
    }
  | { stage: "wrap_up"; outcome: Outcome };

/** How somebody stands among those who wait. */
export type Standing = {
  /** The moment by which the customer stands among all others of the queue, if it is not the wait alone. */
  stands_since?: Timestamp;
  /** From 1, first, to 5; 3 if nothing is said. */
  priority?: number;
  /** Before everybody who is not. */
  vip?: boolean;
  terms?: Terms;
};

export type QueueStay = {
  queue: QueueId;
  entered_at: Timestamp;
  /** Since when the customer would have waited if all waits had been one, if that is not since the entry. */
  waiting_since?: Timestamp;
  /** Which step of the terms holds, from 0. */
  step?: number;
} & Standing;

/** The right to a place in a queue that somebody has who is not in it just now. */
export type Ticket = { queue: QueueId; waiting_since: Timestamp; priority: number; vip?: boolean; terms?: Terms };

export type OfferView = {
  agent: AgentId;
  party: number;
  offered_at: Timestamp;
  rings_until: Timestamp;
  ringing: boolean;
};

export type RingingOut = OfferView & { queue: QueueId; outcome: OfferOutcome };

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
  call?: CallId;
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
