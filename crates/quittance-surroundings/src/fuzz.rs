//! Bytes that nobody would send, made from bytes that somebody would: mutations of a corpus that is in the repository.
//!
//! Without instruments, so that it runs with the stable compiler in every test run: some hundred inputs then, and as
//! many as the time allows under `cargo xtask fuzz`. The seed is always the same unless time is given; it is printed, and
//! what broke a target is kept in a file whose place is printed, to be put into the corpus.

use crate::variable;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Inputs in a test run, unless `QUITTANCE_FUZZ_ROUNDS` says otherwise.
const ROUNDS: u64 = 400;

/// Longest input, in bytes.
const INPUT_BYTES_MAX: usize = 64 * 1024;

/// No input of that length may take longer on a processor, even without optimisation: what does is a way to stop a server.
const INPUT_PATIENCE: Duration = Duration::from_secs(20);

/// Numbers that limits are near to.
const BYTES: [u8; 8] = [0, 1, 0x1f, b'"', b'{', 0x7f, 0x80, 0xff];

/// One target.
pub struct Fuzz {
    name: &'static str,
    words: &'static [&'static str],
    seeds: Vec<Vec<u8>>,
}

impl Fuzz {
    /// A target, with words that its inputs consist of.
    #[must_use]
    pub const fn new(name: &'static str, words: &'static [&'static str]) -> Self {
        Self { name, words, seeds: Vec::new() }
    }

    /// Adds every file of a folder of seeds.
    ///
    /// # Panics
    /// When it cannot be read.
    #[must_use]
    pub fn corpus(mut self, folder: &Path) -> Self {
        let files = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        let mut paths: Vec<PathBuf> = files.map(|file| file.expect("a file of the corpus").path()).collect();
        paths.sort();
        self.seeds.extend(paths.iter().map(|path| std::fs::read(path).expect("a file of the corpus")));
        self
    }

    /// Adds a seed.
    #[must_use]
    pub fn seed(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.seeds.push(bytes.into());
        self
    }

    /// Feeds the target every seed and then mutations of them: `QUITTANCE_FUZZ_SECONDS` long, or some hundred.
    ///
    /// # Panics
    /// When the target does, or when one input takes too long; the input is kept first.
    pub fn run(self, mut target: impl FnMut(&[u8])) {
        let seconds = number("QUITTANCE_FUZZ_SECONDS");
        let rounds = number("QUITTANCE_FUZZ_ROUNDS").unwrap_or(if seconds.is_some() { u64::MAX } else { ROUNDS });
        let any = || RandomState::new().build_hasher().finish();
        let seed = number("QUITTANCE_FUZZ_SEED").unwrap_or_else(|| if seconds.is_some() { any() } else { 1 });
        let begun = now();
        let is_over = || seconds.is_some_and(|seconds| now().duration_since(begun) >= Duration::from_secs(seconds));
        let mut dice = Dice(seed);
        for bytes in &self.seeds {
            self.feed(bytes, seed, &mut target);
        }
        let mut round = 0;
        while round < rounds && !is_over() {
            let input = self.mutation(&mut dice);
            self.feed(&input, seed, &mut target);
            round += 1;
        }
        println!("fuzz {}: {} seeds, {round} mutations, seed {seed}", self.name, self.seeds.len());
    }

    fn feed(&self, input: &[u8], seed: u64, target: &mut impl FnMut(&[u8])) {
        let begun = worked();
        let outcome = catch_unwind(AssertUnwindSafe(|| target(input)));
        let took = worked().saturating_sub(begun);
        if outcome.is_ok() && took < INPUT_PATIENCE {
            return;
        }
        let file = std::env::temp_dir().join(format!("quittance-fuzz-{}-{seed}", self.name));
        let kept = std::fs::write(&file, input);
        eprintln!("fuzz {}: seed {seed}, kept in {} ({kept:?}): {}", self.name, file.display(), input.escape_ascii());
        match outcome {
            Err(panic) => resume_unwind(panic),
            Ok(()) => panic!("{} bytes took {took:?}", input.len()),
        }
    }

    /// One seed with some of it changed.
    fn mutation(&self, dice: &mut Dice) -> Vec<u8> {
        let mut bytes = dice.one_of(&self.seeds).cloned().unwrap_or_default();
        for _ in 0..=dice.below(4) {
            self.change(&mut bytes, dice);
        }
        bytes.truncate(INPUT_BYTES_MAX);
        bytes
    }

    fn change(&self, bytes: &mut Vec<u8>, dice: &mut Dice) {
        let from = dice.below(bytes.len() + 1);
        let to = from + dice.below((bytes.len() - from).min(64) + 1);
        match dice.below(8) {
            0 if from < bytes.len() => bytes[from] ^= 1 << dice.below(8),
            1 if from < bytes.len() => bytes[from] = dice.one_of(&BYTES).copied().unwrap_or_default(),
            2 => drop(bytes.drain(from..to)),
            3 => bytes.truncate(from),
            4 => {
                let part = bytes[from..to].to_vec();
                let times = 1 << dice.below(11);
                let many = part.repeat(times.min(INPUT_BYTES_MAX / part.len().max(1)));
                drop(bytes.splice(from..from, many));
            }
            5 => {
                let other = dice.one_of(&self.seeds).cloned().unwrap_or_default();
                let at = dice.below(other.len() + 1);
                drop(bytes.splice(from..to, other[at..].iter().take(256).copied()));
            }
            _ => {
                let word = dice.one_of(self.words).copied().unwrap_or_default();
                let until = if dice.below(2) == 0 { to } else { from };
                drop(bytes.splice(from..until, word.bytes()));
            }
        }
    }
}

/// SplitMix64.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Below a number above 0.
    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }

    fn one_of<'a, T>(&mut self, choices: &'a [T]) -> Option<&'a T> {
        choices.get(self.below(choices.len()))
    }
}

fn number(name: &str) -> Option<u64> {
    let text = variable(name)?.into_string().ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} is a whole number")))
}

#[expect(clippy::disallowed_methods, reason = "how long fuzzing goes on is a matter of time, and what it finds is not")]
fn now() -> Instant {
    Instant::now()
}

/// How long this thread has been on a processor, where the system tells (Linux, schedstat of proc(5)): a busy machine makes
/// nothing slow.
fn worked() -> Duration {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    Duration::from_nanos(told.split(' ').next().and_then(|nanoseconds| nanoseconds.parse().ok()).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_makes_the_same_inputs_and_they_differ() {
        let inputs = || {
            let mut seen = Vec::new();
            Fuzz::new("self", &["word"]).seed("first").seed("second").run(|bytes| seen.push(bytes.to_vec()));
            seen
        };
        let first = inputs();
        assert_eq!(first, inputs());
        assert_eq!(&first[..2], &[b"first".to_vec(), b"second".to_vec()]);
        let distinct: std::collections::BTreeSet<_> = first.iter().collect();
        assert!(distinct.len() > first.len() / 2, "{} of {}", distinct.len(), first.len());
        assert!(first.iter().all(|bytes| bytes.len() <= INPUT_BYTES_MAX));
    }

    #[test]
    fn what_breaks_a_target_is_found() {
        let fuzzing =
            || Fuzz::new("found", &[]).seed("aaaa").run(|bytes| assert!(bytes.contains(&b'a') || bytes.is_empty()));
        assert!(catch_unwind(fuzzing).is_err());
    }
}
