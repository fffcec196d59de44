//! What the pure crates must not name: clocks, randomness, the environment, files, sockets, floating point, SQL.
//!
//! Clippy bans calls; this bans the names, so that a type or an import does not slip in either. Tests are exempt: they may read
//! their data from files.

use super::scan::{Source, closing, occurrences};
use super::{Rule, Violation};

const CORE: &str = "crates/quittance-core/src/";
const STORE: &str = "crates/quittance-store/src/";
const ENGINE: &str = "crates/quittance-engine/src/";

struct Ban {
    folders: &'static [&'static str],
    place: Place,
    words: &'static [&'static str],
    /// What is wrong with them here, and what would be right.
    advice: &'static str,
}

#[derive(Clone, Copy)]
enum Place {
    Code,
    Strings,
}

const BANS: &[Ban] = &[
    Ban {
        folders: &[CORE, ENGINE],
        place: Place::Code,
        words: &["f32", "f64"],
        advice: "floating point does not come near money: use integers in minor units, or exact rationals",
    },
    Ban {
        folders: &[CORE, ENGINE],
        place: Place::Code,
        words: &["SystemTime", "Instant::now"],
        advice: "time is an input: take it as an argument, or ask the `Clock` port",
    },
    Ban {
        folders: &[CORE, ENGINE],
        place: Place::Code,
        words: &["now_v7", "new_v4", "thread_rng", "getrandom"],
        advice: "ids and random numbers are inputs: take them as arguments, or ask the `Ids` port",
    },
    Ban {
        folders: &[CORE, ENGINE],
        place: Place::Code,
        words: &["std::env", "std::fs", "std::net"],
        advice: "this crate does no I/O: return a value, and let the server do it",
    },
    Ban {
        folders: &[CORE, ENGINE],
        place: Place::Code,
        words: &["async fn"],
        advice: "this crate is stepped, not awaited: return what is to be done next",
    },
    Ban {
        folders: &[CORE, ENGINE],
        place: Place::Code,
        words: &["HashMap", "HashSet"],
        advice: "iteration order must be defined: use BTreeMap or BTreeSet",
    },
    Ban {
        folders: &[CORE, STORE, ENGINE],
        place: Place::Strings,
        words: &["SELECT ", "INSERT ", "DELETE FROM "],
        advice: "SQL lives in the crates of the databases: declare rows and use the verbs of the store",
    },
];

/// Reports what a file of a pure crate names and must not.
pub(crate) fn check(source: &Source<'_>, found: &mut Vec<Violation>) {
    for ban in BANS {
        if !ban.folders.iter().any(|folder| source.path.starts_with(folder)) {
            continue;
        }
        for word in ban.words {
            let mut places = match ban.place {
                Place::Code => occurrences(&source.code, word),
                Place::Strings => occurrences(&source.strings, word),
            };
            places.extend(grouped_imports(&source.code, word));
            for start in places {
                if source.is_test(start) {
                    continue;
                }
                found.push(Violation {
                    path: source.path.to_owned(),
                    line: source.line(start),
                    rule: Rule::Source,
                    message: format!("`{}`: {}", word.trim(), ban.advice),
                });
            }
        }
    }
}

/// Where `std::{…}` brings in the last part of a word such as `std::fs`.
fn grouped_imports(code: &str, word: &str) -> Vec<usize> {
    let Some(module) = word.strip_prefix("std::") else {
        return Vec::new();
    };
    let mut places = Vec::new();
    for (start, group) in code.match_indices("std::{") {
        let open = start + group.len() - 1;
        let inside = &code[open..closing(code, open)];
        places.extend(occurrences(inside, module).into_iter().map(|offset| open + offset));
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(path: &str, text: &str) -> Vec<usize> {
        let mut found = Vec::new();
        check(&Source::new(path, text), &mut found);
        found.into_iter().map(|violation| violation.line).collect()
    }

    const CORE_FILE: &str = "crates/quittance-core/src/money.rs";

    #[test]
    fn names_are_banned_where_the_crate_is_pure() {
        let text = "//! A.\nfn a(b: f64) {}\nuse std::fs;\nuse std::time::SystemTime;\nasync fn c() {}\n";
        assert_eq!(lines(CORE_FILE, text), [2, 4, 3, 5]);
        assert!(lines("crates/quittance-server/src/clock.rs", text).is_empty());
    }

    #[test]
    fn comments_strings_and_longer_names_are_free() {
        assert!(lines(CORE_FILE, "//! No f64.\nconst A: &str = \"f64\";\nfn buf64() {}\n").is_empty());
    }

    #[test]
    fn grouped_imports_are_seen() {
        assert_eq!(lines(CORE_FILE, "//! A.\nuse std::{\n    fmt,\n    fs::File,\n};\n"), [4]);
        assert!(lines(CORE_FILE, "//! A.\nuse std::{fmt, io};\n").is_empty());
    }

    #[test]
    fn sql_is_found_in_strings() {
        let text = "//! A.\nconst A: &str = \"SELECT 1\";\nstruct SELECT {}\n";
        assert_eq!(lines("crates/quittance-store/src/rows.rs", text), [2]);
        assert!(lines("crates/quittance-sqlite/src/rows.rs", text).is_empty());
    }

    #[test]
    fn tests_are_free() {
        assert!(lines(CORE_FILE, "//! A.\n#[cfg(test)]\nmod tests {\n    use std::fs;\n}\n").is_empty());
    }
}
