//! Which master keys values are sealed under, as the store itself knows: nobody goes on without one of them.
//!
//! A key is written down before the first value is sealed under it, with a value by which the right key proves itself, and is
//! retired once no value is left under it. Does not own the keys, nor what is sealed.

use crate::records::{Corrupt, Entity};
use crate::schema::Table;
use crate::seal::{Keyring, NONCE_BYTES, Place, Unopened};
use crate::store::{Change, Loaded, Read, Reader, Scan, Store, StoreError, Work};
use crate::tables::MASTER_KEYS;
use crate::value::{Row, Value};
use quittance_core::time::Timestamp;

/// Keys that an installation ever had, at most.
const KEYS_MAX: usize = 10_000;

/// What a key proves itself by.
const PROOF: &[u8] = b"this key sealed it";

/// A key that values are, or were, sealed under.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MasterKey {
    /// Its id.
    pub id: String,
    /// A known value, sealed under it.
    pub proof: Vec<u8>,
    /// When it sealed first.
    pub since: Timestamp,
    /// When no value was left under it.
    pub retired_at: Option<Timestamp>,
    /// How often the row was written.
    pub version: i64,
}

impl Entity for MasterKey {
    fn table() -> &'static Table {
        &MASTER_KEYS
    }

    fn to_row(&self) -> Row {
        vec![
            self.id.as_str().into(),
            self.proof.clone().into(),
            self.since.0.into(),
            self.retired_at.map(|at| at.0).into(),
            self.version.into(),
        ]
    }

    fn from_row(row: &Row) -> Result<Self, Corrupt> {
        let damaged = |column| Corrupt { table: MASTER_KEYS.name, column, what: "of another kind".to_owned() };
        let [id, proof, since, retired_at, version] = row.as_slice() else { return Err(damaged("id")) };
        let Value::Text(id) = id else { return Err(damaged("id")) };
        let Value::Bytes(proof) = proof else { return Err(damaged("proof")) };
        let Value::Integer(since) = since else { return Err(damaged("since")) };
        let retired_at = match retired_at {
            Value::Null => None,
            Value::Integer(at) => Some(Timestamp(*at)),
            _ => return Err(damaged("retired_at")),
        };
        let Value::Integer(version) = version else { return Err(damaged("version")) };
        let (id, proof, since, version) = (id.clone(), proof.clone(), Timestamp(*since), *version);
        Ok(Self { id, proof, since, retired_at, version })
    }
}

/// The keys that values are sealed under now, by a reader of what is stored.
///
/// # Errors
///
/// [`StoreError`].
pub fn in_use(reader: &mut dyn Reader) -> Result<Vec<MasterKey>, StoreError> {
    let rows = reader.scan(&Scan::forward(&MASTER_KEYS, Vec::new(), KEYS_MAX))?;
    let damaged = |error: Corrupt| StoreError::Corrupt { place: MASTER_KEYS.name.to_owned(), what: error.to_string() };
    let keys: Vec<MasterKey> = rows.iter().map(MasterKey::from_row).collect::<Result<_, _>>().map_err(damaged)?;
    Ok(keys.into_iter().filter(|key| key.retired_at.is_none()).collect())
}

/// Refuses to go on without a key that is in use, or with another one of its name.
///
/// # Errors
///
/// [`StoreError::KeyMissing`], [`StoreError::KeyDiffers`].
pub fn check(reader: &mut dyn Reader, keys: Option<&Keyring>) -> Result<(), StoreError> {
    for key in in_use(reader)? {
        let missing = || StoreError::KeyMissing { key: key.id.clone() };
        let keys = keys.ok_or_else(missing)?;
        match keys.open(&key.proof, place(&[key.id.as_str().into()])) {
            Ok(_) => {}
            Err(Unopened::KeyMissing(_)) => return Err(missing()),
            Err(Unopened::Refused(_) | Unopened::Malformed) => {
                return Err(StoreError::KeyDiffers { key: key.id.clone() });
            }
        }
    }
    Ok(())
}

/// Writes down that the first key seals from now on, in a store of what is stored. Does nothing where that is known.
///
/// # Errors
///
/// [`StoreError`].
pub fn begin(
    store: &mut dyn Store,
    keys: &Keyring,
    now: Timestamp,
    nonce: [u8; NONCE_BYTES],
) -> Result<(), StoreError> {
    let id = keys.sealing();
    if in_use(store)?.iter().any(|key| key.id == id) {
        return Ok(());
    }
    let proof = keys.seal(PROOF, place(&[id.into()]), nonce);
    set(store, id, &|known| match known {
        Some(known) if known.retired_at.is_none() => None,
        Some(known) => Some(MasterKey { retired_at: None, proof: proof.clone(), ..known }),
        None => Some(MasterKey { id: id.to_owned(), proof: proof.clone(), since: now, retired_at: None, version: 0 }),
    })
}

/// Writes down that no value is left under these keys, in a store of what is stored.
///
/// # Errors
///
/// [`StoreError`].
pub fn retire(store: &mut dyn Store, ids: &[String], now: Timestamp) -> Result<(), StoreError> {
    ids.iter().try_for_each(|id| {
        set(store, id, &|known| {
            known.filter(|key| key.retired_at.is_none()).map(|key| MasterKey { retired_at: Some(now), ..key })
        })
    })
}

fn place(key: &[Value]) -> Place<'_> {
    Place { table: MASTER_KEYS.name, column: "proof", key }
}

fn set(
    store: &mut dyn Store,
    id: &str,
    change: &dyn Fn(Option<MasterKey>) -> Option<MasterKey>,
) -> Result<(), StoreError> {
    store.transact("master keys", &mut Setting { id, change })
}

struct Setting<'a> {
    id: &'a str,
    change: &'a dyn Fn(Option<MasterKey>) -> Option<MasterKey>,
}

impl Work for Setting<'_> {
    fn reads(&mut self, _: &Loaded) -> Vec<Read> {
        vec![Read::Row { table: &MASTER_KEYS, key: vec![self.id.into()] }]
    }

    fn decide(&mut self, loaded: &Loaded) -> Result<Vec<Change>, String> {
        let row = loaded.row(&MASTER_KEYS, &vec![self.id.into()]).flatten();
        let known = row.map(MasterKey::from_row).transpose().map_err(|error| error.to_string())?;
        let changed = (self.change)(known).map(|key| MasterKey { version: key.version + 1, ..key });
        Ok(changed.iter().map(|key| Change::Upsert { table: &MASTER_KEYS, row: key.to_row() }).collect())
    }
}
