//! Stories about a center on virtual time, one file per behaviour.

#![cfg(test)]

mod agent_states;
mod announcements;
mod any_configuration;
mod callback;
mod caller_gone_while_ringing;
mod clock;
mod conditions_and_attributes;
mod config_faults;
mod documented_examples;
mod entry;
mod erase;
mod explanation;
mod facts;
mod flow;
mod full_closed_no_agents;
mod hang_up;
mod harness;
mod hold;
mod last_agent;
mod late_events;
mod limits;
mod longest_idle;
mod operations;
mod overflow_ladder;
mod priority_and_ageing;
mod queue;
mod reconfigure;
mod redirect;
mod releases;
mod repairs;
mod restart;
mod ring_all;
mod ring_no_answer;
mod rings;
mod scheduled_callback;
mod several_queues_fair;
mod skills_and_relaxing;
mod strategies;
mod total_wait_is_kept;
mod transfer;
mod vip;
mod voicemail;
mod wrap_up;
