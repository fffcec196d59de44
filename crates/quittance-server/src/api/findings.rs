//! Discrepancies of pairs: what comparisons found, from run to run. For keys of scope `admin`.

use super::cursor::List;
use super::query::Parameters;
use super::rows::{self, EXAMINED_MAX};
use crate::problem::Problem;
use crate::render::{self, ListView, time};
use crate::runtime::Handle;
use axum::response::Response;
use quittance_core::id::DiscrepancyId;
use quittance_core::tenant::Tenant;
use quittance_core::time::Timestamp;
use quittance_store::records::{
    Discrepancy, DiscrepancyKind, FindingAction, FindingState, PairFinding, Repair, RepairPlan, RepairRun, RepairState,
    decode_plan,
};
use quittance_store::store::{Direction, Reader, Scan, StoreError};
use quittance_store::tables::{ACTIONS, FINDINGS, REPAIRS};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// Rows fetched at a time.
const CHUNK: usize = 200;

/// Repairs of one record, and decisions about it, that are shown at most.
const SHOWN_MAX: usize = 100;

/// Kinds of disagreements.
pub(crate) const KINDS: [&str; 4] = ["different", "left_only", "right_only", "ambiguous"];

/// Query parameters of the list.
pub(crate) const PARAMETERS: [&str; 9] =
    ["source", "pair", "status", "kind", "key", "created_after", "created_before", "limit", "cursor"];

/// A discrepancy of a pair, as it is answered.
#[derive(Serialize)]
pub(super) struct FindingView {
    id: String,
    object: &'static str,
    source: &'static str,
    kind: String,
    status: &'static str,
    pair: String,
    key: String,
    differences: Vec<Value>,
    left_time: Value,
    right_time: Value,
    first_seen_at: String,
    opened_at: String,
    last_seen_at: String,
    closed_at: Option<String>,
    run: String,
    repair: Option<String>,
    ignored_by: Option<String>,
    ignored_reason: Option<String>,
}

/// The same, with what was done about it.
#[derive(Serialize)]
struct DetailView {
    #[serde(flatten)]
    finding: FindingView,
    repairs: Vec<RepairView>,
    decisions: Vec<DecisionView>,
}

#[derive(Serialize)]
struct RepairView {
    id: String,
    run: String,
    state: &'static str,
    side: String,
    set: BTreeMap<String, Value>,
    expected: BTreeMap<String, Value>,
    takes_away: bool,
    by: Option<String>,
    changed_at: String,
    detail: Option<String>,
}

#[derive(Serialize)]
struct DecisionView {
    action: String,
    by: String,
    at: String,
    reason: String,
    run: Option<String>,
}

impl FindingView {
    pub(super) fn of(one: PairFinding) -> Self {
        let lines: Vec<Value> = serde_json::from_str(&one.told).unwrap_or_default();
        let of_first = |name: &str| lines.first().map_or(Value::Null, |line| line[name].clone());
        let (left_time, right_time) = (of_first("left_time"), of_first("right_time"));
        Self {
            id: one.id.to_string(),
            object: "discrepancy",
            source: "pair",
            kind: one.kind,
            status: one.state.name(),
            pair: one.pair,
            key: one.key,
            differences: lines.into_iter().map(difference).collect(),
            left_time,
            right_time,
            first_seen_at: time(one.first_seen_at),
            opened_at: time(one.opened_at),
            last_seen_at: time(one.last_seen_at),
            closed_at: one.closed_at.map(time),
            run: one.run.to_string(),
            repair: one.repair.map(|(run, no)| format!("{run}/{no}")),
            ignored_by: one.ignored_by,
            ignored_reason: one.ignored_reason,
        }
    }
}

/// One field side by side; all of a record where the other side has none.
fn difference(mut line: Value) -> Value {
    let mut take = |name: &str| line.get_mut(name).map(Value::take).unwrap_or_default();
    serde_json::json!({
        "field": take("field"), "left": take("left"), "right": take("right"), "left_records": take("left_records"),
        "right_records": take("right_records"), "event_seen": take("event_seen"),
    })
}

/// How a discrepancy is to stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    Open,
    Closed,
    /// One of a pair, just so.
    Is(FindingState),
}

/// Words for how one may stand: of either source, and those of pairs alone.
pub(crate) fn standings() -> impl Iterator<Item = &'static str> {
    ["open", "closed"].into_iter().chain(FindingState::ALL.map(FindingState::name))
}

/// Every kind: those of gateways, and those of pairs.
pub(crate) fn kinds() -> impl Iterator<Item = &'static str> {
    DiscrepancyKind::ALL.map(DiscrepancyKind::name).into_iter().chain(KINDS)
}

/// What is wanted of a list. What only the other source has fits nothing.
pub(super) struct Wanted {
    pair: Option<String>,
    key: Option<String>,
    kind: Option<String>,
    standing: Option<Standing>,
    after: Option<Timestamp>,
    before: Option<Timestamp>,
}

