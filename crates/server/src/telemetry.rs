//! The log: one line for each thing that an operator should know, for people or for machines.
//!
//! Message and fields, fields named by noun (`call.id`, `queue.id`) with the unit in the name. No bodies of SIP
//! messages (keys stand in the SDP), no digits, no names or numbers of customers.

use std::io::{self, IsTerminal};

use tracing::Subscriber;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};
use tracing_subscriber::{Layer, fmt};

use crate::config::file::{LogFile, LogFormat, LogLevel};

/// Begins to log to standard error. Once in the life of a program.
///
/// # Errors
///
/// The program logs already.
pub fn start(log: &LogFile) -> Result<(), TryInitError> {
    subscriber(log, io::stderr, io::stderr().is_terminal()).try_init()
}

fn subscriber<W>(log: &LogFile, writer: W, colours: bool) -> impl Subscriber + Send + Sync
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let level = match log.level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
    };
    // Libraries speak of their own matters: only what is wrong is ours to know.
    let targets = Targets::new().with_default(level.min(LevelFilter::WARN)).with_target("tandem", level);
    let layer = match log.format {
        LogFormat::Text => fmt::layer().with_writer(writer).with_ansi(colours).with_target(false).boxed(),
        LogFormat::Json => fmt::layer().json().flatten_event(true).with_writer(writer).boxed(),
    };
    tracing_subscriber::registry().with(layer.with_filter(targets))
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(log: &LogFile) -> String {
        let lines = Lines::default();
        let writer = lines.clone();
        tracing::subscriber::with_default(subscriber(log, move || writer.clone(), false), || {
            tracing::info!(call.id = "00ff", "call answered");
            tracing::debug!("detail");
            tracing::info!(target: "hyper", "a library's own matter");
        });
        let bytes = lines.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_line_for_machines_is_one_json_object_with_message_and_fields() {
        let text = logged(&LogFile { format: LogFormat::Json, level: LogLevel::Info });
        let line: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(line["message"], "call answered");
        assert_eq!(line["call.id"], "00ff");
        assert_eq!(line["level"], "INFO");
    }

    #[test]
    fn a_line_for_people_is_one_line() {
        let text = logged(&LogFile { format: LogFormat::Text, level: LogLevel::Info });
        assert_eq!(text.lines().count(), 1);
        assert!(text.contains("call answered") && text.contains("00ff"), "{text}");
    }

    #[test]
    fn the_level_decides_what_is_written() {
        assert_eq!(logged(&LogFile { format: LogFormat::Text, level: LogLevel::Warn }), "");
        assert_eq!(logged(&LogFile { format: LogFormat::Text, level: LogLevel::Debug }).lines().count(), 2);
    }
}
