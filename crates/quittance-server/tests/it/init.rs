//! What is written of a proposal, read back as a configuration: whatever tables and columns are called.

use proptest::prelude::*;
use quittance_core::propose::ids::Prefix;
use quittance_core::propose::sample::{Decided, Sample, SampleColumn};
use quittance_core::propose::{Vocabulary, propose};
use quittance_core::record::value::Value;
use quittance_server::config::Config;
use quittance_server::init::Looked;
use quittance_server::init::sample::Drawn;
use quittance_server::init::text::{Draft, SystemText, Written, written};

const PREFIXES: [Prefix<'static>; 1] = [Prefix { text: "sub_", object: "subscription", is_listed: true }];

fn sample(names: &[String], word: &dyn Fn(usize) -> String) -> Drawn {
    let row = |row: usize| {
        let amount = Value::integer(100 * (row as i64 % 17));
        vec![Value::Text(format!("sub_{row}").into()), Value::Text(word(row).into()), amount]
    };
    let columns = names.iter().map(|name| SampleColumn { name: name.clone(), declared: None }).collect();
    let rows: Vec<_> = (0..60).map(row).collect();
    let sample = Sample { columns, drawn: rows.len(), rows, identity: vec![names[0].clone()], decided: Decided::All };
    Drawn { read: 60, is_whole: true, requests: 1, sample }
}

/// A proposal for columns of these names and words, written.
fn wrote(pair: &str, table: &str, names: &[String], words: &[String]) -> Written {
    let left = sample(names, &|row| words[row % 3].clone());
    let right = sample(&["id".to_owned(), "status".to_owned(), "amount".to_owned()], &|row| format!("w{}", row % 3));
    let vocabulary = Vocabulary { prefixes: &PREFIXES, words: &[("status", &["w0", "w9"])], object: "subscription" };
    let proposal = propose(&left.sample, &right.sample, &vocabulary);
    let looked = Looked { left, right, proposal };
    let system = |name: &str, settings: &[(&'static str, &str)]| SystemText {
        name: name.to_owned(),
        settings: Some(settings.iter().map(|(key, value)| (*key, (*value).to_owned())).collect()),
    };
    written(&Draft {
        pair,
        app: &system("app", &[("kind", "sqlite"), ("path", table)]),
        stripe: &system("stripe", &[("kind", "stripe"), ("api_key", "env:KEY")]),
        kind: "table",
        table,
        object: "subscription",
        object_guess: Some(table),
        authority: ("right", false),
        looked: &looked,
    })
}

#[test]
fn a_guess_is_in_the_text_and_in_the_list() {
    let names = ["stripe_id", "state", "paid"].map(str::to_owned);
    let words = ["on", "off", "late"].map(str::to_owned);
    let written = wrote("subs", "accounts", &names, &words);
    let comments = written.text.lines().filter(|line| line.trim_start().starts_with("# guessed: ")).count();
    assert_eq!(comments, written.guesses.len(), "{written:#?}");
    assert!(written.guesses.iter().any(|guess| guess.contains("left open: \"w9\"")), "{written:#?}");
    assert!(written.guesses.iter().any(|guess| guess.starts_with("authority: ")), "{written:#?}");
}

/// Names that a table may have: no bar, which the configuration reads as the beginning of a transform.
fn name() -> impl Strategy<Value = String> {
    let any = "[a-zA-Z0-9_ .\\-\"'\\\\#\\[\\]{}=,\u{e9}\u{4e2d}\n\t\u{7f}]{1,12}";
    any.prop_filter("it is not trimmed", |name| name.trim() == name)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_things_are_called_it_is_a_configuration(
        pair in name(),
        table in name(),
        names in prop::collection::hash_set(name(), 3..=3),
        words in prop::collection::hash_set(name(), 3..=3),
    ) {
        let (names, words): (Vec<_>, Vec<_>) = (names.into_iter().collect(), words.into_iter().collect());
        let written = wrote(&pair, &table, &names, &words);
        let config = match Config::from_text(&written.text, &|_| None) {
            Ok(config) => config,
            Err(errors) => return Err(TestCaseError::fail(format!("{errors}\n{}", written.text))),
        };
        let found = &config.pairs[&pair];
        prop_assert_eq!(&found.left.object, &table);
        prop_assert_eq!(&found.rules[0].0[0].name, &names[0]);
        let status = found.fields.iter().find(|field| field.right.name == "status");
        let map = status.and_then(|field| field.values.as_ref());
        let said = map.map(|map| words.iter().all(|word| map.left(&Value::text(word)) == {
            quittance_core::pair::value_map::Meaning::Means(Value::text(word))
        }));
        prop_assert_eq!(said, Some(true), "{}", written.text);
    }
}
