//! Alerts from outside: a real server, a gateway that is paused, and channels that take messages, or do not.

mod receivers;

use crate::support::{Client, Ended, Home, Server, bare, end, sandbox};
use quittance_surroundings::{Peer, Postgres};
use receivers::{Letter, MailServer, Posted, Receiver};
use serde_json::{Value, json};
use std::io::Write;
use std::process::{Command, Stdio};

/// A gateway that is never asked anything: what is alarmed is that it is paused.
const GATEWAY: &str = "[gateways.sandbox]\nkind = \"stripe\"\napi_base = \"http://127.0.0.1:9\"\n\
     api_key = \"file:key\"\n";

/// A home with one gateway and these channels.
fn home(channels: &str) -> Home {
    let home = Home::new();
    home.write("key", "sk_test_it");
    home.write("quittance.toml", &format!("{GATEWAY}{channels}"));
    home
}

/// A channel of this kind at the address of a receiver.
fn channel(home: &Home, name: &str, kind: &str, receiver: &Receiver, more: &str) -> String {
    home.write(&format!("{name}.url"), &receiver.url);
    format!("[alerts.{name}]\nkind = \"{kind}\"\nurl = \"file:{name}.url\"\nmin_gap = \"0s\"\n{more}")
}

fn configure(home: &Home, channels: &[String]) {
    home.write("quittance.toml", &format!("{GATEWAY}{}", channels.concat()));
}

fn pause(home: &Home) -> Ended {
    home.run(&["pause", "--gateway", "sandbox", "--json"])
}

fn resume(home: &Home) -> Ended {
    home.run(&["resume", "--gateway", "sandbox", "--json"])
}

/// What Slack is told of the paused gateway, with the times that it was told.
fn slack_says(posted: &Posted, standing: &str) {
    let title = format!("{standing}: brake of gateways.sandbox");
    assert_eq!(posted.json()["text"], json!(title), "{posted:?}");
    let blocks = posted.json()["blocks"].clone();
    let section = |text: &Value| json!({"type": "section", "text": {"type": "mrkdwn", "verbatim": true, "text": text}});
    let (head, said) = (json!(format!("*{title}*")), &blocks[1]["text"]["text"]);
    assert_eq!(blocks, json!([section(&head), section(said)]));
    let said = said.as_str().expect("a text");
    let before = format!("*{standing}* brake of *gateways.sandbox*: it is paused\nsince 2");
    assert!(said.starts_with(&before), "{said}");
    assert_eq!(posted.header("content-type"), Some("application/json"));
}

#[test]
fn slack_is_told_that_a_gateway_is_paused_and_that_it_is_not_any_more() {
    let slack = Receiver::answering(&[200]);
    let home = home("");
    configure(&home, &[channel(&home, "ops", "slack", &slack, "")]);
    let server = home.serve();
    assert_eq!(pause(&home).code, 0);
    slack_says(&slack.next(), "warning");
    let (status, told) = Client::new(&server.base, Some(&home.credential())).get("/v1/alerts?status=open");
    assert_eq!((status, &told["data"][0]["kind"], &told["channels"][0]["name"]), (200, &json!("brake"), &json!("ops")));
    assert_eq!(Client::new(&server.base, None).get("/v1/alerts").0, 401);
    let listed = home.run(&["alerts", "--json"]);
    assert_eq!(listed.code, 1, "{listed:?}");
    let alert = &listed.json()["alerts"][0];
    let expected = [("subject", "gateways.sandbox"), ("kind", "brake"), ("status", "open"), ("what", "it is paused")];
    expected.iter().for_each(|(name, value)| assert_eq!(alert[name], *value, "{listed:?}"));
    assert_eq!(resume(&home).code, 0);
    slack_says(&slack.next(), "resolved");
    let listed = home.run(&["alerts", "--json"]);
    assert_eq!((listed.code, &listed.json()["alerts"]), (0, &json!([])), "{listed:?}");
}

