//! The binary as it is run here: in which folder, on which database, with what configuration. Does not own its processes.

use crate::demo::evidence::Proof;
use crate::gateway::{API_KEY, Gateway, WEBHOOK_SECRET};
use crate::process::bound;
use crate::surroundings::span;
use std::path::Path;
use std::process::{Command, Stdio};

/// How long what a server holds is left alone by the others, and how long it waits for a gateway.
pub(crate) const LEASE_S: u64 = 4;
const TIMEOUT_S: u64 = 2;

/// The variable in which servers are told where their database is.
const VARIABLE: &str = "QUITTANCE_CHAOS_DATABASE";

pub(crate) fn binary(words: &[&str], folder: &Path, url: &str) -> Command {
    let mut command = bound(env!("CARGO_BIN_EXE_quittance"));
    command.args(words);
    addressed(&mut command, folder, url);
    command
}

pub(crate) fn addressed(command: &mut Command, folder: &Path, url: &str) {
    command.args(["--database-url", &format!("env:{VARIABLE}")]).env(VARIABLE, url);
    command.current_dir(folder).stdin(Stdio::null()).env_remove("QUITTANCE_LOG");
}

/// The secret of a new credential that may do everything; the schema is made with it.
pub(crate) fn credential(folder: &Path, url: &str) -> String {
    let words = ["key", "create", "--name", "chaos", "--scopes", "admin", "--json"];
    let output = binary(&words, folder, url).output().expect("it runs");
    let made: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
    made["secret"].as_str().expect("a secret").to_owned()
}

/// What `quittance verify` says.
pub(crate) fn prove(folder: &Path, url: &str) -> Proof {
    let output = binary(&["verify", "--json"], folder, url).output().expect("it runs");
    let found: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    let is_sound = output.status.success() && found["balanced"] == true && found["chain_ok"] == true;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    Proof { is_sound, records: found["records"].as_u64().unwrap_or(0), text }
}

/// Short spans, so that a run takes seconds where a day would do.
pub(crate) fn configure<'a>(folder: &Path, file: &str, gateways: &[Gateway], bases: impl Iterator<Item = &'a str>) {
    let write = |name: &str, text: &str| std::fs::write(folder.join(name), text).expect("written");
    write("key", API_KEY);
    write("secret", WEBHOOK_SECRET);
    let place = folder.display();
    let mut text = format!(
        "[server]\nlease_ms = {}\nwait_ms = 3000\n\n[webhooks]\nallow_private_addresses = true\n",
        span(LEASE_S).as_millis()
    );
    for (gateway, base) in gateways.iter().zip(bases) {
        let (name, timeout) = (gateway.name, span(TIMEOUT_S).as_millis());
        text.push_str(&format!(
            "\n[gateways.{name}]\nkind = \"stripe\"\napi_base = \"{base}\"\napi_key = \"file:{place}/key\"\n\
             webhook_endpoint = \"we_{name}\"\nwebhook_secrets = [\"file:{place}/secret\"]\ntimeout_ms = {timeout}\n\
             in_flight_max = 64\nbackoff_base_ms = 20\nbackoff_max_ms = 300\npending_poll_ms = 300\n\
             retry_budget_percent = 100\nretries_per_second_min = 100\nsweep_every_s = 3\nobject_sweep_every_s = 5\nsettle_after_s = 2\n\
             quiescence_s = 2\nquiescence_after_error_s = 2\n"
        ));
    }
    write(file, &text);
}
