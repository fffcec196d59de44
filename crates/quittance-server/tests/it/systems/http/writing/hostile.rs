//! An API that loses answers, says one thing and does another, or refuses.

use super::{Crm, ETAG, IMPATIENT, KEYED, Then, header, of, text, to_team, try_write, writer, writer_as};
use crate::systems::check_error;
use crate::systems::provider::{Canned, Provider};
use quittance_server::systems::write::{Writer, Written};
use quittance_server::systems::{Blame, SystemError};
use serde_json::json;

fn said(status: u16, body: &str) -> Option<Canned> {
    Some(Canned::text(status, "application/json", body))
}

/// Whatever becomes of the answer, what was carried out is found, and is not sent again.
#[test]
fn a_lost_answer_is_looked_up() {
    let scripts: [(&str, super::crm::Script); 6] = [
        ("the connection breaks", |_| Then::ApplyAnd(None)),
        ("500", |_| Then::ApplyAnd(said(500, "{}"))),
        ("502", |_| Then::ApplyAnd(Some(Canned::text(502, "text/html", "<html>")))),
        ("307", |_| Then::ApplyAnd(said(307, ""))),
        ("202", |_| Then::ApplyAnd(said(202, ""))),
        ("an answer without an end", |_| Then::ApplyAnd(Some(Canned::text(200, "text/plain", &" ".repeat(5 << 20))))),
    ];
    for (name, script) in scripts {
        for settings in ["", "method = \"PUT\"", "method = \"POST\"", ETAG, KEYED] {
            let (crm, provider) = Crm::serve(script);
            assert_eq!(try_write(&provider, settings, &[to_team(7)]).unwrap(), [Written::Done], "{name}: {settings}");
            assert_eq!((crm.calls().len(), crm.applied()), (1, 1), "{name}: {settings}");
        }
    }
}

/// What was not carried out is sent again, where that does nothing twice.
#[test]
fn what_holds_what_it_held_is_sent_again_unless_nobody_knows_what_that_does() {
    let script: super::crm::Script = |turn| if turn < 3 { Then::Only(None) } else { Then::Apply };
    let keyed_post = format!("method = \"POST\"\n{KEYED}");
    let tagged_post = format!("method = \"POST\"\n{ETAG}");
    for settings in ["", "method = \"PUT\"", ETAG, KEYED, &keyed_post, &tagged_post] {
        let (crm, provider) = Crm::serve(script);
        assert_eq!(try_write(&provider, settings, &[to_team(7)]).unwrap(), [Written::Done], "{settings}");
        assert_eq!((crm.calls().len(), crm.applied()), (3, 1), "{settings}");
        let keys: Vec<_> = crm.calls().iter().map(|call| header(call, "idempotency-key").map(str::to_owned)).collect();
        let key = settings.contains("idempotency").then(|| "quittance-run-1-7".to_owned());
        assert_eq!(keys, [key.clone(), key.clone(), key], "{settings}");
    }
    let (crm, provider) = Crm::serve(script);
    let words = ["whether `7` of system `crm` was written is not known", "do the same again"];
    check_error(try_write(&provider, "method = \"POST\"", &[to_team(7)]), Blame::Outside, &words);
    assert_eq!(crm.calls().len(), 1, "of a POST nobody knows what else it does");
    // Nothing of it was carried out: that may be said again.
    let (crm, provider) = Crm::serve(|turn| if turn < 3 { Then::Only(said(429, "")) } else { Then::Apply });
    assert_eq!(try_write(&provider, "method = \"POST\"", &[to_team(7)]).unwrap(), [Written::Done]);
    assert_eq!(crm.calls().len(), 3);
}

