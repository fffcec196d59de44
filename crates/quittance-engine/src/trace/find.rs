//! From an id of any kind to what it leads to. Every search goes through a key or an index, and is bounded.

mod at_gateway;

use super::STORIES_MAX;
use quittance_core::customer::Customer;
use quittance_core::dispute::Dispute;
use quittance_core::effect::Effect;
use quittance_core::id::{
    CommandId, CorrelationId, CustomerId, DisputeId, EffectId, HoldId, PaymentId, RefundId, TenantId,
};
use quittance_core::idempotency::{Command, Key};
use quittance_core::payment::Payment;
use quittance_core::refund::Refund;
use quittance_core::tenant::Tenant;
use quittance_store::records::{Corrupt, Entity, KeyEntry};
use quittance_store::schema::{Index, Table};
use quittance_store::store::{Reader, Scan, StoreError};
use quittance_store::tables::{CUSTOMERS, DISPUTES, EFFECTS, PAYMENTS, REFUNDS, TENANTS};
use quittance_store::value::{Row, Value};
use std::collections::BTreeMap;

/// Tenants, gateways and endpoints that are tried at most for an id that does not say where it belongs.
const PLACES_MAX: usize = 1_000;

/// Longest id that is looked for, in bytes: no reference, key or gateway's id is longer.
const ID_BYTES_MAX: usize = 255;

/// What an id leads to.
pub(super) enum Subject {
    Payment(Box<Payment>),
    /// A command that made neither payment nor refund.
    Command(Box<Command>),
}

/// Subjects, the oldest first, and what the id was recognised as.
pub(super) struct Found {
    pub(super) recognised_as: &'static str,
    pub(super) subjects: Vec<Subject>,
}

/// A way to look for an id.
type Search<'a> = fn(&mut Finder<'a>, &str) -> Result<(), StoreError>;

/// All of them, in the order they are tried. An id of ours is what it says it is; another text may be anything, and the
/// first search that finds something has it.
const fn searches<'a>() -> [(&'static str, Search<'a>); 12] {
    [
        ("payment", Finder::payment_id),
        ("refund", Finder::refund_id),
        ("dispute", Finder::dispute_id),
        ("command", Finder::command_id),
        ("effect", Finder::effect_id),
        ("customer", Finder::customer_id),
        ("gateway object", Finder::gateway_object),
        ("gateway event", Finder::gateway_event),
        ("reference", Finder::reference),
        ("idempotency key", Finder::idempotency_key),
        ("customer", Finder::external_id),
        ("hold", Finder::hold_id),
    ]
}

/// Looks for an id.
pub(super) fn find(reader: &mut dyn Reader, only: Option<TenantId>, id: &str) -> Result<Option<Found>, StoreError> {
    if id.is_empty() || id.len() > ID_BYTES_MAX {
        return Ok(None);
    }
    let tenants = match only {
        Some(tenant) => vec![tenant],
        None => all_tenants(reader)?,
    };
    let mut finder = Finder { reader, tenants, payments: BTreeMap::new(), commands: BTreeMap::new() };
    for (recognised_as, search) in searches() {
        search(&mut finder, id)?;
        if !finder.payments.is_empty() || !finder.commands.is_empty() {
            let payments = finder.payments.into_values().map(|payment| Subject::Payment(Box::new(payment)));
            let commands = finder.commands.into_values().map(|command| Subject::Command(Box::new(command)));
            return Ok(Some(Found { recognised_as, subjects: commands.chain(payments).collect() }));
        }
    }
    Ok(None)
}

fn all_tenants(reader: &mut dyn Reader) -> Result<Vec<TenantId>, StoreError> {
    let rows = reader.scan(&Scan::forward(&TENANTS, Vec::new(), PLACES_MAX))?;
    rows.iter().map(|row| read::<Tenant>(row).map(|tenant| tenant.id)).collect()
}

