//! Alerts and messages as rows and bytes.

use super::rows::check;
use crate::records::{
    AlertChannel, Notice, NoticeState, Said, decode_message, decode_said, decode_told, encode_message, encode_said,
    encode_told,
};
use quittance_core::alert::{Alert, Cause, Kind, Line, Message, Severity, Silence, Standing, Told};
use quittance_core::currency::Currency;
use quittance_core::id::{NoticeId, SilenceId};
use quittance_core::time::Timestamp;
use std::collections::BTreeMap;

fn amounts() -> Vec<(Currency, i64)> {
    [("EUR", 1_250), ("JPY", -7)]
        .map(|(code, amount)| (Currency::from_code(code).expect("a currency"), amount))
        .to_vec()
}

fn said() -> Said {
    Said { what: "388 records differ".into(), link: Some("https://example.com/".into()), amounts: amounts() }
}

fn told() -> BTreeMap<String, Told> {
    let (severity, count) = (Severity::Critical, 388);
    let told = |is_firing, message| Told {
        at: Timestamp(9),
        is_firing,
        is_lost: is_firing,
        message,
        severity,
        count,
        amounts: amounts(),
    };
    BTreeMap::from([("mail".to_owned(), told(false, 7)), ("ops".to_owned(), told(true, 8))])
}

fn message() -> Message {
    let line = |cause, kind, until, link| Line {
        cause,
        subject: "subscriptions".into(),
        kind,
        severity: Severity::Warning,
        what: "388 records differ".into(),
        count: 388,
        amounts: amounts(),
        since: Timestamp(5),
        until,
        link,
    };
    let lines = vec![
        line(Cause::Worsened, Kind::Drift, None, Some("https://example.com/".to_owned())),
        line(Cause::Resolved, Kind::Channel, Some(Timestamp(6)), None),
    ];
    Message { at: Timestamp(9), lines, more: 17 }
}

/// The bytes of each format, under its name.
pub(super) fn bodies() -> Vec<(&'static str, Vec<u8>)> {
    let (said, told) = (encode_said(&said()), encode_told(&told()));
    vec![("alert_said", said), ("alert_told", told), ("alert_message", encode_message(&message()))]
}

pub(super) fn is_body(name: &str) -> bool {
    bodies().iter().any(|(known, _)| *known == name)
}

pub(super) fn is_damaged(name: &str, bytes: &[u8]) -> bool {
    match name {
        "alert_said" => decode_said(bytes).is_err(),
        "alert_told" => decode_told(bytes).is_err(),
        _ => decode_message(bytes).is_err(),
    }
}

/// That stored bytes say what they said.
pub(super) fn check_bodies(stored: impl Fn(&str) -> Vec<u8>) {
    assert_eq!(decode_said(&stored("alert_said")), Ok(said()));
    assert_eq!(decode_told(&stored("alert_told")), Ok(told()));
    assert_eq!(decode_message(&stored("alert_message")), Ok(message()));
}

#[test]
fn rows_of_alerts_come_back_as_they_went() {
    for (kind, standing) in Kind::ALL.into_iter().zip([Standing::Open, Standing::Over].into_iter().cycle()) {
        let Said { what, link, amounts } = said();
        check(Alert {
            subject: "subscriptions".into(),
            kind,
            standing,
            turned_at: Timestamp(1),
            observed_at: Timestamp(2),
            since: Timestamp(3),
            severity: Severity::Info,
            count: 4,
            amounts,
            what,
            link,
            relapses: 5,
            told: told(),
        });
    }
    for kind in [None, Some(Kind::Brake)] {
        check(Silence {
            id: SilenceId::from_bytes([1; 16]),
            subject: "*".into(),
            kind,
            from: Timestamp(1),
            until: Timestamp(2),
            reason: "migration".into(),
            by: "operator".into(),
        });
    }
}

#[test]
fn rows_of_messages_come_back_as_they_went_and_take_turns() {
    for state in NoticeState::ALL {
        let is_ended = state != NoticeState::Waiting;
        check(Notice {
            channel: "ops".into(),
            seq: 123,
            id: NoticeId::from_bytes([2; 16]),
            state,
            created_at: Timestamp(1),
            due_at: Timestamp(2),
            attempts: 3,
            lease: 4,
            ended_at: is_ended.then_some(Timestamp(5)),
            message: message(),
            error: is_ended.then(|| "500".to_owned()),
        });
    }
    assert_eq!(Notice::key_of("ops", 23), Notice::key_of("ops", 123));
    let failing_since = Some(Timestamp(1));
    check(AlertChannel { channel: "ops".into(), newest: 123, sent: 120, given_up: 3, failing_since });
}
