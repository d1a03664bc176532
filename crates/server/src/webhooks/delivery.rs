//! The deliveries to one endpoint: in the order of the facts, one at a time, again until they are taken.
//!
//! No clock, no socket, no file: the shell reads and sends what is asked for and hands in what came of it. The journal
//! is the buffer: an endpoint that is slow or down holds a few events in memory and a number in the register.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde::{Deserialize, Serialize};
use tandem_center::Timestamp;

/// What goes on with one endpoint.
#[derive(Debug)]
pub struct Courier {
    /// The last fact that is settled: taken, or not wanted.
    cursor: u64,
    /// The same as the register has it.
    written: u64,
    /// The last fact that there is.
    newest: u64,
    /// Facts up to here are settled or in `letters`.
    read_to: u64,
    /// Read, wanted and not taken yet, in order; at most [`PAGE_FACTS`].
    letters: VecDeque<Letter>,
    /// When they were read. What is personal in them may be erased afterwards: see [`LETTERS_FRESH`].
    read_at: Timestamp,
    doing: Doing,
    standing: Standing,
    /// Attempts that are not written yet; at most [`LOG_GROUP`], and [`UNWRITTEN_ATTEMPTS_MAX`] while the disk fails.
    attempts: Vec<Attempt>,
    /// The register has another standing than this one.
    standing_unwritten: bool,
    /// When what is not written is written at the latest.
    log_due: Option<Timestamp>,
    outputs: VecDeque<Output>,
    random: StdRng,
    now: Timestamp,
}

/// An event on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// The number of its fact.
    pub number: u64,
    /// The event's id.
    pub id: Arc<str>,
    /// The event as JSON.
    pub body: Arc<[u8]>,
}

/// What the shell is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// To read facts after this one, at most [`PAGE_FACTS`]; becomes [`Courier::handle_page`], or
    /// [`Courier::handle_unreadable`].
    Read {
        /// The last fact that was read.
        after: u64,
    },
    /// To send this; becomes [`Courier::handle_answer`].
    Send {
        /// What.
        letter: Letter,
        /// Which attempt it is, from 1.
        attempt: u32,
    },
    /// To write attempts into the log, and to move the cursor if it is still at the first of the two. If that fails, it
    /// becomes [`Courier::handle_unwritten`].
    Write {
        /// What was tried, in order.
        attempts: Vec<Attempt>,
        /// From where the cursor goes to where.
        cursor: Option<(u64, u64)>,
    },
    /// To write that the deliveries go otherwise from now on. If that fails, it becomes
    /// [`Courier::handle_standing_unwritten`].
    Standing(Standing),
}

/// One attempt to deliver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// The number of the fact.
    pub number: u64,
    /// From 1.
    pub attempt: u32,
    /// What came of it.
    pub answer: Answer,
}

/// What came of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// When it began.
    pub began: Timestamp,
    /// How long it took.
    pub took: Duration,
    /// The status of the answer, or why there was none.
    pub outcome: Result<u16, String>,
    /// How many seconds the endpoint asks to wait (`Retry-After`).
    pub retry_after_s: Option<u32>,
}

/// How deliveries go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "standing", rename_all = "snake_case")]
pub enum Standing {
    /// The last one was taken, or there was none.
    #[default]
    Well,
    /// The last ones were not taken.
    Failing {
        /// Since when, in microseconds since 1970.
        since_us: u64,
        /// How often the event was tried.
        attempts: u32,
    },
    /// Nothing is delivered any more until somebody enables the endpoint again.
    Disabled {
        /// Since when, in microseconds since 1970.
        since_us: u64,
        /// Why.
        why: DisabledWhy,
    },
}

/// Why nothing is delivered any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DisabledWhy {
    /// The endpoint answered 410: it is gone.
    Gone,
    /// It has taken nothing for [`FAILING_MAX`].
    FailedTooLong,
    /// It is more than [`BEHIND_FACTS_MAX`] behind.
    TooFarBehind,
    /// Its secret cannot be read any more: the file of keys is another one.
    SecretLost,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Doing {
    /// All that there is was read and taken.
    Nothing,
    /// Facts after `read_to` are being read.
    Reading,
    /// The first letter is on its way.
    Sending { attempt: u32 },
    /// Waits to try again.
    Resting { until: Timestamp },
}

