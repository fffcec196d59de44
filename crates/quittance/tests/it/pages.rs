//! What the pages tell people to type exists: every command and option of ours that stands in them is one that the binary has, as
//! docs/cli.md lists them, which is made from it. And the runbook knows every word that a server says of its state.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Options that stand before a command, too, and whether a value follows.
const BEFORE: [(&str, bool); 5] =
    [("--config", true), ("--data", true), ("--database-url", true), ("--format", true), ("--json", false)];

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The commands by name, each with its options; those of every command under no name.
fn commands(page: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut commands: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut command = String::new();
    for line in page.lines() {
        if let Some(name) = line.strip_prefix("### ") {
            command = name.to_owned();
            commands.entry(command.clone()).or_default();
        } else if let Some(option) = line.strip_prefix("| `--").and_then(|rest| rest.split([' ', '`']).next()) {
            commands.entry(command.clone()).or_default().insert(format!("--{option}"));
        }
    }
    commands
}

/// What is to be typed: lines at a prompt, continued ones as one, and whatever stands between backticks.
fn typed(page: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut is_fenced = false;
    for line in page.replace("\\\n", " ").lines() {
        if line.trim_start().starts_with("```") {
            is_fenced = !is_fenced;
        } else if is_fenced {
            let command = line.trim_start().strip_prefix("$ ").unwrap_or_default();
            let command = command.strip_prefix("runuser -u quittance -- ").unwrap_or(command);
            // What the shell makes of the rest is none of ours.
            let ours =
                [" # ", " && ", " | ", " > "].iter().fold(command, |ours, end| ours.split(end).next().unwrap_or(ours));
            lines.extend(ours.starts_with("quittance ").then(|| ours.to_owned()));
        } else {
            let spans = line.split('`').skip(1).step_by(2).filter(|text| text.starts_with("quittance "));
            lines.extend(spans.map(str::to_owned));
        }
    }
    lines
}

/// What is wrong with a line; nothing where it is not about a command (`quittance COMMAND --help`).
fn complaint(line: &str, commands: &BTreeMap<String, BTreeSet<String>>) -> Option<String> {
    let mut words = line.split_whitespace().skip(1).peekable();
    while let Some((_, has_value)) = words.peek().and_then(|word| BEFORE.iter().find(|(name, _)| name == word)) {
        words.next();
        has_value.then(|| words.next());
    }
    let words: Vec<&str> = words.collect();
    let first = words.first()?;
    if !first.starts_with(|letter: char| letter.is_ascii_lowercase()) {
        return None;
    }
    let two = words.iter().take(2).copied().collect::<Vec<_>>().join(" ");
    let name = [two.as_str(), first].into_iter().find(|name| commands.contains_key(*name));
    let Some(name) = name else {
        let is_group = words.len() == 1 && commands.keys().any(|name| name.starts_with(&format!("{first} ")));
        return (!is_group).then(|| format!("there is no command {two}"));
    };
    let has = |option: &str| option == "--help" || [name, ""].iter().any(|name| commands[*name].contains(option));
    let options = words.iter().filter(|word| word.starts_with("--") && word.len() > 2);
    let options = options.map(|word| word.trim_end_matches([',', ';', ')']).split('=').next().unwrap_or_default());
    options.into_iter().find(|option| !has(option)).map(|option| format!("{name} has no {option}"))
}

#[test]
fn whatever_is_to_be_typed_exists() {
    let commands = commands(&std::fs::read_to_string(repository().join("docs/cli.md")).expect("the page of commands"));
    assert!(commands.len() > 30 && commands[""].contains("--json"), "{commands:?}");
    let pages = std::fs::read_dir(repository().join("docs")).expect("pages").map(|page| page.expect("a page").path());
    let pages = pages.filter(|page| page.extension().is_some_and(|ending| ending == "md"));
    let mut seen = 0;
    for page in pages.chain([repository().join("README.md")]) {
        let text = std::fs::read_to_string(&page).expect("UTF-8");
        for line in typed(&text) {
            assert_eq!(complaint(&line, &commands), None, "{}: {line}", page.display());
            seen += 1;
        }
    }
    assert!(seen > 150, "{seen}");
    let wrong = |line: &str| complaint(line, &commands).unwrap_or_default();
    assert_eq!(wrong("quittance --data x mend"), "there is no command mend");
    assert_eq!(wrong("quittance key forge --name x"), "there is no command key forge");
    assert_eq!(wrong("quittance --json verify --deep"), "verify has no --deep");
}

/// The words in the first column of the first table below a heading.
fn words_of_table(page: &str, heading: &str) -> Vec<String> {
    let below = page.lines().skip_while(|line| *line != heading).skip(1);
    let table = below.skip_while(|line| !line.starts_with('|')).take_while(|line| line.starts_with('|'));
    table.skip(1).filter_map(|line| Some(line.strip_prefix("| `")?.split('`').next()?.to_owned())).collect()
}

#[test]
fn the_runbook_knows_every_word_that_a_server_says() {
    let read = |path: &str| std::fs::read_to_string(repository().join(path)).expect("UTF-8");
    let (runbook, api, operations) = (read("docs/RUNBOOK.md"), read("docs/api.md"), read("docs/operations.md"));
    let troubles = words_of_table(&api, "## A gateway in trouble");
    let discrepancies = words_of_table(&api, "## Discrepancies");
    let risks = words_of_table(&operations, "### On PostgreSQL, with several servers");
    assert!(
        troubles.len() >= 5 && discrepancies.len() >= 9 && risks.len() >= 4,
        "{troubles:?} {discrepancies:?} {risks:?}"
    );
    for word in troubles.into_iter().chain(discrepancies).chain(risks) {
        assert!(runbook.contains(&format!("`{word}`")), "the runbook does not say what to do about {word}");
    }
}
