//! What the gateways' books and the rows of the store say, side by side. Draws no conclusions.

use crate::gateway::books::{Books, Charge};
use quittance_core::dispute::Dispute;
use quittance_core::effect::Effect;
use quittance_core::idempotency::Command;
use quittance_core::payment::Payment;
use quittance_core::refund::Refund;
use quittance_store::records::{Book, Discrepancy, Entity, GatewayObject, JournalEntry};
use quittance_store::store::{Reader, Scan};

/// Rows of a table that are read: worlds are small.
const ROWS_MAX: usize = 100_000;

/// The rows that an outsider looks at.
#[derive(Debug)]
pub struct Rows {
    /// Payments.
    pub payments: Vec<Payment>,
    /// Refunds.
    pub refunds: Vec<Refund>,
    /// Disputes.
    pub disputes: Vec<Dispute>,
    /// Effects.
    pub effects: Vec<Effect>,
    /// Books.
    pub books: Vec<Book>,
    /// Discrepancies.
    pub discrepancies: Vec<Discrepancy>,
    /// What is known of the gateways' objects.
    pub objects: Vec<GatewayObject>,
    /// Clients' commands.
    pub commands: Vec<Command>,
    /// The journals.
    pub journal: Vec<JournalEntry>,
}

impl Rows {
    /// Reads them; what cannot be read is told by the first such row.
    ///
    /// # Errors
    ///
    /// The table, and what is wrong.
    pub fn read(reader: &mut dyn Reader) -> Result<Self, String> {
        Ok(Self {
            payments: all(reader)?,
            refunds: all(reader)?,
            disputes: all(reader)?,
            effects: all(reader)?,
            books: all(reader)?,
            discrepancies: all(reader)?,
            objects: all(reader)?,
            commands: all(reader)?,
            journal: all(reader)?,
        })
    }
}

pub(super) fn all<E: Entity>(reader: &mut dyn Reader) -> Result<Vec<E>, String> {
    let rows = reader.scan(&Scan::forward(E::table(), Vec::new(), ROWS_MAX));
    let rows = rows.map_err(|error| error.to_string())?;
    rows.iter()
        .map(|row| E::from_row(row).map_err(|_| format!("a row of {} cannot be read", E::table().name)))
        .collect()
}

/// The charges that an effect of a payment may have made: by its own id, by its object, or by the payment's id where a
/// rail carries no more.
#[must_use]
pub fn charges_of<'a>(books: &'a Books, effect: &Effect) -> Vec<&'a Charge> {
    let (id, payment) = (effect.id.to_string(), effect.payment.to_string());
    let is_of_it = |charge: &&Charge| match (&charge.intent, &effect.object_id) {
        // An object may be used by several attempts, and only one of them takes it further.
        (Some(intent), Some(object)) => intent == object,
        (Some(_), None) => charge.metadata.get("effect_id") == Some(&id),
        (None, Some(object)) if charge.id == *object => true,
        (None, _) => charge.metadata.get("payment_id") == Some(&payment),
    };
    books.charges.iter().filter(is_of_it).collect()
}
