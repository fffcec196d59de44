//! The processes under test: servers on one database, and gateways; how each is started, stopped, frozen and ended. Does
//! not own when.

use crate::surroundings::{Waited, span, until};
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::LazyLock;
use std::sync::mpsc::sync_channel;
use std::thread;

/// Longest wait for a process to say where it listens: one that starts beside a database that is only coming back asks
/// for a while.
const START_S_MAX: u64 = 60;

/// An orderly end takes eight seconds at most, and a loaded machine longer.
const END_S_MAX: u64 = 30;

/// Lines of its log that are shown when something is wrong with a process.
const LINES_SHOWN: usize = 40;

/// A process that says where it listens. Dropping it kills it.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    /// Where it listens, as a URL without a path.
    pub(crate) base: String,
    log: PathBuf,
}

impl Process {
    /// Starts a command whose first line is `listening on http://…`; what it writes to standard error goes to the log.
    pub(crate) fn start(command: &mut Command, log: &Path) -> Result<Self, String> {
        let file = File::options().create(true).append(true).open(log).expect("a log can be written");
        let spawned = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(file).spawn();
        let mut child = spawned.unwrap_or_else(|error| panic!("{command:?} does not start: {error}"));
        let stdout = child.stdout.take().expect("piped above");
        let (sender, first) = sync_channel(1);
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                // Only the first line is waited for; the others are read so that nobody waits for a reader.
                let _ = sender.try_send(line);
            }
        });
        let mut process = Self { child, base: String::new(), log: log.to_owned() };
        let said = first.recv_timeout(span(START_S_MAX));
        match said.ok().and_then(|line| line.strip_prefix("listening on ").map(str::to_owned)) {
            Some(base) => process.base = base,
            None => return Err(format!("{command:?} does not say where it listens\n{}", process.last_words())),
        }
        Ok(process)
    }

    /// `kill -9`, and nothing is left of it.
    pub(crate) fn kill(&mut self) {
        // It may be gone already.
        let _ = self.child.kill();
        self.child.wait().expect("what was killed can be waited for");
    }

    /// Sends a signal by name.
    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args([&format!("-{name}"), &id]).status().expect("kill runs");
        assert!(sent.success(), "kill -{name} {id}: {sent}");
    }

    /// Waits for its end after it was told to end, and returns how it ended.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        let child = &mut self.child;
        let ended = until(span(END_S_MAX), || child.try_wait().expect("it can be asked"));
        ended.unwrap_or_else(|Waited(time)| panic!("it was told to end and did not in {time:?}\n{}", self.last_words()))
    }

    /// How it ended, if it did.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("it can be asked")
    }

    /// The end of its log.
    pub(crate) fn last_words(&self) -> String {
        last_lines(&self.log, LINES_SHOWN)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // A frozen process dies of this as well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A program that ends with the test, however that ends; where the system cannot do that, one that may outlive a test that
/// is killed.
pub(crate) fn bound(program: &str) -> Command {
    static CAN: LazyLock<bool> = LazyLock::new(|| {
        Command::new("setpriv").args(["--pdeathsig", "KILL", "true"]).output().is_ok_and(|it| it.status.success())
    });
    if !*CAN {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", program]);
    command
}

/// The last lines of a file.
pub(crate) fn last_lines(file: &Path, count: usize) -> String {
    let text = std::fs::read(file).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}
