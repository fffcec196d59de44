//! Channels as they are configured, and every mistake with its line and its remedy.

use super::*;

fn read(text: &str) -> Result<Config, String> {
    Config::from_text(text, &|_| None).map_err(|errors| errors.to_string())
}

const SLACK: &str = "[alerts.ops]\nkind = \"slack\"\nurl = \"env:SLACK_URL\"\n";

const SMTP: &str = "[alerts.mail]\nkind = \"smtp\"\nhost = \"smtp.example.com\"\nfrom = \"q@example.com\"\n\
     to = [\"ops@example.com\"]\n";

#[test]
fn a_channel_is_told_everything_unless_it_says_otherwise() {
    let config = read(SLACK).expect("it is right");
    let rules = config.alerts["ops"].rules.clone();
    let expected = Rules {
        channel: "ops".into(),
        kinds: Kind::ALL.to_vec(),
        severity_min: Severity::Info,
        subjects: Vec::new(),
        delay_ms: 0,
        repeat_ms: Some(14_400_000),
        gap_ms: 300_000,
    };
    assert_eq!(rules, expected);
    let more = "on = [\"channel\", \"brake\"]\nseverity_min = \"critical\"\nsubjects = [\"alerts.mail\"]\ndelay = \"10m\"\n\
                repeat_every = \"0s\"\nmin_gap = \"1m\"\n";
    let config = read(&format!("{SLACK}{more}{SMTP}")).expect("it is right");
    let rules = config.alerts["ops"].rules.clone();
    assert_eq!((rules.kinds, rules.severity_min), (vec![Kind::Channel, Kind::Brake], Severity::Critical));
    assert_eq!((rules.subjects, rules.delay_ms), (vec!["alerts.mail".to_owned()], 600_000));
    assert_eq!((rules.repeat_ms, rules.gap_ms), (None, 60_000));
}

#[test]
fn mail_is_encrypted_unless_it_is_said_that_it_is_not() {
    for (more, tls, port) in [
        ("", MailTls::StartTls, 587),
        ("tls = \"implicit\"\n", MailTls::Implicit, 465),
        ("tls = \"none\"\n", MailTls::None, 25),
        ("tls = \"starttls\"\nport = 2525\n", MailTls::StartTls, 2525),
    ] {
        let config = read(&format!("{SMTP}{more}")).expect("it is right");
        let Way::Smtp(smtp) = &config.alerts["mail"].way else { panic!("it is mail") };
        assert_eq!((smtp.tls, smtp.port), (tls, port), "{more}");
    }
}

#[test]
fn mistakes_have_their_line_and_their_remedy() {
    let slack = |more: &str| format!("{SLACK}{more}\n");
    let smtp = |more: &str| format!("{SMTP}{more}\n");
    let hook = |more: &str| format!("[alerts.hook]\nkind = \"webhook\"\n{more}\n");
    for (text, said) in [
        ("[alerts.ops]\nurl = \"env:A\"\n".to_owned(), ":1: alerts.ops.kind: missing"),
        (
            "[alerts.ops]\nkind = \"slak\"\n".to_owned(),
            ":2: alerts.ops.kind: not a kind of channel; did you mean `slack`",
        ),
        ("[alerts.ops]\nkind = \"slack\"\n".to_owned(), ":1: alerts.ops.url: missing; add url = \"env:"),
        (
            "[alerts.ops]\nkind = \"slack\"\nurl = \"https://hooks.slack.com/T1\"\n".to_owned(),
            ":3: alerts.ops.url: not a reference to a secret (what is there is not shown)",
        ),
        (slack("on = [\"drft\"]"), ":4: alerts.ops.on: not a known word; did you mean `drift`"),
        (slack("on = []"), ":4: alerts.ops.on: names no kind"),
        (slack("severity_min = \"bad\""), ":4: alerts.ops.severity_min: not a known word"),
        (slack("subjects = [\"subscriptions\"]"), ":4: alerts.ops.subjects: no pair is called so"),
        (slack("repeat_every = 4"), ":4: alerts.ops.repeat_every: a value of type integer; write text in quotes"),
        (slack("delay = \"soon\""), ":4: alerts.ops.delay: not a span of time"),
        (slack("delay = \"31d\""), ":4: alerts.ops.delay: 31d is out of range"),
        (slack("secret = \"env:A\""), ":4: alerts.ops.secret: unknown setting"),
        (hook("url = \"env:A\"\nsecret = \"whsec_abc\""), ":4: alerts.hook.secret: not a reference"),
        (smtp("tls = \"ssl\""), ":6: alerts.mail.tls: not a way to encrypt"),
        (smtp("username = \"q\""), ":1: alerts.mail: a user name without a password"),
        (
            smtp("tls = \"none\"\nusername = \"q\"\npassword = \"env:P\""),
            ":8: alerts.mail.password: the password would be sent in the clear",
        ),
        (SMTP.replace("q@example.com", "nobody"), ":4: alerts.mail.from: not an address of mail"),
        (SMTP.replace("ops@example.com", "a@b.c\\nBcc: d@e.f"), ":5: alerts.mail.to: not an address of mail"),
        (SMTP.replace("[\"ops@example.com\"]", "[]"), ":5: alerts.mail.to: not a list of 1 to 50 addresses"),
        (SMTP.replace("smtp.example.com", "smtp.example.com/x"), ":3: alerts.mail.host: not the name of a server"),
    ] {
        let told = read(&text).expect_err(&text);
        assert!(told.contains(said), "{text}\n{told}");
    }
}

#[test]
fn secrets_that_cannot_be_one_are_named_and_not_shown() {
    let text = "[alerts.hook]\nkind = \"webhook\"\nurl = \"env:URL\"\nsecret = \"env:KEY\"\n";
    let config = read(text).expect("it is right");
    let secrets = |url: &str, key: &str| {
        let fetch = |reference: &SecretRef| {
            Ok(if reference.to_string() == "env:URL" { url.to_owned() } else { key.to_owned() })
        };
        secrets_of(&config, &config.alerts["hook"], &fetch).map_err(|errors| errors.to_string())
    };
    let (url, key) = ("https://example.com/hook", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    let found = secrets(url, key).expect("they are right");
    assert_eq!(found.key.map(|key| key.len()), Some(24));
    for (url, key) in [("hooks.example.com", key), ("ftp://example.com", key), (url, "whsec_c2hvcnQ="), (url, "sesame")]
    {
        let told = secrets(url, key).expect_err("it is wrong");
        assert!(
            told.contains("(it is not shown)") && !told.contains("sesame") && !told.contains("example.com"),
            "{told}"
        );
    }
}