impl Courier {
    /// Goes on after a fact, with what was known of the endpoint, when the last fact is this one.
    pub fn new(now: Timestamp, cursor: u64, standing: Standing, newest: u64, seed: u64) -> Courier {
        let mut courier = Courier {
            cursor,
            written: cursor,
            newest,
            read_to: cursor,
            letters: VecDeque::new(),
            read_at: now,
            doing: Doing::Nothing,
            standing,
            attempts: Vec::new(),
            standing_unwritten: false,
            log_due: None,
            outputs: VecDeque::new(),
            random: StdRng::seed_from_u64(seed),
            now,
        };
        courier.proceed();
        courier
    }

    /// Facts are committed up to this one.
    pub fn handle_committed(&mut self, now: Timestamp, newest: u64) {
        self.at(now);
        self.newest = self.newest.max(newest);
        self.proceed();
    }

    /// What was read: the events that are wanted, and up to which fact.
    pub fn handle_page(&mut self, now: Timestamp, letters: Vec<Letter>, to: u64) {
        self.at(now);
        if self.doing == Doing::Reading {
            self.doing = Doing::Nothing;
            self.letters.extend(letters);
            self.read_at = self.now;
            self.read_to = self.read_to.max(to);
            // Somebody who reads past the last commit that was told has read commits.
            self.newest = self.newest.max(to);
            self.settle();
            self.proceed();
        }
    }

    /// Nothing could be read: the disk fails, which says nothing about the endpoint.
    pub fn handle_unreadable(&mut self, now: Timestamp) {
        self.at(now);
        if self.doing == Doing::Reading {
            self.doing = Doing::Resting { until: self.now + UNREADABLE_PAUSE };
        }
    }

    /// What came of the letter that was sent.
    pub fn handle_answer(&mut self, now: Timestamp, answer: Answer) {
        self.at(now);
        let Doing::Sending { attempt } = self.doing else { return };
        let Some(number) = self.letters.front().map(|letter| letter.number) else { return };
        let (status, asked) = (answer.outcome.as_ref().ok().copied(), answer.retry_after_s);
        self.log(Attempt { number, attempt, answer });
        match status {
            Some(200..=299) => {
                self.doing = Doing::Nothing;
                self.letters.pop_front();
                self.settle();
                // While the disk fails it is tried now and then, not with each event.
                if self.attempts.len() == LOG_GROUP {
                    self.write();
                }
                if self.standing != Standing::Well {
                    self.stand(Standing::Well);
                }
            }
            Some(410) => self.disable(DisabledWhy::Gone),
            _ => self.fail(attempt, asked),
        }
        self.proceed();
    }

    /// Time has passed.
    pub fn handle_timeout(&mut self, now: Timestamp) {
        self.at(now);
        if let Doing::Resting { until } = self.doing
            && until <= self.now
        {
            self.doing = Doing::Nothing;
            self.forget_letters();
        }
        if self.log_due.is_some_and(|due| due <= self.now) {
            self.write();
        }
        self.proceed();
    }

    /// This could not be written: the register is where it was, and it is tried again soon.
    pub fn handle_unwritten(&mut self, now: Timestamp, attempts: Vec<Attempt>, cursor: Option<(u64, u64)>) {
        self.at(now);
        if let Some((from, _)) = cursor {
            self.written = from;
        }
        let later = std::mem::replace(&mut self.attempts, attempts);
        self.attempts.extend(later);
        // What is told of the oldest is lost; the events are not.
        self.attempts.drain(..self.attempts.len().saturating_sub(UNWRITTEN_ATTEMPTS_MAX));
        self.log_due = Some(self.now + UNWRITTEN_PAUSE);
    }

    /// How deliveries go could not be written: it is tried again soon.
    pub fn handle_standing_unwritten(&mut self, now: Timestamp) {
        self.at(now);
        self.standing_unwritten = true;
        self.log_due = Some(self.now + UNWRITTEN_PAUSE);
    }

