//! What people decide about discrepancies of pairs: carried out once, whatever is sent again.

use super::app::{ADMIN, WRITER, bearer, post};
use super::call::{Answer, Call};
use super::pairs::Stage;
use quittance_server::openapi;
use serde_json::{Value, json};

/// Counts what is written to the application's accounts.
const COUNTED: &str = "CREATE TABLE writes (id TEXT);
    CREATE TRIGGER count_writes AFTER UPDATE ON accounts BEGIN INSERT INTO writes VALUES (new.id); END;";

fn request(id: &str, action: &str, key: &str, body: &Value) -> Call {
    let call = post(&format!("/v1/discrepancies/{id}/{action}"), key, &body.to_string());
    call.without("authorization").header("authorization", &bearer(ADMIN))
}

impl Stage {
    async fn decide(&self, id: &str, action: &str, key: &str, body: Value) -> Answer {
        self.app.send(request(id, action, key, &body)).await
    }

    /// The id of the discrepancy of a key.
    async fn id_of(&self, key: &str) -> String {
        self.found(&format!("&key={key}")).await[0]["id"].as_str().expect("an id").to_owned()
    }

    fn writes(&self) -> usize {
        let file = rusqlite::Connection::open(self.files.path().join("app.db")).expect("a file");
        file.query_row("SELECT count(*) FROM writes", [], |row| row.get::<_, i64>(0)).expect("counted") as usize
    }
}

