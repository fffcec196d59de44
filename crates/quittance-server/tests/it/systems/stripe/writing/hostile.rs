//! A provider that says one thing and does another.

use super::{ADDRESS, IMPATIENT, change, of, text, to_new, writer, writer_like};
use crate::systems::check_error;
use crate::systems::provider::{Call, Canned, Provider};
use quittance_core::record::value::Value;
use quittance_server::systems::write::{Writer, Written};
use quittance_server::systems::{Blame, Patience, SystemError};
use serde_json::json;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// One customer of a provider that is told what to do with a write.
struct Customer {
    email: Mutex<String>,
    calls: Mutex<Vec<Call>>,
}

/// What is done with the n-th write: whether it is carried out, and what is answered.
type Script = fn(usize) -> (bool, Option<Canned>);

impl Customer {
    fn serve(script: Script) -> (Arc<Self>, Provider) {
        let email = Mutex::new("old@shop.example".to_owned());
        let customer = Arc::new(Self { email, calls: Mutex::default() });
        let served = Arc::clone(&customer);
        let provider = Provider::scripted(move |call| served.answer(call, script));
        (customer, provider)
    }

    fn answer(&self, call: &Call, script: Script) -> Option<Canned> {
        if call.method == "GET" {
            return Some(self.shown());
        }
        let mut calls = self.calls.lock().unwrap();
        let Call { method, target, headers, body } = call;
        calls.push(Call {
            method: method.clone(),
            target: target.clone(),
            headers: headers.clone(),
            body: body.clone(),
        });
        let (is_done, answer) = script(calls.len());
        if is_done {
            "new@shop.example".clone_into(&mut self.email.lock().unwrap());
        }
        answer
    }

    fn shown(&self) -> Canned {
        Canned::json(&json!({"id": "cus_0", "object": "customer", "email": *self.email.lock().unwrap()}))
    }

    fn write(&self, provider: &Provider) -> Written {
        writer(provider).write("customer", &of(&[ADDRESS]), &[to_new("cus_0")]).unwrap().remove(0)
    }

    fn calls(&self) -> usize {
        self.calls.lock().unwrap().len()
    }
}

fn fine() -> Option<Canned> {
    Some(Canned::json(&json!({"id": "cus_0", "object": "customer", "email": "new@shop.example"})))
}

