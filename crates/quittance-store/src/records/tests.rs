//! Sample bytes of every stored format, and round trips.
//!
//! `samples/v1.txt` holds bytes as version 1 wrote them. They are never changed: a format that changes gets a new
//! version and a file of its own, and this one stays readable.

mod alerts;
mod effects;
mod events;
mod formats;
mod history;
mod mirror;
mod repairs;
mod rows;

use super::*;
use quittance_core::account::Account;
use quittance_core::brake::{Limit, Meter, Tally};
use quittance_core::currency::Currency;
use quittance_core::fact::Decline;
use quittance_core::id::{CommandId, CustomerId, DisputeId, EffectId, HoldId, PaymentId, RefundId, TenantId};
use quittance_core::ledger::{Balances, Movement, transfer};
use quittance_core::money::Money;
use quittance_core::time::Timestamp;
use std::collections::BTreeMap;

fn bytes(last: u8) -> [u8; 16] {
    let mut bytes = [0x11; 16];
    bytes[15] = last;
    bytes
}

fn usd() -> Currency {
    Currency::from_code("USD").expect("known currency")
}

fn postings() -> Vec<quittance_core::ledger::Posting> {
    transfer(Account::GatewayClearing("stripe".into()), Account::Unapplied, 1999, usd())
}

fn decline() -> Decline {
    Decline { code: "insufficient_funds".into(), is_retryable: true }
}

fn payment_id() -> PaymentId {
    PaymentId::from_bytes(bytes(1))
}

fn effect_id() -> EffectId {
    EffectId::from_bytes(bytes(3))
}

fn command_id() -> CommandId {
    CommandId::from_bytes(bytes(2))
}

fn refund_id() -> RefundId {
    RefundId::from_bytes(bytes(12))
}

fn dispute_id() -> DisputeId {
    DisputeId::from_bytes(bytes(13))
}

fn tally() -> Tally {
    Tally { slots: BTreeMap::from([(-1, 4), (450_000, i64::MAX)]) }
}

fn balances() -> Balances {
    let mut balances = Balances::default();
    balances.apply(Movement::Hold, &postings()).expect("fits");
    balances.apply(Movement::Post, &postings()).expect("fits");
    balances
}
