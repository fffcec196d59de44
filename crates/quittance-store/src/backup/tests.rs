//! Backups that are not whole: every byte that is changed, every place where one is cut.

use super::{BackupError, BackupInput, Compression, Header, Prefix, write};
use crate::memory::MemoryDatabase;
use crate::store::{Change, Loaded, Read, Reader, Store, Work};
use crate::tables::{SCHEMA_VERSION, SWITCHES};
use crate::value::Value;
use quittance_core::time::Timestamp;

struct Switch(&'static str);

impl Work for Switch {
    fn reads(&mut self, _: &Loaded) -> Vec<Read> {
        Vec::new()
    }

    fn decide(&mut self, _: &Loaded) -> Result<Vec<Change>, String> {
        let row = vec![self.0.into(), 1.into(), Value::Null, "it".into(), 2.into(), 0.into()];
        Ok(vec![Change::Insert { table: &SWITCHES, row }])
    }
}

fn header() -> Header {
    Header {
        schema: SCHEMA_VERSION,
        quittance: "1.2.3".to_owned(),
        taken_at: Timestamp(5),
        store: "memory".to_owned(),
        writer_epoch: 9,
    }
}

fn sample(header: &Header) -> Vec<u8> {
    let database = MemoryDatabase::new();
    let mut store = database.writer();
    for name in ["adyen", "stripe"] {
        store.transact("test", &mut Switch(name)).unwrap();
    }
    let (mut bytes, mut snapshot) = (Vec::new(), database.snapshot());
    let summary =
        write(&mut bytes, Compression::None, header, &mut |scan| snapshot.scan(scan), &mut |_, _| {}).unwrap();
    assert_eq!(summary.rows, 2);
    bytes
}

fn check(bytes: &[u8]) -> Result<(), BackupError> {
    BackupInput::open(bytes, Compression::None)?.check().map(drop)
}

#[test]
fn a_whole_backup_tells_what_it_is() {
    let bytes = sample(&header());
    let (read, summary) = BackupInput::open(&bytes[..], Compression::None).unwrap().check().unwrap();
    assert_eq!(read, header());
    let counted: Vec<_> = summary.tables.iter().filter(|table| table.rows > 0).collect();
    assert_eq!((counted.len(), counted[0].name, counted[0].rows), (1, "switches", 2));
}

#[test]
fn every_changed_byte_is_found() {
    let bytes = sample(&header());
    for place in 0..bytes.len() {
        for change in [0x01, 0x80] {
            let mut changed = bytes.clone();
            changed[place] ^= change;
            assert!(check(&changed).is_err(), "byte {place} of {}", bytes.len());
        }
    }
}

#[test]
fn every_cut_is_called_one() {
    let bytes = sample(&header());
    for length in 0..bytes.len() {
        let error = check(&bytes[..length]).unwrap_err();
        assert!(matches!(error, BackupError::Cut { .. }), "{length}: {error}");
    }
    let longer = [&bytes[..], b"x"].concat();
    assert!(check(&longer).unwrap_err().to_string().contains("something follows its end"));
}

#[test]
fn rows_that_were_left_out_or_swapped_are_found() {
    let bytes = sample(&header());
    let row = |name: &str| {
        let at = bytes.windows(name.len()).position(|window| window == name.as_bytes()).unwrap();
        // Behind the tag, the length, the version, the kind and the length of the first value.
        let start = at - 5 - 1 - 1 - 4;
        let length = u32::from_be_bytes(bytes[start + 1..start + 5].try_into().unwrap());
        start..start + 5 + usize::try_from(length).unwrap()
    };
    let (first, second) = (row("adyen"), row("stripe"));
    assert_eq!(first.end, second.start);
    let without = [&bytes[..first.start], &bytes[first.end..]].concat();
    let error = check(&without).unwrap_err().to_string();
    assert!(error.contains("switches should have 2 rows and has 1"), "{error}");
    let swapped = [&bytes[..first.start], &bytes[second.clone()], &bytes[first.clone()], &bytes[second.end..]].concat();
    let error = check(&swapped).unwrap_err().to_string();
    assert!(error.contains("not in the order of their keys"), "{error}");
}

#[test]
fn another_schema_is_refused_with_the_version_that_wrote_it() {
    let error = check(&sample(&Header { schema: SCHEMA_VERSION + 1, ..header() })).unwrap_err();
    let known = SCHEMA_VERSION;
    assert!(matches!(&error, BackupError::OtherSchema { found, .. } if *found == known + 1), "{error}");
    assert!(error.to_string().contains("quittance 1.2.3"), "{error}");
}

#[test]
fn a_prefix_is_told_from_other_files_and_newer_formats() {
    for compression in [Compression::None, Compression::Zstd] {
        let bytes = Prefix { compression }.to_bytes();
        assert_eq!(Prefix::parse(&bytes).unwrap(), Prefix { compression });
        for length in 0..bytes.len() {
            assert!(matches!(Prefix::parse(&bytes[..length]), Err(BackupError::Cut { .. } | BackupError::NotABackup)));
        }
        let mut newer = bytes;
        newer[16] = 2;
        assert!(matches!(Prefix::parse(&newer), Err(BackupError::NewerFormat { found: 2, known: 1 })));
        let mut unknown = bytes;
        unknown[17] = 7;
        assert!(matches!(Prefix::parse(&unknown), Err(BackupError::Damaged { .. })));
    }
    assert!(matches!(Prefix::parse(b"SQLite format 3\0  "), Err(BackupError::NotABackup)));
}
