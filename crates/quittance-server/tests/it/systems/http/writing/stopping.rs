//! Work that is to stop: nothing more is sent, and no pause is waited for to its end.

use super::{Crm, Then, of, to_team, writer_with};
use crate::systems::check_error;
use crate::systems::provider::{Canned, Provider};
use quittance_server::systems::write::{Writer, Written};
use quittance_server::systems::{Blame, Patience, SystemError};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// Nobody waits for a second try to come by itself.
const PATIENT: Patience = Patience { tries_max: 6, pause: Duration::from_hours(1), pause_max: Duration::from_hours(1) };

/// Writes accounts, until so many writes came to the API.
fn write_until(
    script: super::crm::Script,
    writes_max: usize,
    settings: &str,
) -> (Arc<Crm>, Result<Vec<Written>, SystemError>) {
    let (crm, provider) = Crm::serve(script);
    let mut writer = writer_with(&provider, settings, PATIENT);
    let seen = Arc::clone(&crm);
    writer.ask_before_send(Box::new(move || {
        (seen.calls().len() >= writes_max).then(|| "the pair `accounts` is paused by ada".to_owned())
    }));
    let written = writer.write("account", &of(&["plan"]), &[to_team(7)]);
    (crm, written)
}

fn check_stopped(written: Result<Vec<Written>, SystemError>) {
    assert!(written.as_ref().is_err_and(SystemError::is_stopped), "{written:?}");
    let words = ["nothing more is sent to the system `crm`", "is paused by ada", "found out by the next run"];
    check_error(written, Blame::Outside, &words);
}

#[test]
fn what_waits_to_be_sent_again_is_not_once_work_is_to_stop() {
    let scripts: [super::crm::Script; 3] = [
        |_| Then::Only(Some(Canned::text(429, "text/plain", ""))),
        |_| Then::Only(None),
        |_| Then::Only(Some(Canned::text(503, "text/plain", ""))),
    ];
    for script in scripts {
        for settings in ["", "method = \"PUT\"", "method = \"POST\"", super::ETAG, super::KEYED] {
            let (crm, written) = write_until(script, 1, settings);
            check_stopped(written);
            assert_eq!((crm.calls().len(), crm.applied()), (1, 0), "{settings}");
        }
    }
}

#[test]
fn nothing_is_sent_once_work_is_to_stop_and_what_was_is_read_back() {
    let (crm, written) = write_until(|_| Then::Apply, 0, "");
    check_stopped(written);
    assert_eq!((crm.calls().len(), &crm.account("7")["plan"]), (0, &json!("basic")));
    // It comes to stop while this is written: what was answered is known.
    let (crm, written) = write_until(|_| Then::Apply, 1, "");
    assert_eq!((written.unwrap(), crm.calls().len()), (vec![Written::Done], 1));
}

#[test]
fn a_look_is_not_tried_again_once_work_is_to_stop() {
    let looks = Arc::new(AtomicUsize::new(0));
    let (counted, seen) = (Arc::clone(&looks), Arc::clone(&looks));
    let provider = Provider::scripted(move |_| {
        counted.fetch_add(1, Ordering::Relaxed);
        Some(Canned::text(503, "text/plain", ""))
    });
    let mut writer = writer_with(&provider, "", PATIENT);
    writer.ask_before_send(Box::new(move || {
        (seen.load(Ordering::Relaxed) > 0).then(|| "the pair `accounts` is paused by ada".to_owned())
    }));
    check_stopped(writer.write("account", &of(&["plan"]), &[to_team(7)]));
    assert_eq!(looks.load(Ordering::Relaxed), 1);
    let stands = writer.stand("account", &of(&["plan"]), &[to_team(7)]);
    assert!(stands.as_ref().is_err_and(SystemError::is_stopped), "{stands:?}");
    assert_eq!(looks.load(Ordering::Relaxed), 2);
}
