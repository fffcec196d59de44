//! Recovery after a restore: what was done since the backup is found out before anything is sent.
//!
//! Whoever restores a backup writes down when it was taken ([`begin_recovery`]). The next start holds back, at every
//! configured gateway, whatever is sent, and has its lists swept from an hour before the backup on; reads go on. A gateway
//! goes on by itself when its sweeps are complete and each object that they found was looked at, or when a person says so.
//! So it is when the database went back, as a replica does that was behind. Owns when it begins and ends. Does not own the sweeps, nor what an object that nobody knows means.

use crate::gateways::{Gateway, Gateways};
use quittance_core::effect::{Class, Subject, safe_wait_ms};
use quittance_core::fact::ObjectKind;
use quittance_core::id::RefundId;
use quittance_core::time::Timestamp;
use quittance_store::records::{Corrupt, Entity, GatewayObject, ObjectState, Sweep, Switch};
use quittance_store::store::{Change, Loaded, Read, Scan, Store, StoreError, Work};
use quittance_store::tables::GATEWAY_OBJECTS;

/// How far before the backup the sweeps begin, in seconds: what was under way when it was taken is in it by halves.
pub const BEFORE_S: i64 = 3_600;

/// Objects that are looked at in one scan.
const PAGE: usize = 1_000;

/// An object that a sweep found and nobody has looked at is due within this time, in milliseconds: at once, when its lease
/// ends, or when its gateway takes reads again.
const UNREAD_MS: u64 = 3_600_000;

/// Why a gateway is in recovery, for people.
const REASON: &str =
    "records were lost, by a restore or a failover: nothing is sent until what was done since is found out";

/// Who holds it back, and who lets it go on.
const RESTORE: &str = "restore";
const FAILOVER: &str = "failover";
const SWEEPS: &str = "sweeps";

/// Writes down that a store was restored from a backup taken at `taken_at`, by the clock of that time. To be called before
/// anything else is done with the store; the next start of an engine on it recovers.
///
/// # Errors
///
/// [`StoreError`]; nothing may be started on the store then.
pub fn begin_recovery(store: &mut dyn Store, taken_at: Timestamp) -> Result<(), StoreError> {
    write(store, vec![upsert(&restored(taken_at))])
}

/// What says that books were restored from a backup taken at `taken_at`, for whoever writes it together with them.
#[must_use]
pub fn restored(taken_at: Timestamp) -> Switch {
    let (name, by) = (Switch::RESTORED.to_owned(), RESTORE.to_owned());
    Switch { name, is_paused: false, reason: None, by, changed_at: taken_at }
}

/// Holds back every configured gateway that has not been recovered since the newest restore, and has it swept.
pub(crate) fn prepare(store: &mut dyn Store, gateways: &Gateways, now: Timestamp) -> Result<(), StoreError> {
    let Some(restored) = get::<Switch>(store, vec![Switch::RESTORED.into()])? else { return Ok(()) };
    let begun = (&*restored.by, restored.changed_at);
    // The row is there from the first start after the restore on; it says by what it was lifted.
    let changes = holding(store, gateways, begun, now, |known| known.changed_at >= restored.changed_at)?;
    if changes.is_empty() { Ok(()) } else { write(store, changes) }
}

/// The same at once, where whatever was committed after `since` was lost with a server.
pub(crate) fn begin_after_loss(
    store: &mut dyn Store,
    gateways: &Gateways,
    (since, now): (Timestamp, Timestamp),
) -> Result<(), StoreError> {
    let known = get::<Switch>(store, vec![Switch::RESTORED.into()])?.map(|known| known.changed_at);
    // What another process lost, or a later restore, may be known already.
    let since = known.map_or(since, |known| known.max(since));
    // One that is over says nothing of what was committed after its end, and lost since: whoever lost it may have committed
    // nothing for longer than that took.
    let is_under_way = |known: &Switch| known.is_paused && known.changed_at >= since;
    let mut changes = holding(store, gateways, (FAILOVER, since), now, is_under_way)?;
    changes.push(upsert(&Switch { by: FAILOVER.to_owned(), ..restored(since) }));
    write(store, changes)
}

/// What holds back gateways but those whose recovery will do, and has them swept.
fn holding(
    store: &mut dyn Store,
    gateways: &Gateways,
    (by, taken_at): (&str, Timestamp),
    now: Timestamp,
    will_do: impl Fn(&Switch) -> bool,
) -> Result<Vec<Change>, StoreError> {
    let mut changes = Vec::new();
    for (name, gateway) in &gateways.0 {
        let switch = Switch {
            name: Switch::recovery_of(name),
            is_paused: true,
            reason: Some(REASON.to_owned()),
            by: by.to_owned(),
            // Recovery begins now, and after what it repairs by any clock.
            changed_at: now.max(taken_at),
        };
        let place = vec![switch.name.as_str().into()];
        if get::<Switch>(store, place)?.is_some_and(|known| will_do(&known)) {
            continue;
        }
        tracing::warn!(gateway = name, "{REASON}");
        changes.push(upsert(&switch));
        for list in lists_of(gateway) {
            let fresh = Sweep::new(name.clone(), list.to_owned());
            let known = get::<Sweep>(store, fresh.key())?.unwrap_or(fresh);
            changes.push(upsert(&from_backup(known, taken_at)));
        }
    }
    Ok(changes)
}