/// That a pair cannot be compared has a reason that a person can mend at once, and it is told as that.
#[test]
fn a_system_that_refuses_our_key_is_told_until_the_key_is_right() {
    let slack = Receiver::answering(&[200]);
    let home = Home::new();
    let gateway = sandbox(&home);
    home.write("key", "wrong");
    home.write("customers.csv", "id,email\ncus_1,a@x.example\n");
    let customers = json!({"customers": [{"id": "cus_1", "created": 1_700_000_000, "email": "a@x.example"}]});
    assert_eq!(Client::new(&gateway.base, Some("sk_test_it")).post("/_sandbox/seed", "seed", &customers).0, 200);
    home.write(
        "quittance.toml",
        &format!(
            "[systems.files]\nkind = \"csv\"\npath = \"{}\"\n\
             [systems.stripe]\nkind = \"stripe\"\napi_base = \"{}\"\napi_key = \"file:{}\"\n\
             [pairs.customers]\nleft = {{ system = \"files\", file = \"customers\" }}\n\
             right = {{ system = \"stripe\", object = \"customer\" }}\n\
             match = [ {{ left = \"id\", right = \"id\" }} ]\nschedule = \"every 1s\"\nsettle = \"0s\"\n\
             fields = [ {{ left = \"email\", right = \"email\" }} ]\n{}",
            home.path("").display(),
            gateway.base,
            home.path("key").display(),
            channel(&home, "ops", "slack", &slack, ""),
        ),
    );
    let _server = home.serve();
    let told = slack.next().json();
    assert_eq!(told["text"], "critical: unauthorised of customers");
    let said = told["blocks"][1]["text"]["text"].as_str().expect("a text").to_owned();
    assert!(said.contains("does not accept its api_key"), "{said}");
    let listed = home.run(&["alerts", "--json"]);
    let kinds: Vec<_> =
        listed.json()["alerts"].as_array().expect("a list").iter().map(|one| one["kind"].clone()).collect();
    assert_eq!(kinds, [json!("unauthorised")], "{listed:?}");
    home.write("key", "sk_test_it");
    assert_eq!(slack.next().json()["text"], "resolved: unauthorised of customers");
}

#[test]
fn a_channel_that_fails_is_told_by_another_and_gets_its_message_under_one_id() {
    // Three attempts fail, with waits of 5 and 15 seconds between them.
    let (webhook, slack) = (Receiver::answering(&[500, 503, 200]), Receiver::answering(&[200]));
    let home = home("");
    let more = "on = [\"channel\"]\n";
    configure(&home, &[channel(&home, "hook", "webhook", &webhook, ""), channel(&home, "ops", "slack", &slack, more)]);
    let server = home.serve();
    assert_eq!(pause(&home).code, 0);
    let attempts = [webhook.next(), webhook.next()];
    let told = slack.next().json();
    assert_eq!(told["text"], "critical: channel of alerts.hook");
    let said = told["blocks"][1]["text"]["text"].as_str().expect("a text").to_owned();
    assert!(said.contains("the channel takes no messages: it answered 50"), "{said}");
    let third = webhook.next();
    for attempt in &attempts {
        assert_eq!(attempt.header("webhook-id"), third.header("webhook-id"));
        assert_eq!(attempt.body, third.body);
    }
    assert_eq!(third.header("webhook-id"), third.json()["id"].as_str());
    assert_eq!(slack.next().json()["text"], "resolved: channel of alerts.hook");
    let metrics = Client::new(&server.base, Some(&home.credential())).get_text("/metrics");
    for line in [
        "quittance_alert_messages_total{channel=\"hook\",result=\"failed\"} 2",
        "quittance_alert_messages_total{channel=\"hook\",result=\"sent\"} 1",
        "quittance_alerts_open{kind=\"brake\"} 1",
    ] {
        assert!(metrics.contains(line), "{line} is not in {metrics}");
    }
}

#[test]
fn who_is_killed_before_an_answer_leaves_a_message_that_is_sent_again() {
    let webhook = Receiver::answering(&[0, 200]);
    let home = home("");
    configure(&home, &[channel(&home, "hook", "webhook", &webhook, "")]);
    let mut server = home.serve();
    assert_eq!(pause(&home).code, 0);
    let first = webhook.next();
    server.child.kill().expect("it runs");
    server.child.wait().expect("it ends");
    let _server = home.serve();
    let second = webhook.next();
    assert_eq!((second.header("webhook-id"), &second.body), (first.header("webhook-id"), &first.body));
}

#[test]
fn signatures_are_verified_by_the_library_of_standard_webhooks() {
    let Some(python) = Peer::Python.find("signatures of alerts with standardwebhooks") else { return };
    let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let webhook = Receiver::answering(&[200]);
    let home = home("");
    home.write("signing", secret);
    configure(&home, &[channel(&home, "hook", "webhook", &webhook, "secret = \"file:signing\"\n")]);
    let shown = home.run(&["alerts", "test", "hook"]);
    assert_eq!(shown.code, 0, "{shown:?}");
    assert!(shown.stdout.ends_with("nothing was sent; with --apply it is\n"), "{shown:?}");
    let sent = home.run(&["alerts", "test", "hook", "--apply", "--json"]);
    assert_eq!((sent.code, &sent.json()["sent"]), (0, &json!(true)), "{sent:?}");
    let posted = webhook.next();
    assert!(webhook.is_idle(), "a dry test sends nothing");
    assert_eq!(posted.header("content-type"), Some("application/cloudevents+json"));
    assert_eq!(sent.json()["message"].as_str().map(event_without_id), Some(event_without_id(&posted.body)));
    let script = "import json, sys\nfrom standardwebhooks import Webhook\nasked = json.load(sys.stdin)\n\
         print(Webhook(asked['secret']).verify(asked['body'], asked['headers'])['type'])";
    let mut child = Command::new(python)
        .args(["-c", script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python can be started");
    let headers: Value = posted.headers.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
    let asked = json!({"secret": secret, "headers": headers, "body": posted.body});
    child.stdin.take().expect("a pipe").write_all(asked.to_string().as_bytes()).expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success(), "the script says why above");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "dev.quittance.alerts.v1\n");
}

