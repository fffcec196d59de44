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

/// The arguments of `cargo xtask test`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Test {
    pub(crate) missing: Missing,
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

/// Reads `[--all] [-- ARGUMENTS]`.
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
    let cargo = arguments.iter().skip(own + 1).cloned().collect();
    Ok(Test { missing, cargo })
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
        assert_eq!(test(&[]).unwrap(), Test { missing: Missing::Name, cargo: vec![] });
        assert!(test(&words("--everything")).is_err());
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
