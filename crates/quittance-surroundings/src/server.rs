//! A program that serves on loopback, as a child of a test. Does not own what it is asked, nor where the program is.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

/// Longest wait for a program to say where it listens, and to end once it was told to.
const PATIENCE: Duration = Duration::from_secs(60);

/// Lines that are kept for a test to read; more are dropped, so that a talkative program never waits for its reader.
const LINES_MAX: usize = 100;

/// A program that printed where it listens. Dropping it kills it.
#[derive(Debug)]
pub struct Server {
    /// The process.
    pub child: Child,
    /// Where it listens, as a URL without a path.
    pub base: String,
    /// What it prints after it said so, line by line; ends with it.
    pub later: Receiver<String>,
}

impl Server {
    /// Starts a program whose first line is `listening on http://…`.
    ///
    /// # Panics
    /// When it does not start, or says anything else first, or nothing for a minute.
    #[must_use]
    pub fn start(command: &mut Command) -> Self {
        Self::begin(command, Stdio::null())
    }

    /// The same, with what it says on standard error written to a file.
    ///
    /// # Panics
    /// As [`Server::start`].
    #[must_use]
    pub fn start_logged(command: &mut Command, log: std::fs::File) -> Self {
        Self::begin(command, log.into())
    }

    fn begin(command: &mut Command, log: Stdio) -> Self {
        let mut server = Self::spawn(command, log);
        let first = server.next_line(command);
        let base = first.strip_prefix("listening on ").unwrap_or_else(|| panic!("{command:?} says {first:?}"));
        server.base = base.to_owned();
        server
    }

    /// Starts a program that prints `announcement` and then host and port, on one of its first lines.
    ///
    /// # Panics
    /// When it does not start, or ends or is silent for a minute before it said so.
    #[must_use]
    pub fn start_announced(command: &mut Command, announcement: &str) -> Self {
        let mut server = Self::spawn(command, Stdio::null());
        while server.base.is_empty() {
            if let Some(address) = server.next_line(command).strip_prefix(announcement) {
                server.base = format!("http://{address}");
            }
        }
        server
    }

    fn spawn(command: &mut Command, log: Stdio) -> Self {
        let spawned = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log).spawn();
        let mut child = spawned.unwrap_or_else(|error| panic!("{command:?} does not start: {error}"));
        let stdout = child.stdout.take().expect("piped above");
        let (sender, later) = sync_channel(LINES_MAX);
        thread::spawn(move || forward(stdout, &sender));
        Self { child, base: String::new(), later }
    }

    fn next_line(&self, command: &Command) -> String {
        let line = self.later.recv_timeout(PATIENCE);
        line.unwrap_or_else(|error| panic!("{command:?} does not say where it listens: {error}"))
    }

    /// Ends it as an operating system does, and returns its exit code; -1 when a signal ended it.
    ///
    /// # Panics
    /// When it cannot be told to, or does not end within a minute of silence.
    pub fn terminate(&mut self) -> i32 {
        let pid = self.child.id().to_string();
        let killed = Command::new("kill").args(["-TERM", &pid]).status().expect("kill runs");
        assert!(killed.success(), "kill -TERM {pid}: {killed}");
        loop {
            match self.later.recv_timeout(PATIENCE) {
                Ok(_) => {}
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => panic!("it was told to end and does not"),
            }
        }
        self.child.wait().expect("it ends").code().unwrap_or(-1)
    }
}

/// Passes lines on until the program closes its output. Without a receiver they are read all the same.
fn forward(stdout: ChildStdout, sender: &SyncSender<String>) {
    for line in BufReader::new(stdout).split(b'\n').map_while(Result::ok) {
        // Full, or nobody there: the line is dropped.
        let _ = sender.try_send(String::from_utf8_lossy(&line).into_owned());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn what_is_said_after_the_address_can_be_read() {
        let mut server = Server::start(&mut shell("echo listening on http://127.0.0.1:1; echo ready; exec sleep 600"));
        assert_eq!(server.base, "http://127.0.0.1:1");
        assert_eq!(server.later.recv_timeout(PATIENCE).as_deref(), Ok("ready"));
        assert_eq!(server.terminate(), -1);
    }

    #[test]
    fn an_address_is_found_after_other_lines() {
        let script = "echo a mock; echo 'HTTP at address: 127.0.0.1:1'; exec sleep 600";
        assert_eq!(Server::start_announced(&mut shell(script), "HTTP at address: ").base, "http://127.0.0.1:1");
    }

    #[test]
    #[should_panic(expected = "says \"a mock\"")]
    fn an_address_that_has_to_come_first_does() {
        let _ = Server::start(&mut shell("echo a mock; echo listening on http://127.0.0.1:1; exec sleep 600"));
    }

    /// A full pipe would stop it: it says far more than a pipe and the kept lines hold, and nobody reads.
    #[test]
    fn a_talkative_program_is_not_held_up() {
        let script = "echo listening on http://127.0.0.1:1; yes | head -n 200000; exit 3";
        let mut server = Server::start(&mut shell(script));
        assert_eq!(server.child.wait().unwrap().code(), Some(3));
    }
}
