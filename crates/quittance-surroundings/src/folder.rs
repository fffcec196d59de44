//! The folder of a server, and what deletes it, after the server, even when the test program is killed. Does not own
//! what is in it.

use std::fs;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::user::User;

/// Reads the server's process id, or an empty line when there is none, until the test program closes its end or is
/// gone. What is still running then is told to end without ado, waited for, and its folder deleted.
const WATCHER: &str = r#"
while read -r line; do server=$line; done
if [ -n "$server" ] && kill -QUIT "$server" 2>/dev/null; then
    looks=0
    while kill -0 "$server" 2>/dev/null && [ $looks -lt 100 ]; do looks=$((looks + 1)); sleep 0.1; done
    kill -KILL "$server" 2>/dev/null
fi
exec rm -rf "$1"
"#;

/// A folder that is deleted with its watcher.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    watcher: Child,
}

impl Folder {
    /// Makes an empty folder of this user's below another, for a server of this name.
    ///
    /// # Panics
    /// When it cannot be made.
    pub(crate) fn create(name: &str, user: &User, parent: &Path) -> Self {
        static CREATED: AtomicU32 = AtomicU32::new(0);
        let number = CREATED.fetch_add(1, Ordering::Relaxed);
        let path = parent.join(format!("quittance-{name}-{}-{number}", std::process::id()));
        // What a crash of the machine left behind is of a program that had the same id.
        let _ = fs::remove_dir_all(&path);
        fs::create_dir(&path).unwrap_or_else(|error| panic!("cannot create {}: {error}", path.display()));
        user.own(&path);
        let mut watcher = Command::new("sh");
        watcher.args(["-c", WATCHER, "sh"]).arg(&path).process_group(0);
        let watcher = watcher.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        Self { path, watcher: watcher.expect("sh starts") }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Where the server keeps its data.
    pub(crate) fn data(&self) -> PathBuf {
        self.path.join("data")
    }

    /// Has this process ended before the folder is deleted.
    pub(crate) fn remember_process(&mut self, id: u32) {
        self.tell(&id.to_string());
    }

    /// The process has ended, and its id may soon be another's.
    pub(crate) fn forget_process(&mut self) {
        self.tell("");
    }

    fn tell(&mut self, line: &str) {
        let stdin = self.watcher.stdin.as_mut().expect("piped above, and taken nowhere");
        writeln!(stdin, "{line}").expect("the watcher of the server's folder listens");
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // Closes its input first, which is what it waits for.
        let _ = self.watcher.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::process::ExitStatusExt;

    /// What closes the watcher's input here is what also closes it when the program is killed.
    #[test]
    fn what_still_runs_is_ended_before_its_folder_is_deleted() {
        let mut folder = Folder::create("test", &User::Own, &std::env::temp_dir());
        let path = folder.path().to_path_buf();
        fs::create_dir(folder.data()).unwrap();
        let [mut ended, mut forgotten] = [(); 2].map(|()| Command::new("sleep").arg("600").spawn().unwrap());
        folder.remember_process(forgotten.id());
        folder.forget_process();
        folder.remember_process(ended.id());
        let ended = std::thread::spawn(move || ended.wait().unwrap());
        drop(folder);
        assert!(!path.exists());
        assert_eq!(ended.join().unwrap().signal(), Some(3));
        assert!(forgotten.try_wait().unwrap().is_none());
        forgotten.kill().unwrap();
        forgotten.wait().unwrap();
    }
}