/// The sweep that sees whatever was done since the backup. When the log of events was last complete stays known, for it tells
/// whether the log reaches back so far.
fn from_backup(sweep: Sweep, taken_at: Timestamp) -> Sweep {
    let from = taken_at.seconds() - BEFORE_S;
    let cursor = Some(sweep.cursor.map_or(from, |cursor| cursor.min(from)));
    let completed_at = sweep.completed_at.filter(|_| sweep.sweep == Sweep::EVENTS);
    Sweep { cursor, completed_at, started_at: None, resume_after: None, ..sweep }
}

/// Lets a gateway go on whose sweeps are complete: its switch, released.
pub(crate) fn ended(
    store: &mut dyn Store,
    (name, gateway): (&str, &Gateway),
    now: Timestamp,
) -> Result<Option<Switch>, StoreError> {
    let Some(switch) = get::<Switch>(store, vec![Switch::recovery_of(name).into()])? else { return Ok(None) };
    for list in lists_of(gateway) {
        let place = Sweep::new(name.to_owned(), list.to_owned()).key();
        let settled_at = settled_at(gateway, list, switch.changed_at);
        if !get::<Sweep>(store, place)?.is_some_and(|sweep| is_complete(&sweep, settled_at)) {
            return Ok(None);
        }
    }
    if has_unread(store, name, now)? {
        return Ok(None);
    }
    let reason = Some("the sweeps from before the backup on are complete".to_owned());
    Ok(Some(Switch { is_paused: false, reason, by: SWEEPS.to_owned(), ..switch }))
}

/// When nothing that a process which is gone had sent before can come any more, so that a list shows it. What makes an object
/// that is inert may come late: it charges nobody.
fn settled_at(gateway: &Gateway, list: &str, begun_at: Timestamp) -> Timestamp {
    let pays_at_once = gateway.class(Subject::Payment).is_some_and(|class| class != Class::P);
    match list == ObjectKind::Payment.name() && pays_at_once {
        true => begun_at.plus_ms(safe_wait_ms(gateway.policy.payments.quiescence_ms)),
        false => Timestamp(i64::MIN),
    }
}

/// Whether a sweep that began after the restore, and not before that time, has come to its end.
fn is_complete(sweep: &Sweep, settled_at: Timestamp) -> bool {
    let is_late_enough = |begin: Timestamp| begin >= settled_at;
    let is_done =
        sweep.completed_at.zip(sweep.started_at).is_some_and(|(end, begin)| end >= begin && is_late_enough(begin));
    is_done && sweep.resume_after.is_none() && !sweep.is_full
}

/// Whether any object that was listed still has to be looked at.
fn has_unread(store: &mut dyn Store, gateway: &str, now: Timestamp) -> Result<bool, StoreError> {
    let until = Some(vec![now.plus_ms(UNREAD_MS).0.into()]);
    let scan = Scan::forward(&GATEWAY_OBJECTS, vec![gateway.into()], PAGE);
    let rows = store.scan(&Scan { index: Some(GATEWAY_OBJECTS.due_index()), until, ..scan })?;
    // Where more is due than one scan shows, not all of it was looked at.
    let is_more = rows.len() == PAGE;
    let is_unread = |object: &GatewayObject| object.state == ObjectState::Unread && object.last_read_at.is_none();
    Ok(is_more || rows.iter().filter_map(|row| GatewayObject::from_row(row).ok()).any(|object| is_unread(&object)))
}

/// The lists of a gateway that are swept regularly, as their rows name them.
fn lists_of(gateway: &Gateway) -> impl Iterator<Item = &'static str> {
    let connector = &gateway.connector;
    let refund = Subject::Refund(RefundId::from_bytes([0; 16]));
    let events = connector.events(0, None, 1).map(|_| Sweep::EVENTS);
    let payments = connector.capability(Subject::Payment).map(|_| ObjectKind::Payment.name());
    let refunds = connector.capability(refund).map(|_| ObjectKind::Refund.name());
    events.into_iter().chain(payments).chain(refunds)
}

fn get<E: Entity>(store: &mut dyn Store, place: Vec<quittance_store::value::Value>) -> Result<Option<E>, StoreError> {
    let corrupt = |Corrupt { table, column, what }| {
        let place = format!("{table}, column {column}");
        StoreError::Corrupt { place, what }
    };
    let row = store.get_many(E::table(), &[place])?.pop().flatten();
    row.map(|row| E::from_row(&row).map_err(corrupt)).transpose()
}

fn upsert<E: Entity>(entity: &E) -> Change {
    Change::Upsert { table: E::table(), row: entity.to_row() }
}

fn write(store: &mut dyn Store, changes: Vec<Change>) -> Result<(), StoreError> {
    store.transact("recovery", &mut Put(changes))
}

/// Writes rows as they are.
struct Put(Vec<Change>);

impl Work for Put {
    fn reads(&mut self, _: &Loaded) -> Vec<Read> {
        Vec::new()
    }

    fn decide(&mut self, _: &Loaded) -> Result<Vec<Change>, String> {
        Ok(self.0.clone())
    }
}
