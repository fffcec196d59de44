//! Books: a journal's head and the balances folded from it.

use super::codec::{CodecError, Reader, Writer};
use super::row::{Columns, Corrupt, Entity};
use crate::schema::Table;
use crate::tables::BOOKS;
use crate::value::{Row, Value};
use quittance_core::account::Account;
use quittance_core::currency::Currency;
use quittance_core::id::{CustomerId, TenantId};
use quittance_core::journal::GENESIS;
use quittance_core::ledger::{Balance, Balances};

/// The head of a book.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Book {
    /// The book, named by its customer.
    pub id: CustomerId,
    /// Its tenant.
    pub tenant: TenantId,
    /// How many records its journal has; also the number of the newest.
    pub records: i64,
    /// Hash of the newest record.
    pub head: [u8; 32],
    /// Balances after the newest record.
    pub balances: Balances,
}

impl Book {
    /// A book without records.
    #[must_use]
    pub fn new(id: CustomerId, tenant: TenantId) -> Self {
        Self { id, tenant, records: 0, head: GENESIS, balances: Balances::default() }
    }
}

impl Entity for Book {
    fn table() -> &'static Table {
        &BOOKS
    }

    fn to_row(&self) -> Row {
        vec![
            self.id.bytes().into(),
            self.tenant.bytes().into(),
            self.records.into(),
            self.head.into(),
            encode_balances(&self.balances).into(),
            Value::Integer(0),
        ]
    }

    fn from_row(row: &Row) -> Result<Self, Corrupt> {
        let mut columns = Columns::of(&BOOKS, row)?;
        Ok(Self {
            id: CustomerId::from_bytes(columns.fixed()?),
            tenant: TenantId::from_bytes(columns.fixed()?),
            records: columns.integer()?,
            head: columns.fixed()?,
            balances: columns.body(decode_balances)?,
        })
    }
}

/// Writes balances, in the order of their accounts.
#[must_use]
pub fn encode_balances(balances: &Balances) -> Vec<u8> {
    let mut writer = Writer::version(1);
    writer.count(u32::try_from(balances.0.len()).expect("a book has few accounts"));
    for ((account, currency), balance) in &balances.0 {
        writer.text(&account.to_string()).text(currency.code());
        writer.integer(balance.debits).integer(balance.credits);
        writer.integer(balance.held_debits).integer(balance.held_credits);
    }
    writer.finish()
}

/// Reads balances.
///
/// # Errors
///
/// [`CodecError`].
pub fn decode_balances(bytes: &[u8]) -> Result<Balances, CodecError> {
    let mut reader = Reader::open(bytes, 1)?;
    let mut balances = Balances::default();
    for _ in 0..reader.count()? {
        let account = reader.word(|text| text.parse::<Account>().ok())?;
        let currency = reader.word(|code| Currency::from_code(code).ok())?;
        let balance = Balance {
            debits: reader.integer()?,
            credits: reader.integer()?,
            held_debits: reader.integer()?,
            held_credits: reader.integer()?,
        };
        balances.0.insert((account, currency), balance);
    }
    reader.end()?;
    Ok(balances)
}