impl Wanted {
    pub(super) fn of(parameters: &Parameters) -> Result<Self, Problem> {
        let text = |name: &str| parameters.text(name).map(str::to_owned);
        let words = |words: Vec<&str>| format!("one of {}", words.join(", "));
        Ok(Self {
            pair: text("pair"),
            key: text("key"),
            kind: parameters.parsed("kind", &words(kinds().collect()), |word| {
                kinds().any(|kind| kind == word).then(|| word.to_owned())
            })?,
            standing: parameters.parsed("status", &words(standings().collect()), |word| match word {
                "open" => Some(Standing::Open),
                "closed" => Some(Standing::Closed),
                word => FindingState::named(word).map(Standing::Is),
            })?,
            after: parameters.time("created_after")?,
            before: parameters.time("created_before")?,
        })
    }

    /// Whether one of a gateway is wanted.
    pub(super) fn is_of_gateway(&self, one: &Discrepancy) -> bool {
        let stands = self.standing.is_none_or(|standing| match standing {
            Standing::Open => one.closed_at.is_none(),
            Standing::Closed => one.closed_at.is_some(),
            Standing::Is(_) => false,
        });
        stands
            && self.pair.is_none()
            && self.key.is_none()
            && self.kind.as_ref().is_none_or(|kind| kind == one.kind.name())
            && self.is_within(one.opened_at)
    }

    fn is_within(&self, at: Timestamp) -> bool {
        self.after.is_none_or(|after| at > after) && self.before.is_none_or(|before| at < before)
    }

    fn is(&self, one: &PairFinding) -> bool {
        self.pair.as_ref().is_none_or(|pair| *pair == one.pair)
            && self.key.as_ref().is_none_or(|key| *key == one.key)
            && self.kind.as_ref().is_none_or(|kind| *kind == one.kind)
            && self.standing.is_none_or(|standing| match standing {
                Standing::Open => one.state != FindingState::Resolved,
                Standing::Closed => one.state == FindingState::Resolved,
                Standing::Is(state) => one.state == state,
            })
            && self.is_within(one.first_seen_at)
    }

    fn scan(&self, below: Option<[u8; 16]>) -> Scan {
        let scan = match (&self.pair, self.standing) {
            (Some(pair), Some(Standing::Is(state))) => {
                let scan = Scan::forward(&FINDINGS, vec![pair.as_str().into(), state.name().into()], CHUNK);
                Scan { index: Some(&FINDINGS.indexes[1]), ..scan }
            }
            _ => Scan { index: Some(&FINDINGS.indexes[0]), ..Scan::forward(&FINDINGS, Vec::new(), CHUNK) },
        };
        Scan { after: below.map(|id| vec![id.into()]), direction: Direction::Backward, ..scan }
    }
}

/// The discrepancies of pairs, newest first.
pub(crate) async fn page(
    handle: &Handle,
    tenant: &Tenant,
    parameters: &Parameters,
) -> Result<ListView<PairFinding>, Problem> {
    let cursors = List::new("findings", tenant.id, &parameters.filters());
    let wanted = Wanted::of(parameters)?;
    let (below, limit) = (cursors.fixed_position::<16>(parameters.text("cursor"))?, parameters.limit()?);
    let (found, next) = handle.read_drift(move |reader| read(reader, &wanted, below, limit)).await?;
    Ok(ListView { data: found, has_more: next.is_some(), next_cursor: next.map(|position| cursors.cursor(&position)) })
}

/// One page, and the last id that was looked at where there may be more.
type Page = (Vec<PairFinding>, Option<[u8; 16]>);

fn read(reader: &mut dyn Reader, wanted: &Wanted, below: Option<[u8; 16]>, limit: usize) -> Result<Page, StoreError> {
    let mut scan = wanted.scan(below);
    let (mut found, mut examined, mut last) = (Vec::new(), 0, None);
    loop {
        let rows: Vec<PairFinding> = rows::page(reader, &scan)?;
        let is_end = rows.len() < CHUNK;
        for one in rows {
            if examined == EXAMINED_MAX || found.len() == limit {
                return Ok((found, last));
            }
            examined += 1;
            last = Some(one.id.bytes());
            if wanted.is(&one) {
                found.push(one);
            }
        }
        if is_end {
            return Ok((found, None));
        }
        scan.after = last.map(|id| vec![id.into()]);
    }
}

/// The finding of an id.
pub(crate) fn find(reader: &mut dyn Reader, id: DiscrepancyId) -> Result<Option<PairFinding>, StoreError> {
    rows::unique(reader, &FINDINGS.indexes[0], vec![id.bytes().into()])
}

/// A discrepancy of a pair with all that was done about it.
pub(crate) struct Detail {
    pub(crate) finding: PairFinding,
    /// The newest first.
    pub(crate) repairs: Vec<Made>,
    /// The newest first.
    pub(crate) decisions: Vec<FindingAction>,
}

/// A repair of a discrepancy's record, as it was planned, and who asked for its run.
pub(crate) struct Made {
    pub(crate) repair: Repair,
    pub(crate) plan: RepairPlan,
    pub(crate) by: Option<String>,
}

