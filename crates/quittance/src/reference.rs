//! `docs/cli.md`, made from what the command line declares, and compared with what is kept; `UPDATE=1` writes it anew.
//! Does not own any word of it: those stand beside the arguments.

use crate::arguments::Arguments;
use clap::{Arg, ArgAction, Command, CommandFactory};
use std::fmt::Write as _;
use std::path::Path;

const HEAD: &str = "\
# The command line

Made from what the program declares (`UPDATE=1 cargo test -p quittance reference`): `quittance COMMAND --help` says the same.
[operations.md](operations.md) tells which command is for what, [drift.md](drift.md) and [finders.md](finders.md) what is compared and found.

## How it ends

";

/// Where it is kept.
const PLACE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/cli.md");

/// Heading of the options that every command takes.
const GLOBAL: &str = "Global options";

#[test]
#[expect(clippy::disallowed_methods, reason = "the switch that rewrites the document is a variable of the environment")]
fn the_document_is_what_the_program_declares() {
    let mut command = Arguments::command();
    command.build();
    let text = document(&command);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(PLACE, &text).expect("written");
    }
    let kept = std::fs::read_to_string(Path::new(PLACE)).unwrap_or_default();
    assert!(kept == text, "docs/cli.md differs; UPDATE=1 writes what is now:\n{text}");
}

#[test]
fn every_command_and_every_argument_says_what_it_is_for() {
    let mut command = Arguments::command();
    command.build();
    let mut commands = 0;
    walk(&command, &mut |path, command| {
        assert!(command.get_about().is_some(), "{path} is not explained");
        let unexplained = command.get_arguments().find(|argument| argument.get_help().is_none());
        assert!(unexplained.is_none(), "{path}: {:?} is not explained", unexplained.map(Arg::get_id));
        commands += 1;
    });
    assert!(commands > 25, "{commands}");
}

/// The whole document.
fn document(root: &Command) -> String {
    let mut text = HEAD.to_owned();
    let after = root.get_after_help().map(ToString::to_string).unwrap_or_default();
    let (codes, rest) = after.split_once("\n\n").expect("exit codes, and what else is true of every command");
    text.push_str(&exit_codes(codes));
    text.push_str(&rest.replace('\n', " "));
    text.push_str("\n\n## Options of every command\n\n");
    let global = root.get_arguments().filter(|argument| argument.get_help_heading() == Some(GLOBAL));
    text.push_str(&table(global));
    text.push_str("\n## Commands\n\n| | |\n| --- | --- |\n");
    walk(root, &mut |path, command| {
        let _ = writeln!(text, "| [`{path}`](#{}) | {} |", path.replace(' ', "-"), about(command));
    });
    walk(root, &mut |path, command| text.push_str(&section(path, command)));
    text
}

/// `Exit codes: 0 good, 1 a finding, …` as a table.
fn exit_codes(line: &str) -> String {
    let line = line.replace('\n', " ");
    let list = line.strip_prefix("Exit codes: ").and_then(|line| line.strip_suffix('.')).expect("a list of exit codes");
    let mut table = "| code | means |\n| --- | --- |\n".to_owned();
    let mut rest = list;
    for code in 0.. {
        let Some(after) = rest.strip_prefix(&format!("{code} ")) else { break };
        let next = format!(", {} ", code + 1);
        let end = after.find(&next).unwrap_or(after.len());
        let _ = writeln!(table, "| {code} | {} |", &after[..end]);
        rest = after[end..].trim_start_matches(", ");
    }
    assert!(rest == list || table.lines().count() > 6, "{table}");
    table.push('\n');
    table
}

/// Every command that does something, with its whole name.
fn walk(root: &Command, tell: &mut impl FnMut(&str, &Command)) {
    fn below(path: &str, command: &Command, tell: &mut impl FnMut(&str, &Command)) {
        for command in
            command.get_subcommands().filter(|command| command.get_name() != "help" && !command.is_hide_set())
        {
            let path = format!("{path}{}", command.get_name());
            if command.has_subcommands() {
                below(&format!("{path} "), command, tell);
            } else {
                tell(&path, command);
            }
        }
    }
    below("", root, tell);
}

fn section(path: &str, command: &Command) -> String {
    let usage = command.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ").lines().map(str::trim).collect::<Vec<_>>().join("\n");
    let mut text = format!("\n### {path}\n\n{}.\n\n```\n{usage}\n```\n", about(command));
    let own = |argument: &&Arg| argument.get_help_heading() != Some(GLOBAL) && argument.get_id() != "help";
    if command.get_arguments().any(|argument| own(&argument)) {
        text.push('\n');
        text.push_str(&table(command.get_arguments().filter(own)));
    }
    if let Some(after) = command.get_after_help() {
        let _ = write!(text, "\n```\n{}\n```\n", after.to_string().trim_end());
    }
    text
}

fn about(command: &Command) -> String {
    cell(&command.get_about().map(ToString::to_string).unwrap_or_default())
}

fn table<'a>(arguments: impl Iterator<Item = &'a Arg>) -> String {
    let mut text = "| argument | default | |\n| --- | --- | --- |\n".to_owned();
    for argument in arguments.filter(|argument| !argument.is_hide_set()) {
        let help = argument.get_long_help().or_else(|| argument.get_help()).map(ToString::to_string);
        let mut about = cell(&help.unwrap_or_default());
        if matches!(argument.get_action(), ArgAction::Append) && !about.contains("more than once") {
            about.push_str("; may be given more than once");
        }
        let words: Vec<String> = values(argument);
        if !words.is_empty() {
            let _ = write!(about, ": {}", words.join(", "));
        }
        let _ = writeln!(text, "| `{}` | {} | {about} |", cell(&spelling(argument)), default(argument));
    }
    text
}

/// As it is written: `--format <FORMAT>`, `<ID>`.
fn spelling(argument: &Arg) -> String {
    let names = argument.get_value_names().unwrap_or_default();
    let takes = argument.get_action().takes_values();
    let value =
        if takes { names.iter().map(|name| format!("<{name}>")).collect::<Vec<_>>().join(" ") } else { String::new() };
    match argument.get_long() {
        Some(long) if value.is_empty() => format!("--{long}"),
        Some(long) => format!("--{long} {value}"),
        None => value,
    }
}

fn default(argument: &Arg) -> String {
    let values: Vec<String> =
        argument.get_default_values().iter().map(|value| format!("`{}`", value.to_string_lossy())).collect();
    match (values.is_empty() || !argument.get_action().takes_values(), argument.is_required_set()) {
        (false, _) => values.join(", "),
        (true, true) => "required".to_owned(),
        (true, false) => String::new(),
    }
}

/// The words that are taken, each with what it means.
fn values(argument: &Arg) -> Vec<String> {
    if !argument.get_action().takes_values() {
        return Vec::new();
    }
    let visible = argument.get_possible_values().into_iter().filter(|value| !value.is_hide_set());
    visible
        .map(|value| match value.get_help() {
            Some(help) => format!("`{}` ({})", value.get_name(), cell(&help.to_string())),
            None => format!("`{}`", value.get_name()),
        })
        .collect()
}

/// Text for a cell of a table.
fn cell(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|").trim_end_matches('.').to_owned()
}
