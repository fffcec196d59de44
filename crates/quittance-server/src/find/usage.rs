//! What an application's row was used for after its subscription had ended.

use super::roles::{Role, Roles};
use super::table::{Judged, Row, read_resolved};
use super::{List, Outcome};
use crate::config::{ColumnRef, Pair};
use crate::systems::SystemError;
use quittance_core::finder::usage::{Standing, Subscription, Usage, used_after_end};

const ROLES: [Role; 5] = [
    Role { name: "id", names: &["id", "subscription_id"], places: &["id"], is_needed: true },
    Role { name: "customer", names: &["customer", "customer_id"], places: &["customer"], is_needed: false },
    Role { name: "status", names: &["status"], places: &["status"], is_needed: false },
    Role { name: "ended_at", names: &["ended_at"], places: &["ended_at"], is_needed: false },
    Role { name: "canceled_at", names: &["canceled_at", "cancelled_at"], places: &["canceled_at"], is_needed: false },
];
const ID: usize = 0;
const CUSTOMER: usize = 1;
const STATUS: usize = 2;
const ENDED_AT: usize = 3;
const CANCELED_AT: usize = 4;

/// Words for what has ended.
const ENDED: [&str; 5] = ["canceled", "cancelled", "incomplete_expired", "expired", "ended"];

/// The list of subscriptions, ended and running.
pub struct Subscriptions<'s>(
    /// The list.
    pub List<'s>,
);

/// The application's list, and how its rows belong to subscriptions.
pub struct Application<'s> {
    /// The list.
    pub list: List<'s>,
    /// The column that says when a row was used last.
    pub used_at: &'s str,
    /// The pair whose left side it is.
    pub pair: &'s Pair,
}

/// Finds rows that were used later than `window_ms` after their customer's last subscription had ended.
///
/// # Errors
///
/// [`SystemError`] when the pair matches by neither a subscription's nor a customer's id, a column is missing, there are
/// too many records, or a system cannot be read.
pub fn used_after_cancelation(
    mut subscriptions: Subscriptions<'_>,
    application: Application<'_>,
    window_ms: u64,
) -> Result<Outcome, SystemError> {
    let roles = Roles::resolve(&mut subscriptions.0, &ROLES)?;
    let links = Links::of(&roles, application.pair)?;
    let judge = |row: &Row<'_, '_>, roles: &Roles| judge_subscription(row, roles);
    let (known, ended) = read_resolved(&mut subscriptions.0, &roles, judge)?;
    let standing = Standing::new(known.into_iter());
    let Application { mut list, used_at, .. } = application;
    let (usages, used) = links.read(&mut list, used_at)?;
    let mut outcome =
        Outcome { report: used_after_end(usages.into_iter(), &standing, window_ms), ..Outcome::default() };
    outcome.note(&ended, "it has no id, or has ended and does not say when");
    outcome.note(&used, "its time of use cannot be read");
    Ok(outcome)
}

/// A subscription has ended when it says so. That it is to be canceled at the end of its period is no end yet, so the time
/// of cancelation counts only where the status says that it is over, or where nothing else could.
fn judge_subscription(row: &Row<'_, '_>, roles: &Roles) -> Judged<Subscription> {
    let Some(id) = row.text(ID) else { return Judged::Unclear };
    let status = row.text(STATUS).map(|status| status.trim().to_lowercase());
    let is_over = status.is_some_and(|status| ENDED.contains(&status.as_str()));
    let tells_only_cancelation = !roles.has(STATUS) && !roles.has(ENDED_AT);
    let ended_at = match row.moment(ENDED_AT) {
        None if is_over || tells_only_cancelation => row.moment(CANCELED_AT),
        ended_at => ended_at,
    };
    if is_over && ended_at.is_none() {
        return Judged::Unclear;
    }
    Judged::Record(Subscription { id, customer: row.text(CUSTOMER), ended_at })
}

/// Which columns of the application name a subscription, and which a customer.
struct Links<'p> {
    subscription: Option<&'p ColumnRef>,
    customer: Option<&'p ColumnRef>,
    /// What the application's rows are matched by, whatever it is.
    first: &'p ColumnRef,
}

impl<'p> Links<'p> {
    fn of(roles: &Roles, pair: &'p Pair) -> Result<Self, SystemError> {
        let names = |role: usize| roles.of(role).iter().map(|at| roles.side.columns[*at].name.as_str());
        let link = |role: usize| {
            let is_link = |(left, right): &&(Vec<ColumnRef>, Vec<ColumnRef>)| {
                left.len() == 1 && right.len() == 1 && names(role).any(|name| name == right[0].name)
            };
            pair.rules.iter().find(is_link).map(|(left, _)| &left[0])
        };
        let (subscription, customer) = (link(ID), link(CUSTOMER));
        let Some(first) = subscription.or(customer) else {
            let what = "no rule of the pair matches by the id of a subscription or of a customer";
            let remedy =
                "add { left = \"COLUMN\", right = \"id\" } or { left = \"COLUMN\", right = \"customer\" } to match";
            return Err(SystemError::configuration(what, remedy));
        };
        Ok(Self { subscription, customer, first })
    }

    fn read(&self, list: &mut List<'_>, used_at: &str) -> Result<(Vec<Usage>, super::table::Table), SystemError> {
        let identity = list.system.describe(list.object)?.identity;
        let name = match identity.as_slice() {
            [] => self.first.name.clone(),
            [first, ..] => first.clone(),
        };
        let column = |column: &ColumnRef| match &column.pointer {
            Some(pointer) => format!("{}|{pointer}", column.name),
            None => column.name.clone(),
        };
        let given = [
            ("id", Some(name)),
            ("used_at", Some(used_at.to_owned())),
            ("subscription", self.subscription.map(column)),
            ("customer", self.customer.map(column)),
        ];
        list.columns = given.into_iter().filter_map(|(role, name)| Some((role.to_owned(), name?))).collect();
        let role = |name| Role { name, names: &[], places: &[], is_needed: false };
        let roles = ["id", "used_at", "subscription", "customer"].map(role);
        let roles = Roles::resolve(list, &roles)?;
        read_resolved(list, &roles, |row, _| {
            let used_at = row.value(1);
            if used_at.is_nothing() {
                return Judged::Beside;
            }
            let (Some(id), Some(used_at)) = (row.text(0), row.moment(1)) else { return Judged::Unclear };
            Judged::Record(Usage { id, subscription: row.text(2), customer: row.text(3), used_at })
        })
    }
}