/// The first try is carried out after the second was sent: under a key, or against a tag, that changes nothing twice.
#[test]
fn a_try_that_comes_late_is_told_from_somebody_elses() {
    // It was carried out behind our back, and its second try is refused.
    let (crm, provider) =
        Crm::serve(|turn| if turn == 1 { Then::Only(None) } else { Then::After("plan", json!("team")) });
    assert_eq!(try_write(&provider, ETAG, &[to_team(7)]).unwrap(), [Written::Done]);
    assert_eq!((crm.calls().len(), crm.applied()), (2, 0));
    // Somebody else wrote: it is not written over.
    let (crm, provider) =
        Crm::serve(|turn| if turn == 1 { Then::Only(None) } else { Then::After("plan", json!("third")) });
    assert_eq!(try_write(&provider, ETAG, &[to_team(7)]).unwrap(), [Written::Perhaps { now: vec![text("third")] }]);
    assert_eq!(crm.account("7")["plan"], "third");
    // It goes behind our back: that it was written before is not known.
    let reads = std::sync::atomic::AtomicUsize::new(0);
    let goes = Provider::scripted(move |call| {
        let turn = reads.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        match (call.method.as_str(), turn) {
            ("GET", 0) => Some(Canned::json(&json!({"account": {"id": 7, "plan": "basic"}}))),
            ("GET", _) => said(404, "{}"),
            _ => None,
        }
    });
    let gone = vec![quittance_core::record::value::Value::Absent];
    assert_eq!(try_write(&goes, "", &[to_team(7)]).unwrap(), [Written::Perhaps { now: gone }]);
    // An earlier one is under way, says the API, and then it was.
    let (crm, provider) = Crm::serve(|turn| match turn {
        1 => Then::Only(None),
        2 => Then::ApplyAnd(said(409, r#"{"detail": "in progress"}"#)),
        _ => panic!("it was done"),
    });
    assert_eq!(try_write(&provider, KEYED, &[to_team(7)]).unwrap(), [Written::Done]);
    assert_eq!(crm.applied(), 1);
}

#[test]
fn what_is_answered_counts_less_than_what_is_read() {
    // It says yes, and does nothing.
    let (crm, provider) = Crm::serve(|_| Then::Only(said(200, "{}")));
    let written = try_write(&provider, "", &[to_team(7)]).unwrap();
    assert_eq!(written, [Written::Altered { now: vec![text("basic")] }]);
    assert_eq!(crm.calls().len(), 1);
    // It says yes, and somebody's automation does something else.
    let (_, provider) = Crm::serve(|_| Then::ApplyAnd(said(204, "")));
    assert_eq!(try_write(&provider, "", &[to_team(7)]).unwrap(), [Written::Done]);
    // It accepts and never does it: nothing is known, and the next command looks.
    let (crm, provider) = Crm::serve(|_| Then::Only(said(202, "")));
    check_error(try_write(&provider, "", &[to_team(7)]), Blame::Outside, &["is not known", "202"]);
    assert_eq!(crm.calls().len(), 3);
}

#[test]
fn a_refusal_is_told_in_its_words_and_without_the_token() {
    let scripts: [(u16, super::crm::Script); 4] = [
        (400, |_| Then::Only(said(400, r#"{"error": {"message": "no plan for writing-token"}}"#))),
        (409, |_| Then::Only(said(409, r#"{"detail": "no plan for writing-token"}"#))),
        (422, |_| Then::Only(said(422, r#"{"errors": [{"message": "no plan for writing-token"}]}"#))),
        (428, |_| Then::Only(said(428, r#"{"message": "no plan for writing-token"}"#))),
    ];
    for (status, script) in scripts {
        let (crm, provider) = Crm::serve(script);
        let why = format!("it answers {status}: no plan for …");
        let written = try_write(&provider, KEYED, &[to_team(7), to_team(8)]).unwrap();
        assert_eq!(written, [Written::Refused { why: why.clone() }, Written::Refused { why }], "{status}");
        assert_eq!(crm.calls().len(), 2, "one that is refused does not keep others from being written");
    }
    // A refusal after a lost answer says nothing of the lost one: what the record holds does.
    let (_, provider) = Crm::serve(|turn| if turn == 1 { Then::Only(None) } else { Then::Only(said(422, "{}")) });
    let why = "it answers 422, and it holds what it held".to_owned();
    assert_eq!(try_write(&provider, "", &[to_team(7)]).unwrap(), [Written::Refused { why }]);
    let (_, provider) = Crm::serve(|turn| if turn == 1 { Then::Only(None) } else { Then::ApplyAnd(said(422, "{}")) });
    assert_eq!(try_write(&provider, "", &[to_team(7)]).unwrap(), [Written::Done]);
}

/// What it says is cut behind 200 characters: no piece of the token is left in front of that, however long the token.
#[test]
fn no_piece_of_a_token_is_told() {
    for token in ["writing-token".to_owned(), "writing-token".repeat(20)] {
        for lead in [0, 190, 195, 199] {
            let said_back = format!("{}{token} {}", "x".repeat(lead), "y".repeat(300));
            let provider = Provider::scripted(move |call| match call.method.as_str() {
                "GET" => Some(Canned::json(&json!({"account": {"id": 7, "plan": "basic"}}))),
                _ => said(422, &json!({"message": said_back}).to_string()),
            });
            let mut writer = writer_as(&provider, "", IMPATIENT, &token);
            let written = writer.write("account", &of(&["plan"]), &[to_team(7)]).unwrap();
            let [Written::Refused { why }] = &written[..] else { panic!("{written:?}") };
            let left = "xy".chars().fold(why.clone(), |left, letter| left.replace(letter, ""));
            assert!(why.starts_with("it answers 422: ") && why.contains('…'), "{lead}: {why}");
            assert_eq!(left.trim_end(), "it answers 422: …", "{lead}: {why}");
        }
        let echo = format!("https://crm.example/{}?{token}", "x".repeat(175));
        let provider = Provider::scripted(move |_| {
            Some(Canned { headers: vec![("location", echo.clone())], ..Canned::text(302, "text/plain", "") })
        });
        let stand = writer_as(&provider, "", IMPATIENT, &token).stand("account", &of(&["plan"]), &[to_team(7)]);
        let error = stand.unwrap_err().to_string();
        assert!(error.ends_with("xx?…"), "{error}");
    }
}

#[test]
fn a_record_that_goes_is_gone_and_one_that_only_cannot_be_written_is_refused() {
    let (crm, provider) = Crm::serve(|_| Then::Only(said(404, "{}")));
    let why = "it answers 404, and it holds what it held".to_owned();
    assert_eq!(try_write(&provider, "", &[to_team(7)]).unwrap(), [Written::Refused { why }]);
    crm.remove("8");
    assert_eq!(try_write(&provider, "", &[to_team(8)]).unwrap(), [Written::Gone]);
    let gone = Provider::scripted(|call| {
        // It is read once, and goes.
        static READ: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
        let turn = READ.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        if (call.method.as_str(), turn) == ("GET", 0) {
            return Some(Canned::json(&json!({"account": {"id": 7, "plan": "basic"}})));
        }
        said(410, "{}")
    });
    assert_eq!(try_write(&gone, "", &[to_team(7)]).unwrap(), [Written::Gone]);
    // Another record than was asked for is none of ours.
    let other = Provider::scripted(|_| Some(Canned::json(&json!({"account": {"id": 70, "plan": "basic"}}))));
    assert_eq!(try_write(&other, "", &[to_team(7)]).unwrap(), [Written::Gone]);
}

#[test]
fn a_token_that_may_not_write_is_a_mistake_of_the_configuration() {
    let (crm, provider) = Crm::serve(|_| Then::Only(said(403, r#"{"message": "writing-token may read"}"#)));
    let words = [
        "system `crm` does not allow PATCH /api/accounts/7 to its write_token: it answers 403: … may read",
        "give it the permission to PATCH /accounts/{key}",
    ];
    check_error(try_write(&provider, "", &[to_team(7)]), Blame::Configuration, &words);
    assert_eq!(crm.calls().len(), 1);
    let (_, provider) = Crm::serve(|_| Then::Only(said(401, "{}")));
    let words = ["to its write_token: it answers 401", "not expired"];
    check_error(try_write(&provider, "", &[to_team(7)]), Blame::Configuration, &words);
    let closed = Provider::scripted(|_| said(401, "{}"));
    let stand = writer(&closed, "").stand("account", &of(&["plan"]), &[to_team(7)]);
    assert!(stand.as_ref().is_err_and(SystemError::is_unauthorised), "{stand:?}");
    check_error(stand, Blame::Configuration, &["does not allow GET /api/accounts/7 to its write_token (401)"]);
}

#[test]
fn one_record_that_may_not_be_written_keeps_no_other_from_being() {
    let no = |turn| if turn == 1 { Then::Only(said(403, r#"{"message": "it is locked"}"#)) } else { Then::Apply };
    let (crm, provider) = Crm::serve(no);
    let mut written = try_write(&provider, "", &[to_team(7), to_team(8), to_team(9)]).unwrap();
    let why = "it answers 403: it is locked".to_owned();
    let refused = written.iter().position(|one| *one == Written::Refused { why: why.clone() });
    written.remove(refused.expect("the first that came"));
    assert_eq!((written, crm.applied()), (vec![Written::Done, Written::Done], 2));
    // It accepted another before: it is not about the token, though nothing else comes with it.
    let (_, provider) =
        Crm::serve(
            |turn| if turn == 2 { Then::Only(said(403, r#"{"message": "it is locked"}"#)) } else { Then::Apply },
        );
    let mut writer = writer(&provider, "");
    let mut write = |id| writer.write("account", &of(&["plan"]), &[to_team(id)]).unwrap();
    assert_eq!([write(7), write(8), write(9)].concat(), [Written::Done, Written::Refused { why }, Written::Done]);
    // None of them may be.
    let (crm, provider) = Crm::serve(|_| Then::Only(said(403, "{}")));
    let none = try_write(&provider, "", &[to_team(7), to_team(8), to_team(9)]);
    assert!(none.as_ref().is_err_and(SystemError::is_unauthorised), "{none:?}");
    assert_eq!((crm.calls().len(), crm.applied()), (3, 0));
}

#[test]
fn what_is_too_much_for_it_is_asked_again_and_then_told() {
    let (crm, provider) = Crm::serve(|_| Then::Only(said(429, "")));
    let words =
        ["PATCH /api/accounts/7 of system `crm` came to nothing, tried 3 times", "429", "requests_per_second_max"];
    check_error(try_write(&provider, "", &[to_team(7)]), Blame::Outside, &words);
    assert_eq!((crm.calls().len(), crm.applied()), (3, 0));
    let away = Provider::scripted(|_| None);
    check_error(try_write(&away, "", &[to_team(7)]), Blame::Outside, &["GET /api/accounts/7", "cannot be read"]);
}

/// A redirect is an answer like any other: what it points to is never asked, and never sees the token.
#[test]
fn redirects_are_not_followed() {
    let other = Provider::scripted(|_| panic!("nobody is to come here"));
    let location = format!("{}/api/accounts/7", other.base);
    let provider = Provider::scripted(move |call| {
        if call.method == "GET" {
            return Some(Canned::json(&json!({"account": {"id": 7, "plan": "basic"}})));
        }
        Some(Canned { headers: vec![("location", location.clone())], ..Canned::text(308, "text/plain", "") })
    });
    let why = "it answers 308; redirects are not followed, and it holds what it held".to_owned();
    assert_eq!(try_write(&provider, "", &[to_team(7)]).unwrap(), [Written::Refused { why }]);
}

/// Of what a double does not hold nothing is sent back changed.
#[test]
fn a_put_sends_no_number_that_it_would_change() {
    let exact = r#"{"account": {"id": 7, "plan": "basic", "rate": 0.12345678901234567890123}}"#;
    let provider = Provider::scripted(move |call| {
        assert_eq!(call.method, "GET", "nothing is written");
        said(200, exact)
    });
    let [Written::Refused { why }] = &try_write(&provider, "method = \"PUT\"", &[to_team(7)]).unwrap()[..] else {
        panic!("it was sent")
    };
    assert!(why.contains("0.12345678901234567890123"), "{why}");
}