fn right() -> Value {
    json!({"choice": "right", "reason": "the provider is right"})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_side_is_said_to_be_right_and_written_once_however_often_it_is_sent() {
    let stage = Stage::open().await;
    stage.change("app.db", COUNTED);
    // The plan is for a person to decide: no authority is configured.
    stage.change("billing.db", "UPDATE accounts SET plan = 'free' WHERE id = 'a'");
    stage.compare();
    let id = stage.id_of("a").await;
    let both =
        tokio::join!(stage.decide(&id, "resolve", "once", right()), stage.decide(&id, "resolve", "once", right()),);
    let first = both.0.expect(200, "").json();
    assert_eq!((&first["status"], &first["repairs"][0]["state"]), (&json!("resolving"), &json!("repaired")));
    let decision = &first["decisions"][0];
    assert_eq!((&decision["action"], &decision["reason"]), (&json!("resolve"), &json!("the provider is right")));
    assert!(decision["by"].as_str().is_some_and(|by| by.starts_with("key_")) && decision["run"].is_string(), "{first}");
    assert_eq!(both.1.expect(200, "").json()["status"], "resolving");
    let again = stage.decide(&id, "resolve", "once", right()).await.expect(200, "");
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    // Another key finds nothing that differs any more.
    stage.decide(&id, "resolve", "twice", right()).await.expect(200, "");
    assert_eq!((stage.value("app.db", "plan", "a"), stage.writes()), ("free".to_owned(), 1));
    stage
        .decide(&id, "resolve", "once", json!({"choice": "left", "reason": "no"}))
        .await
        .expect(422, "idempotency-key-reused");
    stage.compare();
    let shown = stage.get(&format!("/v1/discrepancies/{id}")).await.expect(200, "").json();
    assert_eq!((&shown["status"], shown["repair"].is_string()), (&json!("resolved"), true));
    stage.decide(&id, "resolve", "late", right()).await.expect(409, "discrepancy-closed");
    let run = shown["repairs"][0]["run"].as_str().expect("its run");
    let run = stage.get(&format!("/v1/runs/{run}")).await.expect(200, "").json();
    assert_eq!(run["repairs"]["states"], json!({"repaired": 1}));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_left_may_be_right_too() {
    let stage = Stage::open().await;
    stage.change("billing.db", "UPDATE accounts SET status = 'ended', plan = 'free' WHERE id = 'a'");
    stage.compare();
    let id = stage.id_of("a").await;
    stage.decide(&id, "resolve", "left", json!({"choice": "left", "reason": "ours"})).await.expect(200, "");
    let told = ["status", "plan"].map(|column| stage.value("billing.db", column, "a"));
    assert_eq!(told, ["active", "pro"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_is_approved_and_made_once() {
    let stage = Stage::open().await;
    stage.change("app.db", COUNTED);
    stage.change("billing.db", "UPDATE accounts SET status = 'ended' WHERE id = 'a'");
    stage.compare();
    let id = stage.id_of("a").await;
    let why = || json!({"reason": "they have left"});
    stage.decide(&id, "approve", "early", why()).await.expect(409, "nothing-waits");
    stage.repair();
    assert_eq!(stage.writes(), 0);
    let both = tokio::join!(stage.decide(&id, "approve", "once", why()), stage.decide(&id, "approve", "once", why()));
    for answer in [both.0, both.1] {
        assert_eq!(answer.expect(200, "").json()["repairs"][0]["state"], "repaired");
    }
    stage.decide(&id, "approve", "once", why()).await.expect(200, "");
    stage.decide(&id, "approve", "twice", why()).await.expect(409, "nothing-waits");
    assert_eq!((stage.value("app.db", "status", "a"), stage.writes()), ("ended".to_owned(), 1));
    // Later another repair of it waits: the old request is no word about that.
    stage.change("app.db", "UPDATE accounts SET status = 'active' WHERE id = 'a'");
    stage.compare();
    stage.repair();
    let writes = stage.writes();
    stage.decide(&id, "approve", "once", why()).await.expect(200, "");
    assert_eq!((stage.value("app.db", "status", "a"), stage.writes()), ("active".to_owned(), writes));
    let anew = stage.id_of("a").await;
    stage.decide(&anew, "approve", "anew", why()).await.expect(200, "");
    assert_eq!(stage.value("app.db", "status", "a"), "ended");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_ignored_stays_so_until_a_record_changes() {
    let stage = Stage::open().await;
    stage.change("billing.db", "UPDATE accounts SET plan = 'free' WHERE id IN ('a', 'b')");
    stage.compare();
    let id = stage.id_of("a").await;
    let why = || json!({"reason": "a free month, as agreed"});
    let ignored = stage.decide(&id, "ignore", "ignore", why()).await.expect(200, "").json();
    assert_eq!(
        (&ignored["status"], &ignored["ignored_reason"]),
        (&json!("ignored"), &json!("a free month, as agreed"))
    );
    stage.decide(&id, "ignore", "ignore", why()).await.expect(200, "");
    stage.compare();
    let standing = |standing: Vec<(String, String)>| standing.into_iter().map(|(_, status)| status).collect::<Vec<_>>();
    assert_eq!(standing(stage.standing().await), ["ignored", "confirmed"]);
    stage.change("billing.db", "UPDATE accounts SET plan = 'basic' WHERE id = 'a'");
    stage.compare();
    assert_eq!(standing(stage.standing().await), ["confirmed", "confirmed"]);
    let shown = stage.get(&format!("/v1/discrepancies/{id}")).await.json();
    assert_eq!((&shown["ignored_by"], &shown["decisions"][0]["action"]), (&Value::Null, &json!("ignore")));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_decided_so_is_refused_and_nothing_is_written() {
    let stage = Stage::open().await;
    stage.change("app.db", COUNTED);
    stage.change("billing.db", "UPDATE accounts SET plan = 'free' WHERE id = 'a'; DELETE FROM accounts WHERE id = 'c'");
    stage.compare();
    let (different, missing) = (stage.id_of("a").await, stage.id_of("c").await);
    stage.decide(&missing, "resolve", "k1", right()).await.expect(409, "not-resolvable");
    for (action, body) in [
        ("resolve", json!({"choice": "both", "reason": "x"})),
        ("resolve", json!({"reason": "x"})),
        ("resolve", json!({"choice": "left"})),
        ("ignore", json!({})),
        ("ignore", json!({"reason": ""})),
        ("approve", json!({"reason": "x", "choice": "left"})),
    ] {
        stage.decide(&different, action, "k2", body).await.expect(400, "invalid-body");
    }
    let call = request(&different, "resolve", "k3", &right());
    let call = call.without("authorization").header("authorization", &bearer(WRITER));
    stage.app.send(call).await.expect(403, "forbidden");
    stage
        .app
        .send(request(&different, "resolve", "k4", &right()).without("idempotency-key"))
        .await
        .expect(400, "idempotency-key-missing");
    stage
        .decide("dsc_01h455vb4pex5vsknk084sn02q", "ignore", "k5", json!({"reason": "x"}))
        .await
        .expect(404, "not-found");
    stage.decide("none", "ignore", "k6", json!({"reason": "x"})).await.expect(404, "not-found");
    // A system that is away is told, and the same key goes on when it is back.
    let (there, away) = (stage.files.path().join("billing.db"), stage.files.path().join("away.db"));
    std::fs::rename(&there, &away).expect("moved away");
    let refused = stage.decide(&different, "resolve", "k7", right()).await;
    assert!(matches!(refused.status, 409 | 502), "{}", refused.status);
    assert_eq!(stage.writes(), 0);
    std::fs::rename(&away, &there).expect("moved back");
    stage.decide(&different, "resolve", "k7", right()).await.expect(200, "");
    assert_eq!((stage.value("app.db", "plan", "a"), stage.writes()), ("free".to_owned(), 1));
}

/// The other examples need no pair, and are sent elsewhere.
#[tokio::test(flavor = "multi_thread")]
async fn examples_of_decisions_are_taken() {
    let stage = Stage::open().await;
    stage.change("billing.db", "UPDATE accounts SET status = 'ended', plan = 'free' WHERE id IN ('a', 'b')");
    stage.repair();
    let contract = openapi::document();
    for (action, key) in [("ignore", "a"), ("resolve", "a"), ("approve", "b")] {
        let examples = &contract["paths"][format!("/v1/discrepancies/{{id}}/{action}")]["post"]["requestBody"]["content"]
            ["application/json"]["examples"];
        for (name, example) in examples.as_object().expect("examples") {
            let id = stage.id_of(key).await;
            stage.decide(&id, action, &format!("{action}-{name}"), example["value"].clone()).await.expect(200, "");
        }
    }
}

fn merged(values: &Value) -> Value {
    json!({"choice": "merged", "values": values, "reason": "as the contract says"})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_says_what_is_and_both_sides_say_so_once() {
    let stage = Stage::open().await;
    stage.change("app.db", COUNTED);
    stage.change("billing.db", "UPDATE accounts SET status = 'ended', plan = 'free' WHERE id = 'a'");
    stage.compare();
    let id = stage.id_of("a").await;
    let values = json!({"status": "paused", "plan": "free"});
    let both = tokio::join!(
        stage.decide(&id, "resolve", "once", merged(&values)),
        stage.decide(&id, "resolve", "once", merged(&values)),
    );
    let shown = both.0.expect(200, "").json();
    both.1.expect(200, "");
    let told = |name: &str| ["status", "plan"].map(|column| stage.value(name, column, "a"));
    assert_eq!(
        (told("app.db"), told("billing.db")),
        (["paused".into(), "free".into()], ["paused".into(), "free".into()])
    );
    assert_eq!(stage.writes(), 1);
    // What the right said already is not written there.
    let mut set: Vec<_> =
        shown["repairs"].as_array().expect("repairs").iter().map(|one| (&one["side"], &one["set"])).collect();
    set.sort_by_key(|(side, _)| side.to_string());
    assert_eq!(set, [(&json!("left"), &values), (&json!("right"), &json!({"status": "paused"}))]);
    assert_eq!((&shown["status"], &shown["decisions"][0]["action"]), (&json!("resolving"), &json!("resolve")));
    // Somebody who sends it again writes nothing, and with other values it is another request.
    stage.decide(&id, "resolve", "once", merged(&values)).await.expect(200, "");
    let other = merged(&json!({"status": "active"}));
    stage.decide(&id, "resolve", "once", other).await.expect(422, "idempotency-key-reused");
    stage.compare();
    assert_eq!(stage.get(&format!("/v1/discrepancies/{id}")).await.json()["status"], "resolved");
    // Both repairs are of one run, and are taken back as one.
    let run = shown["repairs"][0]["run"].as_str().expect("a run");
    assert_eq!(shown["repairs"][1]["run"], run);
    stage.take_back(run);
    assert_eq!(
        (told("app.db"), told("billing.db")),
        (["active".into(), "pro".into()], ["ended".into(), "free".into()])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_person_does_not_name_stays_as_it_is() {
    let stage = Stage::open().await;
    stage.change("billing.db", "UPDATE accounts SET status = 'ended', plan = 'free' WHERE id = 'a'");
    stage.compare();
    let id = stage.id_of("a").await;
    stage.decide(&id, "resolve", "one", merged(&json!({"plan": null}))).await.expect(200, "");
    let plan = |name: &str| {
        let file = rusqlite::Connection::open(stage.files.path().join(name)).expect("a file");
        file.query_row("SELECT plan FROM accounts WHERE id = 'a'", [], |row| row.get::<_, Option<String>>(0))
            .expect("told")
    };
    assert_eq!((plan("app.db"), plan("billing.db")), (None, None));
    assert_eq!(stage.value("app.db", "status", "a"), "active");
    stage.compare();
    let shown = stage.get(&format!("/v1/discrepancies/{id}")).await.json();
    assert_eq!((&shown["status"], &shown["differences"][0]["field"]), (&json!("confirmed"), &json!("status")));
}

#[tokio::test(flavor = "multi_thread")]
async fn values_that_make_no_sense_are_refused_and_nothing_is_written() {
    let stage = Stage::open().await;
    stage.change("app.db", COUNTED);
    stage.change("billing.db", "UPDATE accounts SET plan = 'free' WHERE id = 'a'");
    stage.compare();
    let id = stage.id_of("a").await;
    for body in [
        json!({"choice": "merged", "reason": "x"}),
        json!({"choice": "merged", "values": {}, "reason": "x"}),
        json!({"choice": "merged", "values": [], "reason": "x"}),
        json!({"choice": "merged", "values": {"plan": ["pro"]}, "reason": "x"}),
        json!({"choice": "merged", "values": {"plan": 1.5}, "reason": "x"}),
        json!({"choice": "left", "values": {"plan": "pro"}, "reason": "x"}),
        json!({"choice": "merged", "values": {"plan": "basic"}}),
    ] {
        stage.decide(&id, "resolve", "k1", body).await.expect(400, "invalid-body");
    }
    let unknown = stage.decide(&id, "resolve", "k2", merged(&json!({"plan": "basic", "price": 5}))).await;
    let unknown = unknown.expect(400, "invalid-body").json();
    assert_eq!(unknown["errors"][0]["pointer"], "/values/price");
    assert!(unknown["errors"][0]["detail"].as_str().is_some_and(|detail| detail.contains("status, plan")), "{unknown}");
    let other = stage.decide(&id, "resolve", "k3", merged(&json!({"status": "active", "plan": true}))).await;
    let other = other.expect(409, "not-resolvable").json();
    assert!(other["detail"].as_str().is_some_and(|detail| detail.contains("other_type")), "{other}");
    assert_eq!((stage.writes(), stage.value("billing.db", "plan", "a")), (0, "free".to_owned()));
    // The same key does what it can once the values are right, and no other request.
    stage.decide(&id, "resolve", "k4", merged(&json!({"plan": "basic"}))).await.expect(200, "");
    assert_eq!(
        (stage.value("app.db", "plan", "a"), stage.value("billing.db", "plan", "a")),
        ("basic".into(), "basic".into())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_story_of_a_run_and_of_each_repair_is_told_to_administrators() {
    let stage = Stage::open().await;
    stage.change("billing.db", "UPDATE accounts SET status = 'ended', plan = 'free' WHERE id = 'a'");
    stage.compare();
    let id = stage.id_of("a").await;
    let values = json!({"status": "paused", "plan": "basic"});
    let shown = stage.decide(&id, "resolve", "once", merged(&values)).await.expect(200, "").json();
    let run = shown["decisions"][0]["run"].as_str().expect("a run").to_owned();
    stage.take_back(&run);
    let events = |story: &Value| -> Vec<String> {
        let lines = story["stories"][0]["lines"].as_array().expect("lines");
        lines.iter().map(|line| line["event"].as_str().expect("an event").to_owned()).collect()
    };
    let story = stage.get(&format!("/v1/trace/{run}")).await.expect(200, "").json();
    assert_eq!((&story["recognised_as"], &story["stories"][0]["payment"]), (&json!("run"), &Value::Null));
    let told = quittance_server::reconcile::trace(&stage.data, &run).expect("read").expect("a story");
    assert_eq!(events(&story), told.stories[0].lines.iter().map(|line| line.event).collect::<Vec<_>>());
    assert_eq!(events(&story)[0], "run_began");
    assert!(story.to_string().contains("plan = basic") && story["stories"][0]["lines"][0]["details"]["by"].is_string());
    // One repair of it, in either way of naming it.
    let one = stage.get(&format!("/v1/trace/{run}?repair=1")).await.expect(200, "").json();
    let same = stage.get(&format!("/v1/trace/{run}%2F1")).await.expect(200, "").json();
    assert_eq!((&one, &one["id"]), (&same, &json!(format!("{run}/1"))));
    assert!(events(&one).len() < events(&story).len() && !one.to_string().contains("\"repair\":\"0\""), "{one}");
    for missing in [
        format!("{run}?repair=7"),
        format!("{run}%2F1?repair=1"),
        "run_01h455vb4pex5vsknk084sn02q".to_owned(),
        "order-1?repair=1".to_owned(),
    ] {
        stage.get(&format!("/v1/trace/{missing}")).await.expect(404, "not-found");
    }
    for wrong in [format!("{run}?repair=-1"), format!("{run}?repair=x")] {
        stage.get(&format!("/v1/trace/{wrong}")).await.expect(400, "invalid-parameter");
    }
    let call = Call::new("GET", &format!("/v1/trace/{run}")).header("authorization", &bearer(WRITER));
    stage.app.send(call).await.expect(403, "forbidden");
}
