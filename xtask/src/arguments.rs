//! What stands on the command line after the name of a task, read into values. Runs nothing.

use anyhow::{Context, Result, bail};

/// What `test` does about something that is missing on this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Missing {
    /// Go on without it, and say by name what was left out.
    Name,
    /// Install it where that is possible, and fail where anything is left out.
    Refuse,
}

/// A table that a test of the core prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Table {
    pub(crate) name: &'static str,
    /// The package of the test.
    pub(crate) package: &'static str,
    /// The test that prints it, by its whole name.
    pub(crate) test: &'static str,
    /// The profile in which it is quick enough.
    pub(crate) profile: &'static str,
}

/// Every table there is.
const TABLES: [Table; 3] = [
    Table { name: "effects", package: "quittance-core", test: "effect_table::effects", profile: "dev" },
    Table { name: "machines", package: "quittance-core", test: "machine_table::machines", profile: "dev" },
    Table { name: "crashes", package: "quittance-sim", test: "matrix::crashes", profile: "sim" },
];

/// The arguments of `cargo xtask test`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Test {
    pub(crate) missing: Missing,
    /// The only test to run, for what it prints.
    pub(crate) table: Option<Table>,
    /// Handed to `cargo test` unread.
    pub(crate) cargo: Vec<String>,
}

/// How long `cargo xtask soak` goes on. Without a limit each test has its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Soak {
    Default,
    Seconds(u64),
    Rounds(u64),
}

/// For tasks that take no arguments.
pub(crate) fn refuse(arguments: &[String]) -> Result<()> {
    match arguments.first() {
        None => Ok(()),
        Some(first) => bail!("unexpected argument `{first}`; this task takes none"),
    }
}

/// Reads `[--all] [-- [--table NAME] ARGUMENTS]`.
pub(crate) fn test(arguments: &[String]) -> Result<Test> {
    let own = arguments.iter().position(|argument| argument == "--").unwrap_or(arguments.len());
    let mut missing = Missing::Name;
    for argument in &arguments[..own] {
        match argument.as_str() {
            "--all" => missing = Missing::Refuse,
            other => {
                bail!("unexpected argument `{other}`; what is meant for `cargo test` follows `--`")
            }
        }
    }
    let mut cargo: Vec<String> = arguments.iter().skip(own + 1).cloned().collect();
    let table = take_table(&mut cargo)?;
    Ok(Test { missing, table, cargo })
}

/// Takes `--table NAME` out of what is otherwise handed to cargo. What follows a second `--` is the tests' own.
fn take_table(arguments: &mut Vec<String>) -> Result<Option<Table>> {
    let own = arguments.iter().position(|argument| argument == "--").unwrap_or(arguments.len());
    let Some(at) = arguments[..own].iter().position(|argument| argument == "--table") else { return Ok(None) };
    let named: Vec<String> = arguments.drain(at..own.min(at + 2)).collect();
    let known = TABLES.map(|table| table.name).join(", ");
    let Some(name) = named.get(1) else { bail!("--table takes the name of a table: {known}") };
    match TABLES.into_iter().find(|table| table.name == name) {
        Some(table) => Ok(Some(table)),
        None => bail!("there is no table `{name}`; there are: {known}"),
    }
}

/// Reads `[--seconds N | --rounds N]`.
pub(crate) fn soak(arguments: &[String]) -> Result<Soak> {
    match arguments {
        [] => Ok(Soak::Default),
        [unit, count] => {
            let count = count.parse().with_context(|| format!("`{count}` is not a whole number"))?;
            match unit.as_str() {
                "--seconds" => Ok(Soak::Seconds(count)),
                "--rounds" => Ok(Soak::Rounds(count)),
                other => {
                    bail!("unexpected argument `{other}`; soak takes --seconds N or --rounds N")
                }
            }
        }
        _ => bail!("soak takes --seconds N or --rounds N, not both"),
    }
}

/// Reads `[--minutes N]`; one unless it is said.
pub(crate) fn fuzz(arguments: &[String]) -> Result<u64> {
    match arguments {
        [] => Ok(1),
        [unit, count] if unit == "--minutes" => match count.parse() {
            Ok(minutes @ 1..=1_440) => Ok(minutes),
            _ => bail!("`{count}` is no number of minutes from 1 to 1440"),
        },
        _ => bail!("fuzz takes --minutes N"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        line.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn test_keeps_what_follows_the_dashes() {
        let read = test(&words("--all -- -p quittance-core -- --nocapture")).unwrap();
        assert_eq!(read.missing, Missing::Refuse);
        assert_eq!(read.cargo, words("-p quittance-core -- --nocapture"));
        assert_eq!(test(&[]).unwrap(), Test { missing: Missing::Name, table: None, cargo: vec![] });
        assert!(test(&words("--everything")).is_err());
    }

    #[test]
    fn fuzzing_goes_on_for_minutes() {
        assert_eq!((fuzz(&[]).unwrap(), fuzz(&words("--minutes 10")).unwrap()), (1, 10));
        assert!(fuzz(&words("--minutes 0")).is_err() && fuzz(&words("--seconds 3")).is_err());
    }

    #[test]
    fn a_table_is_named() {
        let read = test(&words("-- --table effects --release")).unwrap();
        assert_eq!(read.table.map(|table| table.test), Some("effect_table::effects"));
        assert_eq!(read.cargo, words("--release"));
        let error = |line| test(&words(line)).unwrap_err().to_string();
        assert_eq!(error("-- --table efects"), "there is no table `efects`; there are: effects, machines, crashes");
        assert_eq!(error("-- --table"), "--table takes the name of a table: effects, machines, crashes");
        assert!(error("--table effects").contains("follows `--`"));
        let theirs = test(&words("-- -p quittance-core -- --table")).unwrap();
        assert_eq!((theirs.table, theirs.cargo), (None, words("-p quittance-core -- --table")));
    }

    #[test]
    fn every_table_has_its_test() {
        let crates = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates");
        for table in TABLES {
            let tests = crates.join(table.package).join("tests/it");
            let (module, name) = table.test.split_once("::").unwrap();
            let text = std::fs::read_to_string(tests.join(format!("{module}.rs"))).unwrap();
            assert!(text.contains("#[test]\n") && text.contains(&format!("\nfn {name}()")), "{}", table.test);
        }
    }

    #[test]
    fn one_limit_at_a_time() {
        assert_eq!(soak(&[]).unwrap(), Soak::Default);
        assert_eq!(soak(&words("--seconds 90")).unwrap(), Soak::Seconds(90));
        assert_eq!(soak(&words("--rounds 5")).unwrap(), Soak::Rounds(5));
        assert!(soak(&words("--rounds many")).is_err());
        assert!(soak(&words("--rounds 5 --seconds 9")).is_err());
    }
}