/// The discrepancy of an id with all that was done about it; none where there is none of this id.
pub(crate) async fn detail(handle: &Handle, id: DiscrepancyId) -> Result<Option<Detail>, Problem> {
    let read = handle.read_drift(move |reader| {
        let Some(finding) = find(reader, id)? else { return Ok(None) };
        let repairs = repairs(reader, &finding)?;
        let scan = Scan::forward(&ACTIONS, vec![id.bytes().into()], SHOWN_MAX);
        let scan = Scan { index: Some(&ACTIONS.indexes[0]), direction: Direction::Backward, ..scan };
        Ok(Some(Detail { finding, repairs, decisions: rows::page(reader, &scan)? }))
    });
    Ok(read.await?)
}

impl Detail {
    /// 200 with it.
    pub(super) fn answer(self) -> Response {
        let decision = |one: FindingAction| DecisionView {
            action: one.action,
            by: one.by,
            at: time(one.at),
            reason: one.reason,
            run: one.run.map(|run| run.to_string()),
        };
        render::ok(&DetailView {
            finding: FindingView::of(self.finding),
            repairs: self.repairs.into_iter().map(RepairView::of).collect(),
            decisions: self.decisions.into_iter().map(decision).collect(),
        })
    }
}

/// The repairs of a finding's records, the newest first: of both where both were written at once.
fn repairs(reader: &mut dyn Reader, finding: &PairFinding) -> Result<Vec<Made>, StoreError> {
    let repaired: Option<Repair> = match finding.repair {
        Some((run, no)) => rows::get(reader, vec![run.bytes().into(), no.into()])?,
        None => None,
    };
    let known = match repaired {
        Some(repair) => Some(repair),
        None => waiting(reader, finding)?,
    };
    let Some(known) = known else { return Ok(Vec::new()) };
    let mut repairs = Vec::new();
    for record in [Some(known.record), beside(reader, &known)?].into_iter().flatten() {
        let scan = Scan::forward(&REPAIRS, vec![record.into()], SHOWN_MAX);
        let scan = Scan { index: Some(&REPAIRS.indexes[0]), direction: Direction::Backward, ..scan };
        repairs.extend(rows::page::<Repair>(reader, &scan)?);
    }
    repairs.sort_by_key(|repair| std::cmp::Reverse((repair.run.bytes(), repair.no)));
    repairs.truncate(SHOWN_MAX);
    repairs.into_iter().map(|repair| made(reader, repair)).collect()
}

/// The record of the other side, where the same run repaired it under the same key: the two stand together.
fn beside(reader: &mut dyn Reader, known: &Repair) -> Result<Option<[u8; 32]>, StoreError> {
    let key = |repair: &Repair| decode_plan(&repair.plan).ok().map(|plan| plan.key);
    for no in [known.no - 1, known.no + 1] {
        let found: Option<Repair> = rows::get(reader, vec![known.run.bytes().into(), no.into()])?;
        if let Some(other) = found.filter(|other| key(other).is_some() && key(other) == key(known)) {
            return Ok(Some(other.record).filter(|record| *record != known.record));
        }
    }
    Ok(None)
}

/// The repair of a finding's record that waits for a person, among the newest that do.
pub(crate) fn waiting(reader: &mut dyn Reader, finding: &PairFinding) -> Result<Option<Repair>, StoreError> {
    let prefix = vec![finding.pair.as_str().into(), RepairState::AwaitingApproval.name().into()];
    let scan = Scan { index: Some(&REPAIRS.indexes[1]), ..Scan::forward(&REPAIRS, prefix, EXAMINED_MAX) };
    let scan = Scan { direction: Direction::Backward, ..scan };
    let is_it = |repair: &Repair| decode_plan(&repair.plan).is_ok_and(|plan| plan.key == finding.key);
    Ok(rows::page::<Repair>(reader, &scan)?.into_iter().find(is_it))
}

fn made(reader: &mut dyn Reader, repair: Repair) -> Result<Made, StoreError> {
    let plan = decode_plan(&repair.plan)
        .map_err(|error| StoreError::Corrupt { place: "repairs, column plan".into(), what: error.to_string() })?;
    let run: Option<RepairRun> = rows::get(reader, vec![repair.run.bytes().into()])?;
    Ok(Made { repair, plan, by: run.map(|run| run.by) })
}

impl RepairView {
    fn of(Made { repair, plan, by }: Made) -> Self {
        let values = |values: &[(String, quittance_core::record::value::Value<'static>)]| {
            values.iter().map(|(name, value)| (name.clone(), crate::diff::whole_json(value))).collect()
        };
        Self {
            id: format!("{}/{}", repair.run, repair.no),
            run: repair.run.to_string(),
            state: repair.state.name(),
            set: values(&plan.set),
            expected: values(&plan.expected),
            side: plan.side,
            takes_away: plan.takes_away,
            by,
            changed_at: time(repair.changed_at),
            detail: repair.detail,
        }
    }
}
