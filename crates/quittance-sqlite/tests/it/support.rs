//! What the tests share: rows to write, children to kill, skips to report.

use quittance_store::store::{Change, Loaded, Read, Reader, Scan, Store, StoreError, Work};
use quittance_store::tables::{BOOKS, JOURNAL};
use quittance_store::value::{Row, Value};
use std::io::{BufRead, BufReader, Lines, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// Names the data directory to a child. A child is this binary again, told to run one test.
const CHILD_DIRECTORY: &str = "QUITTANCE_TEST_CHILD_DIRECTORY";

/// What a child waits for and parents read from.
pub const READY: &str = "ready";

/// Work that reads nothing and writes fixed changes.
pub struct Writes(pub Vec<Change>);

impl Work for Writes {
    fn reads(&mut self, _: &Loaded) -> Vec<Read> {
        Vec::new()
    }

    fn decide(&mut self, _: &Loaded) -> Result<Vec<Change>, String> {
        Ok(self.0.clone())
    }
}

pub fn write(store: &mut dyn Store, changes: Vec<Change>) -> Result<(), StoreError> {
    store.transact("test", &mut Writes(changes))
}

/// Journal records that one [`append`] writes.
pub const RECORDS_EACH: i64 = 3;

/// One transaction over two tables: the book's count says which records there must be.
pub fn append(store: &mut dyn Store, number: i64, body_bytes: usize) -> Result<(), StoreError> {
    let book = Value::from([7; 16]);
    let record = |seq: i64| -> Row {
        let body = vec![seq.to_le_bytes()[0]; body_bytes];
        vec![book.clone(), seq.into(), 1.into(), 0.into(), body.into(), [0; 32].into(), [1; 32].into()]
    };
    let seqs = (number - 1) * RECORDS_EACH..number * RECORDS_EACH;
    let mut changes: Vec<Change> = seqs.map(|seq| Change::Insert { table: &JOURNAL, row: record(seq) }).collect();
    let empty = Value::Bytes(Vec::new());
    let head = vec![book.clone(), [1; 16].into(), (number * RECORDS_EACH).into(), empty.clone(), empty, number.into()];
    changes.push(Change::Upsert { table: &BOOKS, row: head });
    write(store, changes)
}

/// How many [`append`]s a store holds; asserts that each is there in full. Whoever reads beside a writer reads again until
/// nothing was written in between: two scans are not of one moment.
pub fn appended(reader: &mut dyn Reader) -> i64 {
    let heads = |reader: &mut dyn Reader| reader.scan(&Scan::forward(&BOOKS, Vec::new(), 2)).unwrap();
    let (heads, records) = loop {
        let before = heads(reader);
        let records = reader.scan(&Scan::forward(&JOURNAL, Vec::new(), usize::MAX)).unwrap();
        if before == heads(reader) {
            break (before, records);
        }
    };
    let count = i64::try_from(records.len()).unwrap();
    for (seq, record) in (0..).zip(&records) {
        assert_eq!(record[1], Value::Integer(seq), "records have no gaps");
    }
    match heads.first() {
        None => assert_eq!(count, 0, "records without their book"),
        Some(head) => assert_eq!(head[BOOKS.position("records")], Value::Integer(count), "a torn transaction"),
    }
    assert_eq!(count % RECORDS_EACH, 0);
    count / RECORDS_EACH
}

/// The directory a parent gave, when this process is a child.
pub fn child_directory() -> Option<PathBuf> {
    std::env::var_os(CHILD_DIRECTORY).map(PathBuf::from)
}

/// This binary, to run one test as a child. `through` is put before it on the command line.
pub fn child_command(through: &[&str], test: &str, directory: &Path) -> Command {
    let this = std::env::current_exe().unwrap();
    let mut words: Vec<&std::ffi::OsStr> = through.iter().map(std::ffi::OsStr::new).collect();
    words.push(this.as_os_str());
    let mut command = Command::new(words[0]);
    command.args(&words[1..]).args(["--exact", test, "--nocapture", "--test-threads=1"]);
    command.env(CHILD_DIRECTORY, directory).stdin(Stdio::piped()).stdout(Stdio::piped());
    command
}

/// A child that runs one test of this binary. Killed when dropped.
pub struct RunningChild {
    child: Child,
    /// Open as long as this lives: a child may wait for its end.
    _stdin: Option<ChildStdin>,
    lines: Lines<BufReader<ChildStdout>>,
}

impl RunningChild {
    pub fn start(test: &str, directory: &Path) -> Self {
        let mut child = child_command(&[], test, directory).spawn().unwrap();
        let (_stdin, stdout) = (child.stdin.take(), child.stdout.take().unwrap());
        Self { child, _stdin, lines: BufReader::new(stdout).lines() }
    }

    /// The rest of the next line that begins with `word`. The test runner's own words stand on the same stream.
    pub fn next(&mut self, word: &str) -> String {
        let line = self
            .lines
            .by_ref()
            .map(Result::unwrap)
            .find_map(|line| line.split_once(word).map(|(_, rest)| rest.to_owned()));
        line.unwrap_or_else(|| panic!("the child ended before it said {word:?}"))
    }

    /// Sends SIGKILL and reaps the process.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for RunningChild {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Says a line at once: a child is killed without warning.
pub fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    out.write_all(format!("{line}\n").as_bytes()).and_then(|()| out.flush()).expect("the parent listens");
}

/// Reports that this place does not permit a test: what, why, and how to have it.
pub fn skip(reason: &str) {
    quittance_surroundings::skip(&format!("quittance-sqlite: {reason}"));
}