    /// Nothing more will be asked for: writes what is not written.
    pub fn handle_end(&mut self, now: Timestamp) {
        self.at(now);
        self.write();
    }

    /// What is to be done next.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When [`Courier::handle_timeout`] is to be called.
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        let resting = match self.doing {
            Doing::Resting { until } => Some(until),
            Doing::Nothing | Doing::Reading | Doing::Sending { .. } => None,
        };
        resting.into_iter().chain(self.log_due).min()
    }

    /// How deliveries go, written or not.
    pub fn standing(&self) -> Standing {
        self.standing
    }

    /// How many facts it is behind.
    pub fn behind(&self) -> u64 {
        self.newest.saturating_sub(self.cursor)
    }

    fn at(&mut self, now: Timestamp) {
        self.now = self.now.max(now);
    }

    /// Does what can be done now.
    fn proceed(&mut self) {
        if self.behind() > BEHIND_FACTS_MAX && !self.is_disabled() {
            self.disable(DisabledWhy::TooFarBehind);
        }
        if self.doing != Doing::Nothing || self.is_disabled() {
            return;
        }
        if !self.letters.is_empty() && self.now.since(self.read_at) > LETTERS_FRESH {
            self.forget_letters();
        }
        if let Some(letter) = self.letters.front() {
            let attempt = match self.standing {
                Standing::Failing { attempts, .. } => attempts.saturating_add(1),
                Standing::Well | Standing::Disabled { .. } => 1,
            };
            self.outputs.push_back(Output::Send { letter: letter.clone(), attempt });
            self.doing = Doing::Sending { attempt };
        } else if self.read_to < self.newest {
            self.outputs.push_back(Output::Read { after: self.read_to });
            self.doing = Doing::Reading;
        }
    }

    /// Everything that is not taken is read again before it is sent.
    fn forget_letters(&mut self) {
        self.letters.clear();
        self.read_to = self.cursor;
    }

    fn fail(&mut self, attempt: u32, asked_s: Option<u32>) {
        let since_us = match self.standing {
            Standing::Failing { since_us, .. } => since_us,
            Standing::Well | Standing::Disabled { .. } => self.now.as_micros(),
        };
        if self.now.since(Timestamp::from_micros(since_us)) >= FAILING_MAX {
            return self.disable(DisabledWhy::FailedTooLong);
        }
        let step = usize::try_from(attempt.saturating_sub(1)).unwrap_or(usize::MAX).min(PAUSES_S.len() - 1);
        let pause = Duration::from_secs(PAUSES_S.get(step).copied().unwrap_or(1));
        let pause = pause.mul_f64(self.random.random_range(JITTER));
        let asked = Duration::from_secs(asked_s.unwrap_or_default().into()).min(RETRY_AFTER_MAX);
        self.doing = Doing::Resting { until: self.now + pause.max(asked) };
        self.stand(Standing::Failing { since_us, attempts: attempt });
        self.write();
    }

    fn disable(&mut self, why: DisabledWhy) {
        self.doing = Doing::Nothing;
        self.write();
        self.stand(Standing::Disabled { since_us: self.now.as_micros(), why });
    }

    fn is_disabled(&self) -> bool {
        matches!(self.standing, Standing::Disabled { .. })
    }

    fn stand(&mut self, standing: Standing) {
        self.standing = standing;
        self.standing_unwritten = false;
        self.outputs.push_back(Output::Standing(standing));
    }

    /// Everything before the first letter is settled.
    fn settle(&mut self) {
        self.cursor = match self.letters.front() {
            Some(letter) => letter.number.saturating_sub(1).max(self.cursor),
            None => self.read_to,
        };
        if self.cursor - self.written >= UNWRITTEN_MAX && self.log_due.is_none() {
            self.write();
        }
    }

    fn log(&mut self, attempt: Attempt) {
        self.attempts.push(attempt);
        if self.attempts.len() > UNWRITTEN_ATTEMPTS_MAX {
            self.attempts.remove(0);
        }
        let due = self.now + LOG_DELAY;
        self.log_due.get_or_insert(due);
    }

    fn write(&mut self) {
        self.log_due = None;
        if std::mem::take(&mut self.standing_unwritten) {
            self.outputs.push_back(Output::Standing(self.standing));
        }
        if self.attempts.is_empty() && self.cursor == self.written {
            return;
        }
        let cursor = (self.cursor != self.written).then_some((self.written, self.cursor));
        self.written = self.cursor;
        self.outputs.push_back(Output::Write { attempts: std::mem::take(&mut self.attempts), cursor });
    }
}

