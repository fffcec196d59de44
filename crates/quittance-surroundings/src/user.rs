//! As whom a server runs, and how all its processes are ended. Does not own the server.

use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

/// Who may own data and run a server when the tests run as root, in this order.
const UNPRIVILEGED: [&str; 2] = ["postgres", "nobody"];

/// The user of a server.
#[derive(Debug)]
pub(crate) enum User {
    /// Whoever runs the tests.
    Own,
    Other {
        user: u32,
        group: u32,
    },
}

impl User {
    /// Whoever runs the tests, unless that is root.
    ///
    /// # Panics
    /// When it is root, and there is nobody else.
    pub(crate) fn unprivileged() -> Self {
        if id(&["-u"]) != Some(0) {
            return Self::Own;
        }
        let known = |name: &&str| Some(Self::Other { user: id(&["-u", name])?, group: id(&["-g", name])? });
        let found = UNPRIVILEGED.iter().find_map(known);
        found.unwrap_or_else(|| panic!("PostgreSQL does not run as root, and there is no user of {UNPRIVILEGED:?}"))
    }

    /// Lets the command run as this user, without the groups of root.
    pub(crate) fn lend_to(&self, command: &mut Command) {
        if let Self::Other { user, group } = *self {
            command.uid(user).gid(group);
        }
    }

    /// Makes this user the owner of a folder.
    pub(crate) fn own(&self, folder: &Path) {
        if let Self::Other { user, group } = *self {
            chown(folder, Some(user), Some(group)).expect("root gives a folder away");
        }
    }
}

fn id(arguments: &[&str]) -> Option<u32> {
    let output = Command::new("id").args(arguments).output().expect("id runs");
    String::from_utf8_lossy(&output.stdout).trim().parse().ok()
}

/// Tells a server to end at once.
pub(crate) fn quit(server: u32) {
    signal("QUIT", &[server]);
}

/// Kills a process and all its children. It is stopped before, so that it neither notices nor starts another.
pub(crate) fn kill_family(parent: u32) {
    signal("STOP", &[parent]);
    let listing = Command::new("ps").args(["-A", "-o", "pid=,ppid="]).output().expect("ps runs");
    let listing = String::from_utf8_lossy(&listing.stdout);
    let mut family = children(&listing, parent);
    family.push(parent);
    signal("KILL", &family);
}

/// Those of a listing of processes, each with its parent, whose parent is this one.
fn children(listing: &str, parent: u32) -> Vec<u32> {
    let pair = |line: &str| {
        let mut words = line.split_whitespace().map(str::parse::<u32>);
        Some((words.next()?.ok()?, words.next()?.ok()?))
    };
    listing.lines().filter_map(pair).filter(|&(_, of)| of == parent).map(|(child, _)| child).collect()
}

/// Sends a signal. Some of them may have ended by themselves.
pub(crate) fn signal(name: &str, processes: &[u32]) {
    let mut kill = Command::new("kill");
    kill.arg(format!("-{name}")).args(processes.iter().map(u32::to_string));
    kill.output().expect("kill runs");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn children_are_told_from_others() {
        assert_eq!(children("    1     0\n   20     1\n  200    20\n   21   201\n   22    20\n", 20), [200, 22]);
    }
}
