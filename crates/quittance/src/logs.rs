//! Logs: to standard error, readable on a terminal and JSON elsewhere.

use crate::arguments::Command;
use std::io::{self, IsTerminal};
use tracing_subscriber::EnvFilter;

/// The variable with the filter of what is logged.
const VARIABLE: &str = "QUITTANCE_LOG";

/// Begins to log. What runs for long says what it does; what only answers a question says what is wrong.
pub(crate) fn begin(command: &Command) {
    let default = match command {
        Command::Serve(_) | Command::Sandbox(_) => "info",
        _ => "warn",
    };
    let filter = EnvFilter::try_from_env(VARIABLE).unwrap_or_else(|_| EnvFilter::new(default));
    let is_terminal = io::stderr().is_terminal();
    let logs = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).with_ansi(is_terminal);
    // Only a logger that is installed already makes either fail.
    let _ = if is_terminal { logs.try_init() } else { logs.json().flatten_event(true).try_init() };
}
