//! Disks that fail under PostgreSQL, and disks that are full. Does not own what must hold afterwards (`audit`).

use super::{ORDERS, postgres, seed};
use crate::process::bound;
use crate::surroundings::{span, until};
use crate::world::World;
use quittance_surroundings::skip;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// Longest wait for PostgreSQL to meet what was prepared for it.
const MEETING_S_MAX: u64 = 60;

/// What a full disk holds, in MiB: an empty server, and some of its log.
const DISK_MB: u32 = 160;

/// Every process of PostgreSQL that makes its log durable, followed by a tracer that lets its next attempt fail.
struct FailingDisk(Child);

impl Drop for FailingDisk {
    fn drop(&mut self) {
        // Whoever is still followed goes on by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl World {
    fn fail_disk(&mut self) -> FailingDisk {
        self.tell("the next fdatasync of PostgreSQL fails with EIO");
        let writers = "backend_type IN ('client backend', 'walwriter', 'checkpointer') AND pid <> pg_backend_pid()";
        let ids = self.postgres().sql("postgres", &format!("SELECT pid FROM pg_stat_activity WHERE {writers}"));
        let mut strace = bound("strace");
        strace.args(["-qq", "-o", "/dev/null", "-e", "trace=fdatasync", "-e", "inject=fdatasync:error=EIO"]);
        strace.args(ids.lines().flat_map(|id| ["-p", id])).stdin(Stdio::null()).stderr(Stdio::null());
        FailingDisk(strace.spawn().expect("strace starts"))
    }

    /// Whether PostgreSQL has said this since so many lines.
    fn has_said(&self, since: usize, text: &str) -> bool {
        self.postgres().log().iter().skip(since).any(|line| line.contains(text))
    }
}

/// Whether processes of another can be followed here.
fn can_trace() -> bool {
    let mut sleeper = Command::new("sleep").arg("60").spawn().expect("sleep starts");
    let id = sleeper.id().to_string();
    let mut strace = Command::new("timeout");
    strace.args(["5", "strace", "-qq", "-o", "/dev/null", "-p", &id]).stderr(Stdio::piped());
    let traced = strace.spawn().expect("timeout starts");
    let _ = sleeper.kill();
    let _ = sleeper.wait();
    let output = traced.wait_with_output().expect("it ends");
    !String::from_utf8_lossy(&output.stderr).contains("not permitted") && output.status.code() != Some(127)
}

#[test]
fn a_disk_that_fails_loses_nothing_that_was_acknowledged() {
    let subject = "PostgreSQL on a disk that fails";
    let Some(postgres) = postgres(subject, &["wal_sync_method=fdatasync"]) else { return };
    if !can_trace() {
        skip(&format!("{subject}: strace is not there or may not follow other processes; install it, and be root"));
        return;
    }
    let mut world = World::open(postgres, seed());
    world.begin();
    for _ in 0..2 {
        world.progress(ORDERS);
        let said = world.postgres().log().len();
        let tracer = world.fail_disk();
        let met = until(span(MEETING_S_MAX), || world.has_said(said, "PANIC:  could not fdatasync").then_some(()));
        met.unwrap_or_else(|_| panic!("PostgreSQL met no error: {:#?}", world.postgres().log()));
        drop(tracer);
        let back = until(span(MEETING_S_MAX), || world.has_said(said, "ready to accept connections").then_some(()));
        back.unwrap_or_else(|_| panic!("PostgreSQL did not recover: {:#?}", world.postgres().log()));
    }
    world.progress(ORDERS);
    world.judge();
}

/// A disk in memory, mounted until this is dropped.
struct SmallDisk(PathBuf);

impl SmallDisk {
    /// Nothing where nobody may mount.
    fn mount(size: u32) -> Option<Self> {
        let path = std::env::temp_dir().join(format!("quittance-disk-{}", std::process::id()));
        // What a test that was killed left behind is of a process that had the same id.
        let _ = Command::new("umount").arg(&path).stderr(Stdio::null()).status();
        std::fs::create_dir_all(&path).expect("a folder");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={size}m,mode=0755"), "tmpfs"]).arg(&path).stderr(Stdio::null());
        mount.status().is_ok_and(|status| status.success()).then_some(Self(path))
    }

    /// Takes all that is left of it.
    fn fill(&self) -> PathBuf {
        let path = self.0.join("filler");
        let mut file = File::create(&path).expect("a file");
        let block = vec![b'x'; 64 * 1024];
        while file.write_all(&block).is_ok() {}
        path
    }

    fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Nobody is left on it: lazily, because who was killed may take a moment.
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
        let _ = std::fs::remove_dir(&self.0);
    }
}

#[test]
fn a_disk_that_is_full_for_a_while_loses_nothing() {
    let subject = "PostgreSQL on a full disk";
    let Some(disk) = SmallDisk::mount(DISK_MB) else {
        skip(&format!("optional: {subject}: a small disk in memory cannot be mounted; be root"));
        return;
    };
    let settings = ["fsync=off", "min_wal_size=32MB", "max_wal_size=48MB"];
    let Some(postgres) = quittance_surroundings::Postgres::start_in(subject, &settings, disk.path()) else { return };
    let mut world = World::open(postgres, seed());
    world.begin();
    world.progress(ORDERS);
    world.tell("the disk is full");
    let said = world.postgres().log().len();
    let filler = disk.fill();
    let met = until(span(MEETING_S_MAX), || world.has_said(said, "No space left on device").then_some(()));
    met.unwrap_or_else(|_| panic!("PostgreSQL had room: {:#?}", world.postgres().log()));
    world.tell("there is room again");
    std::fs::remove_file(filler).expect("the file is there");
    // Where it had no room to go on, it had ended.
    if world.postgres_mut().has_ended() {
        world.tell("PostgreSQL had ended, and is started again");
        world.postgres_mut().restart();
    }
    world.progress(ORDERS);
    world.judge();
    drop(disk);
}