/// The entity of a row.
pub(super) fn read<T: Entity>(row: &Row) -> Result<T, StoreError> {
    T::from_row(row)
        .map_err(|error: Corrupt| StoreError::Corrupt { place: error.table.to_owned(), what: error.to_string() })
}

/// The entity with a key, if there is one.
pub(super) fn get<T: Entity>(reader: &mut dyn Reader, key: Vec<Value>) -> Result<Option<T>, StoreError> {
    let row = reader.get_many(T::table(), std::slice::from_ref(&key))?.pop().flatten();
    row.as_ref().map(read).transpose()
}

/// An index that the schema declares.
pub(super) fn index(table: &'static Table, name: &str) -> &'static Index {
    let index = table.indexes.iter().find(|index| index.name == name);
    index.unwrap_or_else(|| panic!("table {} declares no index {name}", table.name))
}

struct Finder<'a> {
    reader: &'a mut dyn Reader,
    /// Whose data may be seen.
    tenants: Vec<TenantId>,
    payments: BTreeMap<PaymentId, Payment>,
    commands: BTreeMap<CommandId, Command>,
}

impl Finder<'_> {
    fn payment_id(&mut self, text: &str) -> Result<(), StoreError> {
        text.parse().map_or(Ok(()), |id| self.add_payment(id))
    }

    fn refund_id(&mut self, text: &str) -> Result<(), StoreError> {
        text.parse().map_or(Ok(()), |id| self.add_refund(id).map(|_| ()))
    }

    fn dispute_id(&mut self, text: &str) -> Result<(), StoreError> {
        text.parse().map_or(Ok(()), |id| self.add_dispute(id))
    }

    /// A hold carries the number of its payment or refund.
    fn hold_id(&mut self, text: &str) -> Result<(), StoreError> {
        let Ok(id) = text.parse::<HoldId>() else { return Ok(()) };
        self.add_payment(PaymentId::from_uuid(id.uuid()))?;
        self.add_refund(RefundId::from_uuid(id.uuid())).map(|_| ())
    }

    /// A correlation id carries the number of its command.
    fn command_id(&mut self, text: &str) -> Result<(), StoreError> {
        let correlation = text.parse::<CorrelationId>().map(|id| CommandId::from_uuid(id.uuid()));
        text.parse().or(correlation).map_or(Ok(()), |id| self.add_command(id))
    }

    fn effect_id(&mut self, text: &str) -> Result<(), StoreError> {
        let Ok(id) = text.parse::<EffectId>() else { return Ok(()) };
        for tenant in self.tenants.clone() {
            let prefix = vec![tenant.bytes().into(), id.bytes().into()];
            for row in self.page(&EFFECTS, "effects_by_tenant", prefix)? {
                let payment = read::<Effect>(&row)?.payment;
                self.add_payment(payment)?;
            }
        }
        Ok(())
    }

    fn customer_id(&mut self, text: &str) -> Result<(), StoreError> {
        let Ok(id) = text.parse::<CustomerId>() else { return Ok(()) };
        match get::<Customer>(self.reader, vec![id.bytes().into()])? {
            Some(customer) if self.tenants.contains(&customer.tenant) => self.add_payments_of(id),
            _ => Ok(()),
        }
    }

    fn external_id(&mut self, text: &str) -> Result<(), StoreError> {
        for tenant in self.tenants.clone() {
            let prefix = vec![tenant.bytes().into(), text.into()];
            for row in self.page(&CUSTOMERS, "customers_by_external_id", prefix)? {
                let customer = read::<Customer>(&row)?;
                self.add_payments_of(customer.id)?;
            }
        }
        Ok(())
    }

    fn reference(&mut self, text: &str) -> Result<(), StoreError> {
        for tenant in self.tenants.clone() {
            for payment in self.payments_by_reference(tenant, text)? {
                self.payments.insert(payment.id, payment);
            }
            for row in self.page(&REFUNDS, "refunds_by_reference", vec![tenant.bytes().into(), text.into()])? {
                let refund = read::<Refund>(&row)?;
                self.add_payment(refund.payment)?;
            }
        }
        Ok(())
    }

    fn idempotency_key(&mut self, text: &str) -> Result<(), StoreError> {
        let Ok(key) = Key::parse(text) else { return Ok(()) };
        for tenant in self.tenants.clone() {
            if let Some(entry) = get::<KeyEntry>(self.reader, vec![tenant.bytes().into(), key.digest().into()])? {
                self.add_command(entry.command)?;
            }
        }
        Ok(())
    }

    fn payments_by_reference(&mut self, tenant: TenantId, reference: &str) -> Result<Vec<Payment>, StoreError> {
        let prefix = vec![tenant.bytes().into(), reference.into()];
        self.page(&PAYMENTS, "payments_by_reference", prefix)?.iter().map(read).collect()
    }

    fn add_payment(&mut self, id: PaymentId) -> Result<(), StoreError> {
        for tenant in self.tenants.clone() {
            let prefix = vec![tenant.bytes().into(), id.bytes().into()];
            for row in self.page(&PAYMENTS, "payments_by_tenant", prefix)? {
                self.payments.insert(id, read(&row)?);
            }
        }
        Ok(())
    }

    /// The payment of a refund; gives the refund, if it may be seen.
    fn add_refund(&mut self, id: RefundId) -> Result<Option<Refund>, StoreError> {
        let mut found = None;
        for tenant in self.tenants.clone() {
            let prefix = vec![tenant.bytes().into(), id.bytes().into()];
            for row in self.page(&REFUNDS, "refunds_by_tenant", prefix)? {
                let refund = read::<Refund>(&row)?;
                self.add_payment(refund.payment)?;
                found = Some(refund);
            }
        }
        Ok(found)
    }

    fn add_dispute(&mut self, id: DisputeId) -> Result<(), StoreError> {
        for tenant in self.tenants.clone() {
            let prefix = vec![tenant.bytes().into(), id.bytes().into()];
            for row in self.page(&DISPUTES, "disputes_by_tenant", prefix)? {
                let dispute = read::<Dispute>(&row)?;
                self.add_payment(dispute.payment)?;
            }
        }
        Ok(())
    }

    /// The payments of a customer. One without any leads to nothing: which command created it is stored nowhere.
    fn add_payments_of(&mut self, customer: CustomerId) -> Result<(), StoreError> {
        let scan = Scan::forward(&PAYMENTS, vec![customer.bytes().into()], STORIES_MAX + 1);
        for row in self.reader.scan(&scan)? {
            let payment = read::<Payment>(&row)?;
            self.payments.insert(payment.id, payment);
        }
        Ok(())
    }

    fn add_command(&mut self, id: CommandId) -> Result<(), StoreError> {
        let command = get::<Command>(self.reader, vec![id.bytes().into()])?;
        let Some(command) = command.filter(|command| self.tenants.contains(&command.tenant)) else { return Ok(()) };
        let subject = command.subject.as_deref().unwrap_or_default();
        if let Ok(payment) = subject.parse() {
            self.add_payment(payment)?;
        }
        let mut has_made = self.payments.values().any(|payment| payment.command == id);
        if let Ok(refund) = subject.parse() {
            has_made |= self.add_refund(refund)?.is_some_and(|refund| refund.command == id);
        }
        if let Ok(dispute) = subject.parse() {
            self.add_dispute(dispute)?;
        }
        // A command that made neither payment nor refund has a story of its own.
        if !has_made {
            self.commands.insert(id, command);
        }
        Ok(())
    }

    fn page(&mut self, table: &'static Table, name: &str, prefix: Vec<Value>) -> Result<Vec<Row>, StoreError> {
        let page = Scan { index: Some(index(table, name)), ..Scan::forward(table, prefix, STORIES_MAX + 1) };
        self.reader.scan(&page)
    }
}
