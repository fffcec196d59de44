//! Copying a store as a whole: snapshots that show one moment, and loads that are all or nothing.

use super::sample::{insert, row, write};
use super::{Case, Harness};
use crate::backup::{BackupInput, Compression, Header, write as back_up};
use crate::schema::Table;
use crate::store::{Batch, Change, Load, Reader, Scan, Snapshot, StoreError};
use crate::tables::{self, CUSTOMERS, EFFECTS, SWITCHES, TENANTS};
use crate::value::{Row, Value};
use quittance_core::time::Timestamp;

pub(super) const CASES: &[Case] = &[
    ("a snapshot shows one moment", snapshots_show_one_moment),
    ("a load is all of it", loads_are_whole),
    ("a load that is refused leaves nothing", refused_loads_leave_nothing),
    ("a load needs an empty store", loads_need_an_empty_store),
    ("a backup of a store fills another", backups_fill_another),
];

/// More than one page or batch.
const MANY: i64 = 600;

struct Fill {
    batches: Vec<Batch>,
    end: Result<Vec<Change>, String>,
    /// What the reader showed at the end.
    seen: usize,
}

impl Fill {
    fn new(table: &'static Table, rows: Vec<Row>, end: Result<Vec<Change>, String>) -> Self {
        Self { batches: vec![Batch { table, rows }], end, seen: 0 }
    }
}

impl Load for Fill {
    fn writer_epoch(&self) -> i64 {
        70
    }

    fn next(&mut self) -> Result<Option<Batch>, String> {
        Ok(self.batches.pop())
    }

    fn conclude(&mut self, reader: &mut dyn Reader) -> Result<Vec<Change>, String> {
        self.seen = all(reader, &TENANTS).len();
        self.end.clone()
    }
}

/// What comes out of a backup.
struct FromBackup<'a>(BackupInput<&'a [u8]>);

impl Load for FromBackup<'_> {
    fn writer_epoch(&self) -> i64 {
        self.0.header().writer_epoch
    }

    fn next(&mut self) -> Result<Option<Batch>, String> {
        self.0.next_batch().map_err(|error| error.to_string())
    }

    fn conclude(&mut self, _: &mut dyn Reader) -> Result<Vec<Change>, String> {
        Ok(Vec::new())
    }
}

fn all(reader: &mut dyn Reader, table: &'static Table) -> Vec<Row> {
    reader.scan(&Scan::forward(table, Vec::new(), usize::MAX)).unwrap()
}

fn tenants(numbers: std::ops::Range<i64>) -> Vec<Row> {
    let tenant = |number: i64| {
        row(&TENANTS, &[("id", number.to_be_bytes().into()), ("name", format!("tenant {number}").into())])
    };
    numbers.map(tenant).collect()
}

fn inserts(rows: Vec<Row>) -> Vec<Change> {
    rows.into_iter().map(|row| Change::Insert { table: &TENANTS, row }).collect()
}

fn snapshots_show_one_moment(fresh: &mut dyn FnMut() -> Harness) {
    let Harness { mut lanes, mut reader, snapshot, keep: _keep, .. } = fresh();
    write(&mut *lanes[0], inserts(tenants(0..2))).unwrap();
    let asked = lanes[0].time().unwrap();
    let mut before = snapshot();
    if let (Some(asked), Some(time)) = (asked, before.time()) {
        assert!(asked <= time && Some(time) <= lanes[0].time().unwrap(), "the clock that all go by: {asked} {time}");
    }
    // Nothing was read through it yet: its moment is when it was opened.
    write(&mut *lanes[0], inserts(tenants(2..4))).unwrap();
    let ids = [0_i64, 2].map(|number| vec![Value::from(number.to_be_bytes())]);
    for _ in 0..2 {
        assert_eq!(all(before.as_mut(), &TENANTS), tenants(0..2));
        let found = before.get_many(&TENANTS, &ids).unwrap();
        assert_eq!((found[0].is_some(), found[1].is_some()), (true, false));
        assert_eq!(all(before.as_mut(), &CUSTOMERS), Vec::<Row>::new());
    }
    write(&mut *lanes[0], vec![insert(&CUSTOMERS, &[("id", [1].into())])]).unwrap();
    assert_eq!(all(before.as_mut(), &CUSTOMERS), Vec::<Row>::new());
    assert_eq!(all(reader.as_mut(), &TENANTS), tenants(0..4));
    assert_eq!(all(snapshot().as_mut(), &TENANTS), tenants(0..4));
    assert_eq!(Some(before.writer_epoch()), lanes.iter().map(|lane| lane.writer_epoch()).max());
}

