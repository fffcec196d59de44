//! Completions, configuration, credentials, and how the program ends when something is wrong.

use crate::support::{Client, Ended, Home, Server, bare, end, sandbox};
use serde_json::{Value, json};
use std::process::Stdio;

fn check(ended: &Ended, code: i32, said: &[&str]) {
    assert_eq!(ended.code, code, "{ended:?}");
    for words in said {
        assert!(ended.stderr.contains(words), "{words:?} is not in {ended:?}");
    }
    assert!(!ended.stderr.contains("panicked"), "{ended:?}");
}

#[test]
fn every_shell_is_completed() {
    let home = Home::new();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let ended = end(&mut bare(&["completions", shell], home.directory.path()));
        check(&ended, 0, &[]);
        assert!(ended.stdout.contains("check-config") && ended.stdout.contains("webhook-secret"), "{shell}");
    }
    check(&end(&mut bare(&["completions", "tcl"], home.directory.path())), 2, &["tcl"]);
}

#[test]
fn a_wrong_command_line_is_usage() {
    let home = Home::new();
    for words in
        [&["serv"][..], &[], &["trace"], &["verify", "--format", "xml"], &["verify", "--json", "--format", "csv"]]
    {
        check(&end(&mut bare(words, home.directory.path())), 2, &["--help"]);
    }
    let words = ["sandbox", "--webhook-url", "http://127.0.0.1:1/", "--webhook-secret", "whsec_literal"];
    let ended = end(&mut bare(&words, home.directory.path()));
    check(&ended, 2, &["not a reference to a secret", "write env:NAME or file:PATH"]);
    assert!(!ended.stderr.contains("whsec_literal"), "a secret is repeated: {ended:?}");
}

#[test]
fn a_good_configuration_is_called_good() {
    let home = Home::with_gateway("http://127.0.0.1:9");
    let ended = home.run(&["check-config", "--json"]);
    check(&ended, 0, &[]);
    assert_eq!(ended.json()["ok"], json!(true));
    assert_eq!(ended.json()["gateways"], json!(["sandbox"]));
    assert!(home.run(&["check-config"]).stdout.contains("no mistakes in"));
    // Nothing but defaults is a configuration, too.
    check(&Home::new().run(&["check-config"]), 0, &[]);
}

#[test]
fn every_mistake_is_named_with_its_line_and_remedy() {
    let home = Home::new();
    home.write(
        "quittance.toml",
        "[server]\nlisten = \"nowhere\"\n\n[gateways.stripe]\nkind = \"stripe\"\napi_key = \"sk_live_literal\"\ntimeout = 3\n",
    );
    let ended = home.run(&["check-config", "--json"]);
    check(&ended, 2, &["quittance.toml:2: ", "quittance.toml:6: ", "quittance.toml:7: ", "env:"]);
    assert!(!ended.stderr.contains("sk_live_literal") && !ended.stdout.contains("sk_live_literal"));
    let mistakes = ended.json()["mistakes"].as_array().expect("mistakes").clone();
    let lines: Vec<&Value> = mistakes.iter().map(|mistake| &mistake["line"]).collect();
    assert_eq!(lines, [&json!(2), &json!(6), &json!(7)]);
    assert!(mistakes.iter().all(|mistake| mistake["remedy"].as_str().is_some_and(|remedy| !remedy.is_empty())));
    // A server refuses the same, in the same words.
    check(&home.run(&["serve"]), 2, &["quittance.toml:2: ", "check-config"]);
    check(&home.run(&["check-config", "--config", "elsewhere.toml"]), 2, &["elsewhere.toml"]);
}

#[test]
fn secrets_that_are_not_there_are_mistakes_unless_nobody_asks() {
    let home = Home::with_gateway("http://127.0.0.1:9");
    std::fs::remove_file(home.path("key")).expect("removed");
    check(&home.run(&["check-config"]), 2, &["quittance.toml:4: ", "gateways.sandbox.api_key", "no secret at file:"]);
    check(&home.run(&["check-config", "--without-secrets"]), 0, &[]);
    check(&home.run(&["serve", "--listen", "127.0.0.1:0"]), 2, &["no secret at file:"]);
}

/// Whether a credential lets its holder in.
fn is_let_in(server: &Server, secret: &str) -> bool {
    match Client::new(&server.base, Some(secret)).get("/v1/payments").0 {
        200 => true,
        401 => false,
        other => panic!("a list of payments is answered with {other}"),
    }
}

#[test]
fn keys_work_whether_they_are_made_before_or_while_the_server_runs() {
    let home = Home::new();
    let first = home.run(&["key", "create", "--name", "early", "--scopes", "admin", "--json"]);
    check(&first, 0, &[]);
    let first = first.json();
    assert!(first["id"].as_str().is_some_and(|id| id.starts_with("key_")), "{first}");
    let early = first["secret"].as_str().expect("a secret");
    assert!(early.starts_with("qk_test_"), "the first tenant has play money");
    let mut server = home.serve();
    assert!(is_let_in(&server, early));

    let words = ["key", "create", "--tenant", "default", "--name", "late", "--scopes", "read", "--format", "csv"];
    let late = home.run(&words);
    check(&late, 0, &[]);
    let late: Vec<&str> = late.stdout.lines().nth(1).expect("a row").split(',').collect();
    assert_eq!(&late[2..4], ["late", "read"]);
    assert!(is_let_in(&server, late[1]));

    let keys = home.run(&["key", "list", "--json"]).json();
    assert_eq!(keys["data"].as_array().map(Vec::len), Some(2));
    assert!(!keys.to_string().contains("qk_test_"), "a list shows secrets");
    check(&home.run(&["key", "revoke", late[0]]), 0, &[]);
    assert!(!is_let_in(&server, late[1]));

    assert_eq!(server.terminate(), 0);
    assert!(server.later.try_recv().is_err(), "nothing is printed after the address");
    check(&home.run(&["key", "revoke", first["id"].as_str().expect("an id")]), 0, &[]);
    assert!(!is_let_in(&home.serve(), early));
}

