//! Redis servers for tests: each in a folder of its own, on loopback, gone with the test. Does not own where its program is
//! (`peer`), nor what is asked of a server.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use crate::Peer;
use crate::folder::Folder;
use crate::log::Log;
use crate::ports::{STARTS_MAX, free_port};
use crate::user::{self, User};

/// What every server is started with, before what its test asks for.
const SETTINGS: [&str; 6] = ["--bind", "127.0.0.1", "--daemonize", "no", "--save", ""];

/// What a server says as soon as it can be asked.
const READY: &str = "Ready to accept connections";

/// What it says when somebody else was faster.
const PORT_IS_TAKEN: &str = "Address already in use";

/// A server with its data. Dropping it kills it and deletes them; so does the end of the test program, however it ends.
#[derive(Debug)]
pub struct Redis {
    program: PathBuf,
    settings: Vec<String>,
    folder: Folder,
    port: u16,
    /// None while it is killed.
    child: Option<Child>,
    log: Arc<Log>,
}

impl Redis {
    /// Starts an empty server that keeps nothing on the disk. Without Redis it is noted that `subject` was left out.
    ///
    /// # Panics
    /// When it does not start, or nothing may be left out and Redis is not there.
    #[must_use]
    pub fn start(subject: &str) -> Option<Self> {
        Self::start_with(subject, &[])
    }

    /// Like [`Redis::start`], with settings such as `--appendonly yes`, each word by itself.
    ///
    /// # Panics
    /// As [`Redis::start`].
    #[must_use]
    pub fn start_with(subject: &str, settings: &[&str]) -> Option<Self> {
        let program = Peer::Redis.find(subject)?;
        let folder = Folder::create("redis", &User::Own, &std::env::temp_dir());
        let settings = SETTINGS.iter().chain(settings).map(|&word| word.to_owned()).collect();
        let mut server = Self { program, settings, folder, port: 0, child: None, log: Arc::default() };
        for _ in 0..STARTS_MAX {
            server.port = free_port();
            if server.run() {
                return Some(server);
            }
        }
        panic!("{STARTS_MAX} ports that were free were taken before Redis listened there");
    }

    /// Where a client finds it.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Where it listens.
    #[must_use]
    pub fn socket(&self) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, self.port))
    }

    /// Ends it at once. What it was told to keep on the disk outlives it. Does nothing when it is killed already.
    ///
    /// # Panics
    /// When it cannot be ended.
    pub fn kill(&mut self) {
        let Some(mut child) = self.child.take() else { return };
        user::kill_family(child.id());
        child.wait().expect("what was killed can be waited for");
        self.log.wait_for_end();
        self.folder.forget_process();
    }

    /// Starts it again on the same data, port and settings, killing it before when it runs.
    ///
    /// # Panics
    /// When it does not start.
    pub fn restart(&mut self) {
        self.kill();
        assert!(self.run(), "port {} of a server that was killed is taken", self.port);
    }

    /// Stops it in the middle of what it does, as a machine does that is suspended; connections stay.
    ///
    /// # Panics
    /// When it is killed.
    pub fn freeze(&self) {
        user::signal("STOP", &[self.child.as_ref().expect("it runs").id()]);
    }

    /// Has it go on.
    ///
    /// # Panics
    /// When it is killed.
    pub fn thaw(&self) {
        user::signal("CONT", &[self.child.as_ref().expect("it runs").id()]);
    }

    /// Runs it until it can be asked; false when its port is taken.
    fn run(&mut self) -> bool {
        let mut command = Command::new(&self.program);
        command.args(&self.settings).args(["--port", &self.port.to_string(), "--dir"]).arg(self.folder.path());
        use std::os::unix::process::CommandExt;
        // In a group of its own it is not stopped by Ctrl-C, before what watches over it.
        command.process_group(0).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let spawned = command.spawn();
        let mut child = spawned.unwrap_or_else(|error| panic!("{command:?} does not start: {error}"));
        self.folder.remember_process(child.id());
        let said = self.log.follow(child.stdout.take().expect("piped above"));
        if self.log.wait_for(said, READY) {
            self.child = Some(child);
            return true;
        }
        let lines = self.log.lines();
        let _ = child.kill();
        let _ = child.wait();
        self.log.wait_for_end();
        self.folder.forget_process();
        assert!(lines.iter().any(|line| line.contains(PORT_IS_TAKEN)), "Redis does not start: {lines:#?}");
        false
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.kill();
    }
}