#[test]
fn what_is_answered_counts_less_than_what_is_read() {
    // It says yes, and does nothing.
    let (customer, provider) = Customer::serve(|_| (false, fine()));
    assert_eq!(customer.write(&provider), Written::Altered { now: vec![text("old@shop.example")] });
    assert_eq!(customer.calls(), 1);
    // It says no, for ever, and has done it.
    for answer in [500, 502, 302, 404, 200] {
        let script: Script = match answer {
            500 => |_| (true, Some(Canned::text(500, "text/plain", "oh"))),
            502 => |_| (true, Some(Canned::text(502, "text/html", "<html>"))),
            302 => |_| (true, Some(Canned::text(302, "text/plain", ""))),
            404 => {
                |_| (true, Some(Canned::text(404, "application/json", r#"{"error": {"message": "No such customer"}}"#)))
            }
            _ => |_| (true, Some(Canned::json(&json!({"id": "cus_other", "object": "customer"})))),
        };
        let (customer, provider) = Customer::serve(script);
        assert_eq!((customer.write(&provider), customer.calls()), (Written::Done, 1), "{answer}");
    }
    // It closes the connection when it has done it.
    let (customer, provider) = Customer::serve(|_| (true, None));
    assert_eq!((customer.write(&provider), customer.calls()), (Written::Done, 1));
    // Its answer does not end.
    let (customer, provider) =
        Customer::serve(|_| (true, Some(Canned::text(200, "application/json", &" ".repeat(5 << 20)))));
    assert_eq!((customer.write(&provider), customer.calls()), (Written::Done, 1));
}

/// It asks to be left alone for an hour, and work is to stop.
#[test]
fn what_waits_to_be_sent_again_is_not_once_work_is_to_stop() {
    let wait = || vec![("retry-after", "3600".to_owned())];
    let scripts: [(&str, Script); 2] =
        [("429", |_| (false, Some(Canned::text(429, "text/plain", "")))), ("the connection breaks", |_| (false, None))];
    for (name, script) in scripts {
        let email = Mutex::new("old@shop.example".to_owned());
        let customer = Arc::new(Customer { email, calls: Mutex::default() });
        let (served, seen) = (Arc::clone(&customer), Arc::clone(&customer));
        let provider = Provider::scripted(move |call| {
            served
                .answer(call, script)
                .map(|canned| if canned.status == 429 { Canned { headers: wait(), ..canned } } else { canned })
        });
        let patience = Patience { pause: Duration::from_hours(1), pause_max: Duration::from_hours(1), ..IMPATIENT };
        let mut writer = writer_like(&provider.base, "sk_test_1", patience);
        writer.ask_before_send(Box::new(move || (seen.calls() > 0).then(|| "this process ends".to_owned())));
        let stopped = writer.write("customer", &of(&[ADDRESS]), &[to_new("cus_0")]);
        assert!(stopped.as_ref().is_err_and(SystemError::is_stopped), "{name}: {stopped:?}");
        check_error(stopped, Blame::Outside, &["nothing more is sent to the system `stripe`: this process ends"]);
        assert_eq!(customer.calls(), 1, "{name}");
    }
}

#[test]
fn every_try_goes_out_under_one_key() {
    let (customer, provider) = Customer::serve(|at| match at {
        1 => (
            false,
            Some(Canned { headers: vec![("retry-after", "1".to_owned())], ..Canned::text(429, "text/plain", "") }),
        ),
        2 => (false, None),
        3 => (false, Some(Canned::text(409, "application/json", r#"{"error": {"message": "in use"}}"#))),
        _ => (true, fine()),
    });
    assert_eq!(customer.write(&provider), Written::Done);
    let calls = customer.calls.lock().unwrap();
    assert_eq!(calls.len(), 4);
    for call in calls.iter() {
        assert!(call.headers.contains("idempotency-key: run-1-cus_0\n"), "{}", call.headers);
        assert_eq!((call.target.as_str(), call.body.as_str()), ("/v1/customers/cus_0", "email=new%40shop.example"));
    }
}

#[test]
fn what_never_answers_is_not_known_and_what_always_refuses_is() {
    let (customer, provider) = Customer::serve(|_| (false, None));
    let unknown = writer(&provider).write("customer", &of(&[ADDRESS]), &[to_new("cus_0")]);
    let words = ["whether `cus_0` of system `stripe` was written is not known", "do the same again"];
    check_error(unknown, Blame::Outside, &words);
    assert_eq!(customer.calls(), 6);
    // Answers that prove nothing: it may be carried out when nobody looks any more.
    for answer in [409, 502, 200] {
        let script: Script = match answer {
            409 => |_| (false, Some(Canned::text(409, "application/json", r#"{"error": {"message": "in use"}}"#))),
            502 => |_| (false, Some(Canned::text(502, "text/html", "<html>"))),
            _ => |_| (false, Some(Canned::text(200, "text/html", "<html>"))),
        };
        let (customer, provider) = Customer::serve(script);
        let unknown = writer(&provider).write("customer", &of(&[ADDRESS]), &[to_new("cus_0")]);
        check_error(unknown, Blame::Outside, &words);
        assert_eq!(customer.calls(), 6, "{answer}");
    }
    let (_, provider) = Customer::serve(|_| (false, Some(Canned::text(429, "text/plain", ""))));
    let throttled = writer(&provider).write("customer", &of(&[ADDRESS]), &[to_new("cus_0")]);
    check_error(throttled, Blame::Outside, &["POST /v1/customers/cus_0", "429", "requests_per_second_max"]);
    for (status, is_told) in [(400, true), (402, true), (403, true)] {
        let script: Script = match status {
            400 => |_| {
                (false, Some(Canned::text(400, "application/json", r#"{"error": {"message": "Invalid sk_test_1"}}"#)))
            },
            402 => |_| {
                (false, Some(Canned::text(402, "application/json", r#"{"error": {"message": "Invalid sk_test_1"}}"#)))
            },
            _ => |_| {
                (false, Some(Canned::text(403, "application/json", r#"{"error": {"message": "Invalid sk_test_1"}}"#)))
            },
        };
        let (customer, provider) = Customer::serve(script);
        let refused = Written::Refused { why: "Invalid …".to_owned() };
        assert_eq!((customer.write(&provider) == refused, customer.calls()), (is_told, 1), "{status}");
    }
}

/// A refusal after a lost answer says nothing of the lost one: what the object holds does.
#[test]
fn a_refusal_does_not_hide_an_answer_that_was_lost() {
    fn no() -> Option<Canned> {
        Some(Canned::text(400, "application/json", r#"{"error": {"message": "no"}}"#))
    }
    let (customer, provider) = Customer::serve(|at| if at == 1 { (false, None) } else { (true, no()) });
    assert_eq!((customer.write(&provider), customer.calls()), (Written::Done, 2));
    let (customer, provider) = Customer::serve(|at| (false, if at == 1 { None } else { no() }));
    let why = "no, and it holds what it held".to_owned();
    assert_eq!((customer.write(&provider), customer.calls()), (Written::Refused { why }, 2));
}

/// Somebody else changes the field after a try whose answer was lost: it is not changed back.
#[test]
fn nothing_is_sent_again_over_what_somebody_else_wrote() {
    let email = Arc::new(Mutex::new("old@shop.example"));
    let shared = Arc::clone(&email);
    let provider = Provider::scripted(move |call| {
        if call.method == "POST" {
            assert_eq!(*shared.lock().unwrap(), "old@shop.example", "it is sent once");
            *shared.lock().unwrap() = "third@shop.example";
            return None;
        }
        Some(Canned::json(&json!({"id": "cus_0", "object": "customer", "email": *shared.lock().unwrap()})))
    });
    let written = writer(&provider).write("customer", &of(&[ADDRESS]), &[to_new("cus_0")]).unwrap();
    assert_eq!(written, [Written::Perhaps { now: vec![text("third@shop.example")] }]);
    assert_eq!(*email.lock().unwrap(), "third@shop.example");
}

/// A redirect is an answer like any other: what it points to is never asked, and never sees the key.
#[test]
fn redirects_are_not_followed() {
    let other = Provider::scripted(|_| panic!("nobody is to come here"));
    let location = format!("{}/v1/customers/cus_0", other.base);
    let provider = Provider::scripted(move |call| {
        if call.method == "GET" {
            return Some(Canned::json(&json!({"id": "cus_0", "object": "customer", "email": "old@shop.example"})));
        }
        let headers = vec![("location", location.clone())];
        Some(Canned { headers, ..Canned::text(307, "text/plain", "") })
    });
    let write = [change("cus_0", text("old@shop.example"), Value::Null)];
    let written = writer(&provider).write("customer", &of(&[ADDRESS]), &write);
    check_error(written, Blame::Outside, &["whether `cus_0` of system `stripe` was written is not known", "307"]);
}