/// Facts that are read at once: so many events of one endpoint are in memory at most.
pub const PAGE_FACTS: usize = 200;

/// Whoever is further behind is disabled: with ten facts a second that is more than a day. Events are not lost: they
/// stand in the journal, and whoever enables the endpoint again says from where it goes on.
pub const BEHIND_FACTS_MAX: u64 = 1_000_000;

/// How far back an endpoint can be moved, and one that was paused or disabled goes on: so far that it does not fall too far
/// behind before it has begun.
pub const REPLAY_FACTS_MAX: u64 = 900_000;

/// What was read longer ago is read again before it is sent: what has been erased meanwhile is not in it any more.
pub const LETTERS_FRESH: Duration = Duration::from_secs(5);

/// An endpoint that has taken nothing for so long is disabled.
pub const FAILING_MAX: Duration = Duration::from_secs(3 * 24 * 3_600);

/// Pauses after the first failure, the second and so on, in seconds; the last one again and again. The first are for
/// an endpoint that is being started anew, the last for one whose people are asleep.
pub const PAUSES_S: [u64; 9] = [1, 5, 30, 120, 600, 1_800, 3_600, 7_200, 14_400];

/// The share of a pause that is really waited, drawn each time, so that endpoints of one host do not come together.
const JITTER: std::ops::Range<f64> = 0.8..1.2;

/// The longest `Retry-After` that is waited for; a longer one is asked again then.
pub const RETRY_AFTER_MAX: Duration = Duration::from_secs(6 * 3_600);

/// The register could not be written: then again.
const UNWRITTEN_PAUSE: Duration = Duration::from_secs(10);

/// Attempts that wait for a disk that fails; of more, the oldest are not in the log.
const UNWRITTEN_ATTEMPTS_MAX: usize = 200;

/// The journal could not be read: then again.
const UNREADABLE_PAUSE: Duration = Duration::from_secs(10);

/// Attempts that are written together, and how long the first of them waits. A program that is killed sends so many
/// events again.
const LOG_GROUP: usize = 20;
const LOG_DELAY: Duration = Duration::from_millis(500);