#[test]
fn tenants_are_made_once_and_have_to_be_named_when_there_are_several() {
    let home = Home::new();
    let live = home.run(&["tenant", "create", "--name", "acme", "--mode", "live", "--json"]);
    check(&live, 0, &[]);
    assert_eq!(live.json()["mode"], "live");
    check(&home.run(&["tenant", "create", "--name", "acme"]), 2, &["error: "]);
    let key = home.run(&["key", "create", "--name", "n", "--scopes", "write", "--json"]).json();
    assert!(key["secret"].as_str().is_some_and(|secret| secret.starts_with("qk_live_")), "the only tenant is meant");
    check(&home.run(&["tenant", "create", "--name", "acme test"]), 0, &[]);
    check(&home.run(&["key", "create", "--name", "n", "--scopes", "write"]), 2, &["say which one"]);
    check(&home.run(&["key", "create", "--tenant", "x", "--name", "n", "--scopes", "write"]), 2, &["no tenant"]);
    assert_eq!(home.run(&["tenant", "list", "--format", "csv"]).stdout.lines().count(), 3);
}

#[test]
fn data_that_is_not_there_is_not_made_by_a_question() {
    let home = Home::new();
    for words in [
        &["verify"][..],
        &["trace", "x"],
        &["key", "list"],
        &["tenant", "list"],
        &["key", "revoke", "key_x"],
        &["pause"],
    ] {
        check(&home.run(words), 2, &["no quittance data in", "data", "--data"]);
        assert!(!home.data().exists(), "{words:?} left a directory behind");
    }
}

#[test]
fn what_is_paused_before_the_server_runs_leaves_when_it_is_resumed() {
    let place = Home::new();
    let sandbox = sandbox(&place);
    let home = Home::with_gateway(&sandbox.base);
    let config = std::fs::read_to_string(home.path("quittance.toml")).expect("a configuration");
    home.write("quittance.toml", &format!("{config}\n[server]\nwait_ms = 1000\n"));
    let secret = home.credential();
    check(&home.run(&["pause", "--gateway", "sandbx"]), 2, &["no gateway of this name is configured"]);
    let paused = home.run(&["pause", "--gateway", "sandbox", "--reason", "rehearsal", "--json"]);
    check(&paused, 0, &[]);
    assert_eq!(paused.json()["paused"][0]["reason"], "rehearsal");

    let server = home.serve();
    let client = Client::new(&server.base, Some(&secret));
    assert_eq!(client.post("/v1/customers", "c", &json!({"external_id": "anna"})).0, 201);
    let asked = json!({
        "customer": "anna", "amount": 1999, "currency": "USD", "gateway": "sandbox",
        "payment_method": "pm_card_visa", "reference": "order-1",
    });
    // The answer comes after the whole wait: nothing left meanwhile.
    let (status, payment) = client.post("/v1/payments", "p", &asked);
    assert_eq!((status, &payment["status"]), (202, &json!("processing")), "{payment}");
    let gateway = Client::new(&sandbox.base, None);
    assert_eq!(gateway.get("/_sandbox/faults").1["requests"], 0, "something left");

    let resumed = home.run(&["resume", "--gateway", "sandbox"]);
    check(&resumed, 0, &[]);
    assert!(resumed.stdout.contains("nothing is paused"), "{resumed:?}");
    let mut answers = std::iter::repeat_with(|| client.post("/v1/payments", "p", &asked)).take(60);
    let (status, payment) = answers.find(|(status, _)| *status != 202).expect("an answer in time");
    assert_eq!((status, &payment["status"]), (201, &json!("succeeded")), "{payment}");
    check(&home.run(&["verify"]), 0, &[]);
}

#[test]
fn a_second_server_is_refused() {
    let home = Home::new();
    let server = home.serve();
    check(&home.run(&["serve", "--listen", "127.0.0.1:0"]), 3, &["in use by another process", "stop the other"]);
    let elsewhere = Home::new();
    let taken = server.base.strip_prefix("http://").expect("an address");
    check(&elsewhere.run(&["serve", "--listen", taken]), 3, &["cannot listen on", "--listen"]);
    check(&end(&mut bare(&["sandbox", "--listen", taken], home.directory.path())), 3, &["cannot listen on"]);
}

#[test]
fn data_of_a_newer_version_is_left_alone() {
    let home = Home::new();
    home.credential();
    let database = rusqlite::Connection::open(home.data().join("quittance.db")).expect("opened");
    database.execute("INSERT INTO schema_version (version) VALUES (99)", []).expect("written");
    drop(database);
    for words in [&["verify"][..], &["serve", "--listen", "127.0.0.1:0"], &["trace", "x"], &["key", "list"]] {
        check(&home.run(words), 2, &["schema version 99 needs a newer quittance", "use the version"]);
    }
}

#[test]
fn data_that_is_no_database_is_an_internal_failure() {
    let home = Home::new();
    std::fs::create_dir(home.data()).expect("made");
    std::fs::write(home.data().join("quittance.db"), "not a database, but long enough to look like one")
        .expect("written");
    for words in [&["verify"][..], &["serve", "--listen", "127.0.0.1:0"]] {
        check(&home.run(words), 5, &["damaged data in"]);
    }
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let home = Home::new();
    let mut command = bare(&["completions", "bash"], home.directory.path());
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
}
