//! What whoever plays Teams can have done.

use std::time::Instant;

use serde::Serialize;
use tandem_media::dtmf::Digit;

use super::call::{CallId, Phase, Placing, Purpose};
use super::proxy::{ProxyId, ProxyState};
use super::transfer::Target;
use super::trunk::Trunk;
use super::{Output, Teams};
use crate::config::TrunkConfig;
use crate::media::PortCommand;
use crate::user::{Behaviour, Reaction, Voice};

/// A command.
#[derive(Clone, Debug)]
pub enum Command {
    /// Changes what a user does from the next call on.
    Behave {
        /// The user.
        user: String,
        /// From now on.
        behaviour: Behaviour,
    },
    /// A user calls a number.
    Place {
        /// The user.
        user: String,
        /// Whom, and how.
        placing: Placing,
    },
    /// Something is done with a call.
    Act {
        /// The call.
        call: CallId,
        /// What.
        act: Act,
    },
    /// A proxy is stopped, drained or taken into service.
    SetProxy {
        /// The proxy.
        proxy: ProxyId,
        /// From now on.
        state: ProxyState,
    },
    /// A trunk is paired, or paired otherwise.
    SetTrunk {
        /// As it shall be.
        config: TrunkConfig,
    },
}

/// What can be done with a call.
#[derive(Clone, Debug)]
pub enum Act {
    /// The user answers a ringing call now.
    Answer,
    /// The user declines a ringing call now.
    Decline,
    /// The user puts the call on hold.
    Hold,
    /// The user takes it back.
    Resume,
    /// Teams refreshes the session.
    Refresh,
    /// The call moves to another media processor.
    Move,
    /// The user transfers the call.
    Transfer {
        /// Where to.
        to: Target,
        /// The call is put on hold first.
        hold_first: bool,
    },
    /// The user sends digits.
    Digits(Vec<Digit>),
    /// The user speaks otherwise.
    Speak(Voice),
    /// The user hangs up.
    HangUp,
}

/// What a command did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Done {
    /// It is under way; events tell what becomes of it.
    UnderWay,
    /// A new call began.
    Call(CallId),
}

/// Why a command is not carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum CommandRefusal {
    /// There is no such user.
    #[error("there is no such user")]
    NoUser,
    /// There is no such call.
    #[error("there is no such call")]
    NoCall,
    /// The call does not ring.
    #[error("the call does not ring")]
    NotRinging,
    /// The call is not set up.
    #[error("the call is not set up")]
    NotConnected,
    /// Something else is under way in the call.
    #[error("something else is under way in the call")]
    Busy,
    /// No trunk of the user's tenant is enabled and active.
    #[error("no trunk of the user's tenant is enabled and active: OPTIONS must get 200 both ways first")]
    NoTrunk,
    /// No proxy is up.
    #[error("no proxy is up")]
    NoProxy,
    /// Not a number that can be dialled.
    #[error("not a number that can be dialled")]
    NotANumber,
    /// The Allow header of the trunk has no REFER: Teams keeps transfers to itself, which is not simulated.
    #[error("the Allow header of the trunk has no REFER")]
    ReferNotAllowed,
}

impl Teams {
    /// Carries out a command, or says why not.
    pub fn handle_command(&mut self, now: Instant, command: Command) -> Result<Done, CommandRefusal> {
        match command {
            Command::Behave { user, behaviour } => {
                self.users.get_mut(&user).ok_or(CommandRefusal::NoUser)?.behaviour = behaviour;
            }
            Command::Place { user, placing } => return self.place(now, &user, placing).map(Done::Call),
            Command::Act { call, act } => self.act(now, call, act)?,
            Command::SetProxy { proxy, state } => self.set_proxy(now, proxy, state),
            Command::SetTrunk { config } => {
                let name = config.fqdn.to_ascii_lowercase();
                let config = TrunkConfig { fqdn: name.clone(), ..config };
                let trunk = self.trunks.entry(name).or_insert_with(|| Trunk::new(config.clone()));
                trunk.config = config;
            }
        }
        Ok(Done::UnderWay)
    }

    fn act(&mut self, now: Instant, id: CallId, act: Act) -> Result<(), CommandRefusal> {
        let call = self.calls.get_mut(&id).ok_or(CommandRefusal::NoCall)?;
        match act {
            Act::Answer | Act::Decline => {
                let Phase::Ringing(ringing) = &mut call.phase else { return Err(CommandRefusal::NotRinging) };
                ringing.reaction = if matches!(act, Act::Answer) {
                    Reaction::Answer { after_ms: 0, spread_ms: 0 }
                } else {
                    Reaction::Decline { after_ms: 0 }
                };
                self.react(now, id);
            }
            Act::Hold => self.begin_reoffer(now, id, Purpose::Hold, None)?,
            Act::Resume => self.begin_reoffer(now, id, Purpose::Resume, None)?,
            Act::Refresh => self.begin_reoffer(now, id, Purpose::Refresh, None)?,
            Act::Move => self.begin_reoffer(now, id, Purpose::Move, None)?,
            Act::Transfer { to, hold_first } => self.transfer(now, id, to, hold_first)?,
            Act::Digits(digits) => {
                if !call.is_connected() {
                    return Err(CommandRefusal::NotConnected);
                }
                let port = call.media.port;
                self.outputs.push_back(Output::Port(PortCommand::Digits { port, digits }));
            }
            Act::Speak(voice) => {
                call.behaviour.voice = voice;
                if call.is_connected() {
                    self.set_sending(id);
                }
            }
            Act::HangUp => self.hang_up(now, id),
        }
        Ok(())
    }

    fn set_proxy(&mut self, now: Instant, proxy: ProxyId, state: ProxyState) {
        let Some(found) = self.proxies.get_mut(proxy.index()) else { return };
        let before = std::mem::replace(&mut found.state, state);
        let (was_down, is_down) = (before == ProxyState::Down, state == ProxyState::Down);
        if was_down != is_down {
            self.outputs.push_back(Output::Listen { proxy, open: !is_down });
        }
        if is_down {
            let of_it = self.connections.iter().filter(|(_, connection)| connection.proxy == proxy);
            let of_it: Vec<_> = of_it.map(|(id, _)| id).collect();
            for id in of_it {
                self.close(now, id);
            }
        }
    }
}