fn event_without_id(body: &str) -> Value {
    let mut event: Value = serde_json::from_str(body).expect("an event");
    event["id"] = Value::Null;
    event
}

#[test]
fn mail_arrives_with_its_headers_encoded_and_a_silent_server_is_no_success() {
    let mail = MailServer::start();
    let home = home("");
    let smtp = |port: u16| {
        format!(
            "[alerts.mail]\nkind = \"smtp\"\nhost = \"127.0.0.1\"\nport = {port}\ntls = \"none\"\n\
             from = \"Quittance <quittance@example.com>\"\nto = [\"ops@example.com\", \"Käthe <k@example.com>\"]\n\
             min_gap = \"0s\"\n"
        )
    };
    configure(&home, &[smtp(mail.port)]);
    let _server = home.serve();
    assert_eq!(pause(&home).code, 0);
    let Letter { from, to, data } = mail.next();
    assert_eq!((from.as_str(), to), ("quittance@example.com", vec!["ops@example.com".into(), "k@example.com".into()]));
    let (headers, text) = data.split_once("\r\n\r\n").expect("headers and a text");
    assert!(headers.contains("\r\nSubject: [quittance] warning: brake of gateways.sandbox"), "{headers}");
    assert!(headers.starts_with("Message-ID: <ntc_") && headers.contains("=?utf-8?b?"), "{headers}");
    assert!(text.starts_with("warning: brake of gateways.sandbox\r\n  it is paused\r\n  since 2"), "{text}");
    let silent = Receiver::answering(&[0]);
    configure(&home, &[smtp(silent.port)]);
    let tried = home.run(&["alerts", "test", "mail", "--apply", "--json"]);
    assert_eq!((tried.code, &tried.json()["sent"]), (3, &json!(false)), "{tried:?}");
}

#[test]
fn a_silence_keeps_a_channel_from_being_told_until_it_is_lifted() {
    let slack = Receiver::answering(&[200]);
    let home = home("");
    configure(&home, &[channel(&home, "ops", "slack", &slack, "")]);
    let _server = home.serve();
    let words = ["alerts", "silence", "--subject", "gateways.sandbox", "--for", "2h", "--reason", "we move", "--json"];
    let silenced = home.run(&words);
    assert_eq!((silenced.code, &silenced.json()["status"]), (0, &json!("in_force")), "{silenced:?}");
    assert_eq!(pause(&home).code, 0);
    let is_listed = || home.run(&["alerts", "--json"]).json()["alerts"][0]["silenced"] == json!(true);
    receivers::until("the alert is kept", is_listed);
    let silenced = silenced.json();
    let id = silenced["id"].as_str().expect("an id");
    assert!(slack.is_idle(), "it is silenced");
    assert_eq!(home.run(&["alerts", "unsilence", id]).code, 0);
    slack_says(&slack.next(), "warning");
    for wrong in [
        &["alerts", "silence", "--subject", "gateways.sandbx", "--for", "2h", "--reason", "x"][..],
        &["alerts", "silence", "--subject", "*", "--for", "31d", "--reason", "x"],
        &["alerts", "unsilence", "sil_00000000000000000000000000"],
        &["alerts", "test", "nobody"],
    ] {
        assert_eq!(home.run(wrong).code, 2, "{wrong:?}");
    }
}

#[test]
fn two_processes_on_one_database_tell_each_message_once() {
    const VARIABLE: &str = "QUITTANCE_IT_DATABASE";
    let Some(postgres) = Postgres::shared("alerts of two processes on one database") else { return };
    let url = postgres.url(&postgres.fresh_database());
    let slack = Receiver::answering(&[200]);
    let home = home("");
    configure(&home, &[channel(&home, "ops", "slack", &slack, "")]);
    let command = |words: &[&str]| {
        let mut command = bare(words, home.directory.path());
        command.args(["--database-url", &format!("env:{VARIABLE}")]).env(VARIABLE, &url);
        command
    };
    let serve = || Server::start(&mut command(&["serve", "--listen", "127.0.0.1:0"]));
    let _servers = [serve(), serve()];
    for turn in 0..3 {
        assert_eq!(end(&mut command(&["pause", "--gateway", "sandbox"])).code, 0, "{turn}");
        slack_says(&slack.next(), "warning");
        assert_eq!(end(&mut command(&["resume", "--gateway", "sandbox"])).code, 0, "{turn}");
        slack_says(&slack.next(), "resolved");
    }
    // The last one arrives before it is settled.
    let sent = || end(&mut command(&["alerts", "list", "--all", "--json"])).json()["channels"][0]["sent"].clone();
    receivers::until("six messages are settled", || sent() == json!(6));
    assert!(slack.is_idle(), "six messages, and no more");
}