/// The cursor is written at the latest after so many facts that nobody wanted: so many are read again after a restart.
const UNWRITTEN_MAX: u64 = 1_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_micros(1_800_000_000_000_000 + seconds * 1_000_000)
    }

    fn letter(number: u64) -> Letter {
        Letter { number, id: format!("evt_acme_{number}").into(), body: Arc::from([]) }
    }

    fn answer(now: Timestamp, status: u16) -> Answer {
        Answer { began: now, took: Duration::from_millis(20), outcome: Ok(status), retry_after_s: None }
    }

    fn drain(courier: &mut Courier) -> Vec<Output> {
        std::iter::from_fn(|| courier.poll_output()).collect()
    }

    /// The number that is sent, and which attempt it is.
    fn sent(outputs: &[Output]) -> Vec<(u64, u32)> {
        let send = |output: &Output| match output {
            Output::Send { letter, attempt } => Some((letter.number, *attempt)),
            _ => None,
        };
        outputs.iter().filter_map(send).collect()
    }

    /// An endpoint that goes on after fact 10 and has been handed 11, 13 and 14.
    fn with_letters() -> Courier {
        let mut courier = Courier::new(at(0), 10, Standing::Well, 14, 1);
        assert_eq!(drain(&mut courier), [Output::Read { after: 10 }]);
        courier.handle_page(at(0), vec![letter(11), letter(13), letter(14)], 14);
        assert_eq!(sent(&drain(&mut courier)), [(11, 1)]);
        courier
    }

    #[test]
    fn events_go_out_in_order_and_one_at_a_time() {
        let mut courier = with_letters();
        courier.handle_committed(at(1), 20);
        assert_eq!(drain(&mut courier), [], "one is on its way");
        courier.handle_answer(at(1), answer(at(0), 204));
        assert_eq!(sent(&drain(&mut courier)), [(13, 1)]);
        courier.handle_answer(at(1), answer(at(1), 200));
        assert_eq!(sent(&drain(&mut courier)), [(14, 1)]);
        courier.handle_answer(at(1), answer(at(1), 200));
        assert_eq!(drain(&mut courier), [Output::Read { after: 14 }]);
        assert_eq!(courier.behind(), 6);
    }

    #[test]
    fn what_was_taken_is_written_with_the_log_and_soon() {
        let mut courier = with_letters();
        courier.handle_answer(at(0), answer(at(0), 200));
        drain(&mut courier);
        let due = courier.poll_timeout().unwrap();
        assert_eq!(due, at(0) + LOG_DELAY);
        courier.handle_timeout(due);
        let outputs = drain(&mut courier);
        // 12 was not wanted, and is settled with 11.
        let [Output::Write { attempts, cursor: Some((10, 12)) }] = &outputs[..] else {
            panic!("{outputs:?}")
        };
        assert_eq!(attempts.len(), 1);
        assert_eq!(courier.poll_timeout(), None);
    }

    #[test]
    fn many_that_are_taken_are_written_together() {
        let mut courier = Courier::new(at(0), 0, Standing::Well, 100, 1);
        drain(&mut courier);
        courier.handle_page(at(0), (1..=100).map(letter).collect(), 100);
        for _ in 1..LOG_GROUP {
            courier.handle_answer(at(0), answer(at(0), 200));
        }
        assert!(!drain(&mut courier).iter().any(|output| matches!(output, Output::Write { .. })));
        courier.handle_answer(at(0), answer(at(0), 200));
        let outputs = drain(&mut courier);
        assert!(
            matches!(&outputs[0], Output::Write { attempts, cursor: Some((0, 20)) } if attempts.len() == LOG_GROUP),
            "{outputs:?}"
        );
        assert_eq!(sent(&outputs), [(21, 1)]);
    }

    #[test]
    fn an_event_that_is_not_taken_holds_up_all_after_it() {
        let mut courier = with_letters();
        let mut pauses = Vec::new();
        let mut now = at(0);
        for attempt in 1..=12 {
            courier.handle_answer(now, answer(now, 500));
            let outputs = drain(&mut courier);
            assert_eq!(sent(&outputs), []);
            let failing = Standing::Failing { since_us: at(0).as_micros(), attempts: attempt };
            assert!(outputs.contains(&Output::Standing(failing)), "{outputs:?}");
            let due = courier.poll_timeout().unwrap();
            pauses.push(due.since(now).as_secs_f64());
            courier.handle_timeout(due);
            assert_eq!(drain(&mut courier), [Output::Read { after: 10 }], "what was read may be erased");
            courier.handle_page(due, vec![letter(11), letter(13), letter(14)], 14);
            assert_eq!(sent(&drain(&mut courier)), [(11, attempt + 1)]);
            now = due;
        }
        for (index, pause) in pauses.iter().enumerate() {
            let nominal = PAUSES_S[index.min(PAUSES_S.len() - 1)] as f64;
            assert!((nominal * 0.8..nominal * 1.2).contains(pause), "{pauses:?}");
        }
        courier.handle_answer(now, answer(now, 200));
        let outputs = drain(&mut courier);
        assert!(outputs.contains(&Output::Standing(Standing::Well)));
        assert_eq!(sent(&outputs), [(13, 1)], "the count begins anew");
    }

    #[test]
    fn an_endpoint_is_waited_for_as_long_as_it_asks() {
        let mut courier = with_letters();
        courier.handle_answer(at(0), Answer { retry_after_s: Some(600), ..answer(at(0), 429) });
        assert_eq!(courier.poll_timeout(), Some(at(600)));
        courier.handle_timeout(at(599));
        assert_eq!(sent(&drain(&mut courier)), []);
        courier.handle_timeout(at(600));
        courier.handle_page(at(600), vec![letter(11)], 14);
        assert_eq!(sent(&drain(&mut courier)), [(11, 2)]);
        courier.handle_answer(at(600), Answer { retry_after_s: Some(u32::MAX), ..answer(at(600), 503) });
        assert_eq!(courier.poll_timeout(), Some(at(600) + RETRY_AFTER_MAX));
    }

    #[test]
    fn an_endpoint_that_is_gone_is_told_no_more() {
        let mut courier = with_letters();
        courier.handle_answer(at(1), answer(at(0), 410));
        let outputs = drain(&mut courier);
        let gone = Standing::Disabled { since_us: at(1).as_micros(), why: DisabledWhy::Gone };
        assert_eq!(outputs.last(), Some(&Output::Standing(gone)));
        assert!(
            matches!(&outputs[0], Output::Write { attempts, cursor: None } if attempts.len() == 1),
            "{outputs:?}"
        );
        courier.handle_committed(at(2), 30);
        assert_eq!(drain(&mut courier), []);
        assert_eq!(courier.poll_timeout(), None);
    }

    #[test]
    fn after_days_of_failures_an_endpoint_is_disabled_and_nothing_is_skipped() {
        let mut courier = with_letters();
        let mut now = at(0);
        let last = loop {
            courier.handle_answer(now, answer(now, 404));
            let outputs = drain(&mut courier);
            let Some(due) = courier.poll_timeout() else { break outputs };
            assert!(due.since(at(0)) < FAILING_MAX + Duration::from_secs(5 * 3_600));
            courier.handle_timeout(due);
            courier.handle_page(due, vec![letter(11)], 14);
            assert_eq!(sent(&drain(&mut courier)).first().map(|(number, _)| *number), Some(11));
            now = due;
        };
        assert!(now.since(at(0)) >= FAILING_MAX);
        let why = DisabledWhy::FailedTooLong;
        assert_eq!(
            last.last(),
            Some(&Output::Standing(Standing::Disabled { since_us: now.as_micros(), why }))
        );
        assert_eq!(courier.cursor, 10, "it goes on where it was");
    }

    #[test]
    fn a_restart_goes_on_with_the_event_that_was_not_taken() {
        let failing = Standing::Failing { since_us: at(0).as_micros(), attempts: 4 };
        let mut courier = Courier::new(at(90), 10, failing, 14, 1);
        assert_eq!(drain(&mut courier), [Output::Read { after: 10 }]);
        courier.handle_page(at(90), vec![letter(11)], 14);
        assert_eq!(sent(&drain(&mut courier)), [(11, 5)]);
    }

    #[test]
    fn whoever_falls_too_far_behind_is_disabled() {
        let mut courier = with_letters();
        courier.handle_committed(at(1), 10 + BEHIND_FACTS_MAX + 1);
        let outputs = drain(&mut courier);
        let why = DisabledWhy::TooFarBehind;
        let disabled = Standing::Disabled { since_us: at(1).as_micros(), why };
        assert_eq!(outputs, [Output::Standing(disabled)]);
    }

    #[test]
    fn whoever_goes_on_as_far_back_as_may_be_is_not_disabled_at_once() {
        let mut courier = Courier::new(at(0), 0, Standing::Well, REPLAY_FACTS_MAX, 1);
        courier.handle_committed(at(1), REPLAY_FACTS_MAX + 10_000);
        assert_eq!(drain(&mut courier), [Output::Read { after: 0 }]);
    }

    #[test]
    fn facts_that_nobody_wants_move_the_cursor_without_a_word() {
        let mut courier = Courier::new(at(0), 0, Standing::Well, 999, 1);
        drain(&mut courier);
        courier.handle_page(at(0), Vec::new(), 999);
        assert_eq!(drain(&mut courier), [], "too few to be written");
        assert_eq!(courier.poll_timeout(), None);
        courier.handle_committed(at(1), 1_000);
        assert_eq!(drain(&mut courier), [Output::Read { after: 999 }]);
        courier.handle_page(at(1), Vec::new(), 1_000);
        assert_eq!(drain(&mut courier), [Output::Write { attempts: Vec::new(), cursor: Some((0, 1_000)) }]);
    }

    #[test]
    fn a_journal_that_cannot_be_read_is_read_again() {
        let mut courier = Courier::new(at(0), 0, Standing::Well, 5, 1);
        drain(&mut courier);
        courier.handle_unreadable(at(0));
        assert_eq!(courier.poll_timeout(), Some(at(0) + UNREADABLE_PAUSE));
        courier.handle_timeout(at(60));
        assert_eq!(drain(&mut courier), [Output::Read { after: 0 }]);
    }

    #[test]
    fn what_was_read_a_while_ago_is_read_again_before_it_is_sent() {
        let mut courier = with_letters();
        let late = at(0) + LETTERS_FRESH + Duration::from_secs(1);
        courier.handle_answer(late, answer(at(0), 200));
        assert_eq!(drain(&mut courier), [Output::Read { after: 12 }], "13 may have been erased meanwhile");
        courier.handle_page(late, vec![letter(13), letter(14)], 14);
        assert_eq!(sent(&drain(&mut courier)), [(13, 1)]);
    }

    #[test]
    fn what_could_not_be_written_is_written_later_from_where_the_register_is() {
        let mut courier = with_letters();
        courier.handle_answer(at(0), answer(at(0), 200));
        courier.handle_timeout(at(1));
        let [Output::Write { attempts, cursor }] = &drain(&mut courier)[1..] else { panic!() };
        assert_eq!(*cursor, Some((10, 12)));
        courier.handle_unwritten(at(1), attempts.clone(), *cursor);
        courier.handle_answer(at(1), answer(at(1), 200));
        assert_eq!(courier.poll_timeout(), Some(at(1) + UNWRITTEN_PAUSE));
        drain(&mut courier);
        courier.handle_timeout(at(1) + UNWRITTEN_PAUSE);
        let outputs = drain(&mut courier);
        assert!(
            matches!(&outputs[..], [Output::Write { attempts, cursor: Some((10, 13)) }] if attempts.len() == 2),
            "{outputs:?}"
        );
    }

    #[test]
    fn while_the_disk_fails_events_go_on_and_the_log_is_bounded() {
        let mut courier = Courier::new(at(0), 0, Standing::Well, 2_000, 1);
        let mut tried = 0;
        for number in 1..=1_000_u64 {
            let now = at(number);
            courier.handle_timeout(now);
            while let Some(output) = courier.poll_output() {
                match output {
                    Output::Read { after } => courier.handle_page(now, vec![letter(after + 1)], after + 1),
                    Output::Write { attempts, cursor } => {
                        tried += 1;
                        courier.handle_unwritten(now, attempts, cursor);
                    }
                    Output::Send { .. } | Output::Standing(_) => {}
                }
            }
            courier.handle_answer(now, answer(now, 200));
        }
        assert_eq!(courier.behind(), 1_000, "each was taken");
        assert!((90..=110).contains(&tried), "every ten seconds, not with each event: {tried}");
        assert_eq!(courier.attempts.len(), UNWRITTEN_ATTEMPTS_MAX);
        assert_eq!(courier.written, 0);
    }

    #[test]
    fn a_standing_that_could_not_be_written_is_written_later() {
        let mut courier = with_letters();
        courier.handle_answer(at(0), answer(at(0), 410));
        let gone = Standing::Disabled { since_us: at(0).as_micros(), why: DisabledWhy::Gone };
        assert_eq!(drain(&mut courier).last(), Some(&Output::Standing(gone)));
        courier.handle_standing_unwritten(at(0));
        courier.handle_timeout(at(0) + UNWRITTEN_PAUSE);
        assert_eq!(drain(&mut courier), [Output::Standing(gone)]);
        assert_eq!(courier.poll_timeout(), None);
    }

    #[test]
    fn who_ends_writes_what_is_not_written() {
        let mut courier = with_letters();
        courier.handle_answer(at(0), answer(at(0), 200));
        drain(&mut courier);
        courier.handle_end(at(0));
        assert!(matches!(&drain(&mut courier)[..], [Output::Write { cursor: Some((10, 12)), .. }]));
    }
}