fn loads_are_whole(fresh: &mut dyn FnMut() -> Harness) {
    let Harness { mut lanes, mut reader, keep: _keep, .. } = fresh();
    let pause = insert(&SWITCHES, &[("name", "*".into()), ("is_paused", 1.into())]);
    let mut fill = Fill::new(&TENANTS, tenants(0..MANY), Ok(vec![pause.clone()]));
    lanes[0].load("test", &mut fill).unwrap();
    assert_eq!(fill.seen, tenants(0..MANY).len(), "the end sees every row");
    assert_eq!(all(reader.as_mut(), &TENANTS), tenants(0..MANY));
    assert_eq!(all(reader.as_mut(), &SWITCHES), [pause.row().clone()]);
    assert!(lanes[0].writer_epoch() > 70, "no lease of the rows is one of the new owner's");
    write(&mut *lanes[0], inserts(tenants(MANY..MANY + 1))).unwrap();
    assert_eq!(all(reader.as_mut(), &TENANTS), tenants(0..MANY + 1));
}

fn refused_loads_leave_nothing(fresh: &mut dyn FnMut() -> Harness) {
    let Harness { mut lanes, mut reader, keep: _keep, .. } = fresh();
    let epoch = lanes[0].writer_epoch();
    let mut refused = Fill::new(&TENANTS, tenants(0..MANY), Err("unsound".to_owned()));
    let error = lanes[0].load("test", &mut refused).unwrap_err();
    assert!(matches!(&error, StoreError::Aborted { reason, .. } if reason == "unsound"), "{error}");
    let twice = [tenants(0..MANY), tenants(3..4)].concat();
    let error = lanes[0].load("test", &mut Fill::new(&TENANTS, twice, Ok(Vec::new()))).unwrap_err();
    assert!(matches!(error, StoreError::Conflict { table: "tenants" }), "{error}");
    assert_eq!(all(reader.as_mut(), &TENANTS).len(), 0);
    assert!(lanes[0].writer_epoch() >= epoch);
    // And it can be done over.
    lanes[0].load("test", &mut Fill::new(&TENANTS, tenants(0..MANY), Ok(Vec::new()))).unwrap();
    assert_eq!(all(reader.as_mut(), &TENANTS), tenants(0..MANY));
}

fn loads_need_an_empty_store(fresh: &mut dyn FnMut() -> Harness) {
    let Harness { mut lanes, mut reader, keep: _keep, .. } = fresh();
    write(&mut *lanes[0], inserts(tenants(7..8))).unwrap();
    let error = lanes[0].load("test", &mut Fill::new(&TENANTS, tenants(0..3), Ok(Vec::new()))).unwrap_err();
    assert!(matches!(error, StoreError::NotEmpty { table: "tenants", .. }), "{error}");
    assert_eq!(all(reader.as_mut(), &TENANTS), tenants(7..8));
}

fn backups_fill_another(fresh: &mut dyn FnMut() -> Harness) {
    let Harness { mut lanes, snapshot, keep: _keep, .. } = fresh();
    let texts = ["", "a\0b", "é", "\u{ffff}"];
    let effect = |(number, text): (i64, &str)| {
        let key = [("book", vec![0, 0xff].into()), ("id", number.to_be_bytes().into())];
        let rest = [("gateway", text.into()), ("due_at", number.into()), ("lease_owner", i64::MIN.into())];
        insert(&EFFECTS, &[&key[..], &rest[..]].concat())
    };
    write(&mut *lanes[0], (0..).zip(texts).map(effect).collect()).unwrap();
    write(&mut *lanes[0], inserts(tenants(0..MANY))).unwrap();
    let bytes = taken(snapshot().as_mut());
    let Harness { lanes: mut others, reader: mut other, snapshot: of_other, keep: _other, .. } = fresh();
    others[0].load("test", &mut FromBackup(BackupInput::open(&bytes[..], Compression::None).unwrap())).unwrap();
    for table in tables::ALL {
        assert_eq!(all(other.as_mut(), table), all(snapshot().as_mut(), table), "{table:?}");
    }
    // The same rows give the same bytes, wherever they lie.
    let digest = |bytes: &[u8]| BackupInput::open(bytes, Compression::None).unwrap().check().unwrap().1.tables;
    assert_eq!(digest(&taken(of_other().as_mut())), digest(&bytes));
}

fn taken(snapshot: &mut dyn Snapshot) -> Vec<u8> {
    let header = Header {
        schema: tables::SCHEMA_VERSION,
        quittance: "0".to_owned(),
        taken_at: Timestamp(1),
        store: "any".to_owned(),
        writer_epoch: snapshot.writer_epoch(),
    };
    let mut bytes = Vec::new();
    back_up(&mut bytes, Compression::None, &header, &mut |scan| snapshot.scan(scan), &mut |_, _| {}).unwrap();
    bytes
}
