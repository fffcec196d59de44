//! The comparison of the product itself, put to use: payments and refunds here, objects at the gateways there, and nothing
//! that differs.

use super::end::gateway_of;
use super::facts::{Rows, charges_of};
use crate::gateway::Gateway;
use crate::gateway::books::Charge;
use quittance_core::pair::compare::{Comparer, Finding, Incomparable, Kind};
use quittance_core::pair::digest::Hasher;
use quittance_core::pair::join::join;
use quittance_core::pair::row::{Encoder, Record, shown};
use quittance_core::pair::run::Run;
use quittance_core::pair::{Column, Field, Pair, Side, Which};
use quittance_core::payment::{Payment, Status};
use quittance_core::record::value::Value;
use quittance_core::refund::RefundStatus;
use std::collections::BTreeMap;

/// What is compared: by gateway and object, its kind, its amount and its currency.
type Table = BTreeMap<(String, String), (&'static str, i64, String)>;

/// What differs, in words.
pub(super) fn differences(rows: &Rows, gateways: &[Gateway]) -> Vec<String> {
    let pair = pair();
    let (left, right) = (run(&pair, Which::Left, &ours(rows, gateways)), run(&pair, Which::Right, &theirs(gateways)));
    let mut comparer = Comparer::new(&pair, Hasher::new([7; 32]));
    let mut found = Vec::new();
    let compared: Result<(), Incomparable> = join(0, left.reader(), right.reader(), |meeting| {
        found.extend(comparer.meet(0, meeting)?);
        Ok(())
    });
    if let Err(error) = compared {
        return vec![error.to_string()];
    }
    found.iter().map(in_words).collect()
}

fn pair() -> Pair {
    let side = || Side {
        columns: ["gateway", "object", "kind", "amount", "currency"].map(Column::plain).into(),
        identity: vec![0, 1],
        rules: vec![vec![0, 1]],
        fields: vec![2, 3, 4],
        ..Side::default()
    };
    let field = |name: &str| Field { name: name.to_owned(), values: None };
    let fields = ["kind", "amount", "currency"].map(field).into();
    Pair { name: "ledger and gateways".to_owned(), left: side(), right: side(), fields }
}

/// What our rows say has moved and stayed.
fn ours(rows: &Rows, gateways: &[Gateway]) -> Table {
    let mut table = Table::new();
    let kept = |payment: &&Payment| payment.status == Status::Succeeded && payment.returned_amount == 0;
    for payment in rows.payments.iter().filter(kept) {
        // Where a person said that the money came, nobody may have seen its object: the gateway's books know it. What
        // became of that later is a matter of sums.
        let unseen = object_of(rows, gateways, payment).filter(|_| payment.gateway_object.is_none());
        if unseen.is_some_and(|charge| charge.kept() == 0) {
            continue;
        }
        let object = payment.gateway_object.clone().or_else(|| unseen.map(|charge| charge.id.clone()));
        let place = (payment.gateway.clone(), object.unwrap_or_default());
        table.insert(place, ("payment", payment.captured_amount, payment.money.currency.code().to_owned()));
    }
    for refund in rows.refunds.iter().filter(|refund| refund.status == RefundStatus::Succeeded) {
        let Some(effect) = rows.effects.iter().find(|effect| effect.id == refund.effect) else { continue };
        if effect.returned.is_some() {
            continue;
        }
        let id = effect.id.to_string();
        let gateway = gateway_of(gateways, &refund.gateway);
        let unseen = gateway.and_then(|gateway| gateway.books.refunds_of(&id).next());
        let unseen = unseen.filter(|_| refund.gateway_object.is_none());
        if unseen.is_some_and(|made| !made.has_gone()) {
            continue;
        }
        let known = || unseen.map(|made| made.id.clone());
        let place = (refund.gateway.clone(), refund.gateway_object.clone().or_else(known).unwrap_or_default());
        table.insert(place, ("refund", refund.money.amount, refund.money.currency.code().to_owned()));
    }
    table
}

/// What the gateways' books say has moved and stayed: what went back is a matter of sums.
fn theirs(gateways: &[Gateway]) -> Table {
    let mut table = Table::new();
    for gateway in gateways {
        let name = gateway.profile.name().to_owned();
        for charge in gateway.books.charges.iter().filter(|charge| charge.kept() > 0) {
            let place = (name.clone(), charge.intent.clone().unwrap_or_else(|| charge.id.clone()));
            table.insert(place, ("payment", charge.captured, charge.currency.to_ascii_uppercase()));
        }
        for refund in gateway.books.refunds.iter().filter(|refund| refund.has_gone() && is_ours(refund)) {
            let place = (name.clone(), refund.id.clone());
            table.insert(place, ("refund", refund.amount, refund.currency.to_ascii_uppercase()));
        }
    }
    table
}

fn object_of<'a>(rows: &Rows, gateways: &'a [Gateway], payment: &Payment) -> Option<&'a Charge> {
    let effect = rows.effects.iter().find(|effect| effect.id == payment.effect)?;
    let charges = charges_of(&gateway_of(gateways, &payment.gateway)?.books, effect);
    charges.into_iter().find(|charge| charge.has_come())
}

fn is_ours(refund: &crate::gateway::books::Refund) -> bool {
    refund.metadata.contains_key("effect_id")
}

fn run(pair: &Pair, which: Which, table: &Table) -> Run {
    let mut encoder = Encoder::new(pair, which);
    let mut run = Run::new(0);
    let mut record = Vec::new();
    for ((gateway, object), (kind, amount, currency)) in table {
        record.clear();
        let row = [
            Value::text(gateway),
            Value::text(object),
            Value::text(kind),
            Value::integer(*amount),
            Value::text(currency),
        ];
        // Nothing is transformed, so that nothing can fail.
        if encoder.encode(&row, &mut record).is_ok() {
            run.push(Record::new(&record));
        }
    }
    run.sort();
    run
}

fn in_words(finding: &Finding) -> String {
    let words = |seen: &[quittance_core::pair::compare::Seen]| {
        let record = seen.first().map(|seen| Record::new(&seen.record));
        record.map_or_else(
            || "nothing".to_owned(),
            |record| {
                let fields = quittance_core::pair::row::decode_fields(record);
                let identity = quittance_core::pair::row::decode_identity(record);
                let said: Vec<Value<'_>> =
                    identity.into_iter().chain(fields.into_iter().map(|field| field.said)).collect();
                shown(said.iter())
            },
        )
    };
    let kind = match finding.kind {
        Kind::Different => "differ",
        Kind::LeftOnly => "are in the ledger alone",
        Kind::RightOnly => "are at the gateway alone",
        Kind::Ambiguous => "cannot be told apart",
    };
    format!("{} and {} {kind}", words(&finding.left), words(&finding.right))
}
