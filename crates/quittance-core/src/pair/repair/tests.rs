//! Rules as tables: two records, who is believed, and what is written where.

use super::{Authority, Decision, FieldPolicy, MergeAs, Withheld};
use crate::pair::compare::{Finding, Kind, Seen};
use crate::pair::digest::RecordHash;
use crate::pair::row::Encoder;
use crate::pair::transform::Transform;
use crate::pair::value_map::{Unmapped, ValueMap};
use crate::pair::{Column, Field, Pair, Side, Which};
use crate::record::value::Value;
use crate::time::Timestamp;
use proptest::prelude::*;

/// An account: its number, its status, its plan, and when it was changed.
type Row = (i64, Value<'static>, Value<'static>, Option<i64>);

/// Decides later than any record was changed.
fn decide(pair: &Pair, policies: &[FieldPolicy], finding: &Finding, base: &[Option<Value<'static>>]) -> Decision {
    super::decide(pair, policies, finding, base, Timestamp::from_seconds(1_800_000_000))
}

fn side() -> Side {
    let columns = ["id", "status", "plan", "updated_at"].map(Column::plain).to_vec();
    Side { columns, identity: vec![0], rules: vec![vec![0]], fields: vec![1, 2], modified: Some(3), ..Side::default() }
}

fn pair() -> Pair {
    let mut map = ValueMap::new(Unmapped::Different);
    map.add("active", &["active".to_owned(), "trialing".to_owned()]).expect("new words");
    map.add("cancelled", &["canceled".to_owned()]).expect("new words");
    let field = |name: &str, values| Field { name: name.to_owned(), values };
    let fields = vec![field("status", Some(map)), field("plan", None)];
    Pair { name: "accounts".to_owned(), left: side(), right: side(), fields }
}

/// The same without a map.
fn plain() -> Pair {
    let mut pair = pair();
    pair.fields[0].values = None;
    pair
}

fn seen(pair: &Pair, which: Which, row: &Row) -> Seen {
    let at = row.3.map_or(Value::Null, |second| Value::Timestamp(Timestamp::from_seconds(second)));
    let values = [Value::integer(row.0), row.1.clone(), row.2.clone(), at];
    let mut record = Vec::new();
    Encoder::new(pair, which).encode(&values, &mut record).expect("values that can be compared");
    Seen { record, hash: RecordHash(0) }
}

fn finding(pair: &Pair, left: &Row, right: &Row) -> Finding {
    let (left, right) = (seen(pair, Which::Left, left), seen(pair, Which::Right, right));
    Finding {
        kind: Kind::Different,
        rule: 0,
        key: None,
        left: vec![left],
        right: vec![right],
        left_count: 1,
        right_count: 1,
    }
}

fn policy(authority: Authority) -> FieldPolicy {
    let takes_away = ["cancelled".to_owned(), "canceled".to_owned()].into();
    FieldPolicy { authority, takes_away, ..FieldPolicy::default() }
}

fn account(status: &'static str, plan: &'static str, at: Option<i64>) -> Row {
    (7, Value::text(status), Value::text(plan), at)
}

/// What is written: the side, and the new words by their fields.
fn written(decision: &Decision) -> Vec<(Which, Vec<(usize, String)>)> {
    let changes = |repair: &super::Repair| repair.changes.iter().map(|one| (one.field, one.to.to_string())).collect();
    decision.repairs.iter().map(|repair| (repair.which, changes(repair))).collect()
}

#[test]
fn nothing_is_written_because_of_a_field_whose_shape_is_bent() {
    let pair = plain();
    let (left, right) = (account("active", "team", Some(10)), account("past_due", "basic", Some(20)));
    let found = finding(&pair, &left, &right);
    let base = [Some(Value::text("active")), Some(Value::text("scale"))];
    for (what, authority, bent, expected) in [
        ("the believed side", Authority::Right, vec![Which::Right], vec![(Some(0), Withheld::Shape)]),
        ("the written side", Authority::Right, vec![Which::Left], vec![]),
        ("the newer side", Authority::Newest, vec![Which::Right], vec![(Some(0), Withheld::Shape)]),
        ("the older side", Authority::Newest, vec![Which::Left], vec![]),
        ("who changed it", Authority::Merge, vec![Which::Right], vec![(Some(0), Withheld::Shape)]),
        ("a person decides anyhow", Authority::Manual, vec![Which::Right], vec![(Some(0), Withheld::Manual)]),
    ] {
        let status = FieldPolicy { bent: bent.into_iter().collect(), ..policy(authority) };
        let decision = decide(&pair, &[status, policy(Authority::Right)], &found, &base);
        assert_eq!(decision.withheld, expected, "{what}");
        let is_plan_written = decision.repairs.iter().flat_map(|repair| &repair.changes).any(|one| one.field == 1);
        assert!(is_plan_written, "{what}: the other field is as before");
    }
    // Of a sum of both, either is enough.
    let counted = |number: i64, at| (7, Value::integer(number), Value::text("team"), at);
    let found = finding(&pair, &counted(5, Some(10)), &counted(9, Some(20)));
    let sum = FieldPolicy { merge: MergeAs::Counter, bent: [Which::Left].into(), ..policy(Authority::Merge) };
    let decision = decide(&pair, &[sum, policy(Authority::Right)], &found, &[Some(Value::integer(4)), None]);
    assert_eq!((decision.repairs.len(), decision.withheld), (0, vec![(Some(0), Withheld::Shape)]));
}

#[test]
fn what_a_person_gives_is_written_wherever_it_is_not_said() {
    let given = |status: Option<Value<'static>>, plan: Option<Value<'static>>| {
        [status, plan].map(|given| FieldPolicy { given, ..policy(Authority::Manual) })
    };
    let text = |text: &'static str| Some(Value::text(text));
    let pair = pair();
    let both = finding(&pair, &account("active", "pro", None), &account("canceled", "free", None));
    let decided = |policies: [FieldPolicy; 2]| decide(&pair, &policies, &both, &[]);
    // Words are those of the left; the right has its own for them.
    let decision = decided(given(text("cancelled"), text("basic")));
    let (left, right) = (Which::Left, Which::Right);
    let word = |field: usize, word: &str| (field, word.to_owned());
    assert_eq!(
        written(&decision),
        [(left, vec![word(0, "cancelled"), word(1, "basic")]), (right, vec![word(1, "basic")])]
    );
    assert_eq!((decision.withheld.len(), decision.repairs[0].takes_away), (0, true));
    // What is not given stays for a person, and what one side says already is written to the other alone.
    let decision = decided(given(None, text("free")));
    assert_eq!(written(&decision), [(left, vec![word(1, "free")])]);
    assert_eq!(decision.withheld, [(Some(0), Withheld::Manual)]);
    // A field that both sides say alike may be given, too.
    let alike = finding(&pair, &account("active", "pro", None), &account("canceled", "pro", None));
    let decision = decide(&pair, &given(text("cancelled"), text("basic")), &alike, &[]);
    assert_eq!(written(&decision).len(), 2);
    // A word that nobody knows, one that stands for several, a value of another type: then nothing of it is written.
    for (status, why) in [("gone", Withheld::NoWord), ("active", Withheld::SeveralWords)] {
        let decision = decided(given(text(status), text("basic")));
        assert_eq!((decision.repairs.len(), decision.withheld), (0, vec![(Some(0), why)]));
    }
    let decision = decided(given(text("cancelled"), Some(Value::integer(5))));
    assert_eq!((decision.repairs.len(), decision.withheld), (0, vec![(Some(1), Withheld::OtherType)]));
    let named = [("active".to_owned(), "trialing".to_owned())].into();
    let policies = [
        FieldPolicy { given: text("active"), write_right: named, ..policy(Authority::Manual) },
        FieldPolicy { given: Some(Value::Null), ..policy(Authority::Manual) },
    ];
    let decision = decided(policies);
    assert_eq!(written(&decision)[1], (right, vec![word(0, "trialing"), word(1, &Value::Null.to_string())]));
    assert!(decision.repairs.iter().all(|repair| repair.takes_away), "what becomes nothing is taken away");
}

#[test]
fn what_a_person_gives_is_read_as_what_the_sides_say() {
    let pair = plain();
    let account = |plan: Value<'static>| (7, Value::text("active"), plan, None);
    let decided = |left: Value<'static>, right: Value<'static>, plan: Value<'static>| {
        let policies = [policy(Authority::Manual), FieldPolicy { given: Some(plan), ..policy(Authority::Manual) }];
        let decision = decide(&pair, &policies, &finding(&pair, &account(left), &account(right)), &[]);
        let changes = decision.repairs.iter().flat_map(|repair| &repair.changes);
        (changes.map(|change| change.to.clone()).collect::<Vec<_>>(), decision.withheld)
    };
    let number = |text: &'static str| Value::text(text).read_as(crate::record::value::Type::Number).expect("a number");
    let (one, two) = (Value::integer(1), Value::integer(2));
    assert_eq!(decided(one.clone(), two.clone(), Value::integer(3)).0, [Value::integer(3), Value::integer(3)]);
    assert_eq!(decided(one.clone(), Value::Null, Value::text("12.50")).0, [number("12.5"), number("12.5")]);
    let other = vec![(Some(1), Withheld::OtherType)];
    for given in [Value::text("much"), Value::Boolean(true)] {
        assert_eq!(decided(one.clone(), two.clone(), given), (Vec::new(), other.clone()));
    }
    assert_eq!(decided(Value::Boolean(true), Value::Null, Value::integer(1)).1, other);
    assert_eq!(decided(Value::Boolean(true), Value::Null, Value::Boolean(false)).0.len(), 2);
}

#[test]
fn who_is_believed_is_written_to_the_other_side() {
    let pair = pair();
    let (left, right) = (account("active", "team", Some(100)), account("canceled", "basic", Some(200)));
    let decided = |status, plan| decide(&pair, &[policy(status), policy(plan)], &finding(&pair, &left, &right), &[]);
    let one = |which, field, word: &str| (which, vec![(field, word.to_owned())]);

    let both_right = decided(Authority::Right, Authority::Right);
    assert_eq!(written(&both_right), [(Which::Left, vec![(0, "cancelled".to_owned()), (1, "basic".to_owned())])]);
    let repair = &both_right.repairs[0];
    assert_eq!((&repair.identity, repair.takes_away), (&vec![Value::integer(7)], true));
    let at = Value::Timestamp(Timestamp::from_seconds(100));
    let held = [(1, Value::text("active")), (2, Value::text("team")), (0, Value::integer(7)), (3, at)];
    assert_eq!(repair.expected, held, "what is compared, by what it was matched, and when it was changed");

    let mixed = decided(Authority::Right, Authority::Left);
    assert_eq!(written(&mixed), [one(Which::Left, 0, "cancelled"), one(Which::Right, 1, "team")]);
    let newest = decided(Authority::Newest, Authority::Manual);
    assert_eq!(written(&newest), [one(Which::Left, 0, "cancelled")]);
    assert_eq!(newest.withheld, [(Some(1), Withheld::Manual)]);
}

#[test]
fn what_cannot_be_known_is_left_to_a_person() {
    let pair = pair();
    let all = |authority| [policy(authority), policy(authority)];
    let why = |pair: &Pair, policies: &[FieldPolicy], left: &Row, right: &Row| {
        let decision = decide(pair, policies, &finding(pair, left, right), &[]);
        assert!(decision.repairs.is_empty(), "{decision:?}");
        decision.withheld
    };
    let (active, canceled) = (account("active", "team", Some(100)), account("canceled", "team", Some(100)));
    assert_eq!(why(&pair, &all(Authority::Newest), &active, &canceled), [(Some(0), Withheld::Unordered)]);
    let untimed = account("canceled", "team", None);
    assert_eq!(why(&pair, &all(Authority::Newest), &active, &untimed), [(Some(0), Withheld::Unordered)]);
    // Two words of the right mean `active`.
    assert_eq!(why(&pair, &all(Authority::Left), &active, &canceled), [(Some(0), Withheld::SeveralWords)]);
    let unknown = account("frozen", "team", Some(100));
    assert_eq!(why(&pair, &all(Authority::Right), &active, &unknown), [(Some(0), Withheld::NoWord)]);
    assert_eq!(why(&pair, &all(Authority::Left), &unknown, &canceled), [(Some(0), Withheld::NoWord)]);
    let silent = (7, Value::text("active"), Value::Absent, Some(100));
    assert_eq!(why(&pair, &all(Authority::Right), &active, &silent), [(Some(1), Withheld::Absent)]);

    let mut nameless = pair.clone();
    nameless.left.identity.clear();
    assert_eq!(why(&nameless, &all(Authority::Right), &active, &canceled), [(Some(0), Withheld::NoIdentity)]);
    let mut lowered = pair.clone();
    lowered.left.columns[1].transforms.push(Transform::Lower);
    assert_eq!(why(&lowered, &all(Authority::Right), &active, &canceled), [(Some(0), Withheld::Transformed)]);
    let missing = Finding { kind: Kind::RightOnly, left: Vec::new(), ..finding(&pair, &active, &canceled) };
    assert_eq!(decide(&pair, &all(Authority::Right), &missing, &[]).withheld, [(None, Withheld::Missing)]);
    let crowd = Finding { kind: Kind::Ambiguous, ..finding(&pair, &active, &canceled) };
    assert_eq!(decide(&pair, &all(Authority::Right), &crowd, &[]).withheld, [(None, Withheld::Ambiguous)]);
}

#[test]
fn a_word_that_is_named_is_written_where_several_mean_the_same() {
    let pair = pair();
    let named =
        FieldPolicy { write_right: [("active".to_owned(), "trialing".to_owned())].into(), ..policy(Authority::Left) };
    let left = account("active", "team", None);
    let decision = decide(
        &pair,
        &[named, policy(Authority::Left)],
        &finding(&pair, &left, &account("canceled", "team", None)),
        &[],
    );
    assert_eq!(written(&decision), [(Which::Right, vec![(0, "trialing".to_owned())])]);
    assert!(!decision.repairs[0].takes_away, "it gives something back");
    let gone = account("cancelled", "team", None);
    let decision =
        decide(&pair, &[policy(Authority::Left), policy(Authority::Left)], &finding(&pair, &gone, &left), &[]);
    assert_eq!(written(&decision), [(Which::Right, vec![(0, "canceled".to_owned())])]);
    assert!(decision.repairs[0].takes_away);
}

#[test]
fn nothing_is_a_value_like_any_other() {
    let pair = pair();
    let (left, right) = ((7, Value::Null, Value::text("team"), None), (7, Value::text("canceled"), Value::Null, None));
    let policies = [policy(Authority::Right), policy(Authority::Right)];
    let decision = decide(&pair, &policies, &finding(&pair, &left, &right), &[]);
    let changes: Vec<_> = decision.repairs[0].changes.iter().map(|one| (&one.from, &one.to)).collect();
    assert_eq!(changes, [(&Value::Null, &Value::text("cancelled")), (&Value::text("team"), &Value::Null)]);
    assert!(decision.repairs[0].takes_away, "the plan is gone");
    let loud = (7, Value::text("CANCELED"), Value::Null, None);
    let lost = decide(&plain(), &policies, &finding(&plain(), &(7, Value::text("on"), Value::Null, None), &loud), &[]);
    assert!(lost.repairs[0].takes_away, "in whatever case it is written");
}

#[test]
fn who_changed_since_both_agreed_is_believed_field_by_field() {
    let pair = pair();
    let merged = |merge| [policy(Authority::Merge), FieldPolicy { merge, ..policy(Authority::Merge) }];
    let (left, right) = (account("active", "team", None), account("canceled", "scale", None));
    let decided =
        |merge, base: &[Option<Value<'static>>]| decide(&pair, &merged(merge), &finding(&pair, &left, &right), base);
    let known = |status, plan| [Some(Value::text(status)), Some(Value::text(plan))];
    let (to_left, to_right) = (
        |field, word: &str| (Which::Left, vec![(field, word.to_owned())]),
        |field, word: &str| (Which::Right, vec![(field, word.to_owned())]),
    );
    // What both agreed on is what it means, and not what either side calls it.
    let crossed = decided(MergeAs::Value, &known("active", "scale"));
    assert_eq!(written(&crossed), [to_left(0, "cancelled"), to_right(1, "team")]);
    assert!(crossed.withheld.is_empty() && crossed.repairs[0].takes_away);
    let one = decided(MergeAs::Value, &known("cancelled", "basic"));
    assert_eq!(
        (written(&one), &one.withheld[..]),
        (Vec::new(), &[(Some(0), Withheld::SeveralWords), (Some(1), Withheld::Conflict)][..])
    );
    let set = decided(MergeAs::Set, &known("active", "basic"));
    let both = "scale,team".to_owned();
    assert_eq!(
        written(&set),
        [(Which::Left, vec![(0, "cancelled".to_owned()), (1, both.clone())]), (Which::Right, vec![(1, both)])]
    );
    for base in [&[][..], &[None, None]] {
        let unknown = decided(MergeAs::Counter, base);
        assert_eq!(unknown.withheld, [(Some(0), Withheld::NoBase), (Some(1), Withheld::NoBase)]);
    }
    // Where one side cannot be written, none is: half of it would be counted again.
    let mut lowered = pair.clone();
    lowered.right.columns[2].transforms.push(Transform::Lower);
    let half = decide(&lowered, &merged(MergeAs::Set), &finding(&lowered, &left, &right), &known("active", "basic"));
    assert_eq!(half.withheld, [(Some(1), Withheld::Transformed)]);
    let silent = (7, Value::text("active"), Value::Absent, None);
    let absent = decide(&pair, &merged(MergeAs::Value), &finding(&pair, &left, &silent), &known("active", "team"));
    assert_eq!(absent.withheld, [(Some(1), Withheld::Absent)]);
}

proptest! {
    /// Once what is decided is written, nothing is left to be decided.
    #[test]
    fn what_is_written_agrees(
        (one, two) in (0_usize..4, 0_usize..3),
        (plan, other) in ("[a-c]{0,2}", "[a-c]{0,2}"),
        from_right in any::<bool>(),
    ) {
        let pair = pair();
        let left: Row = (7, [Value::text("active"), Value::text("cancelled"), Value::Null, Value::text("odd")][one].clone(), Value::Text(plan.into()), None);
        let right: Row = (7, [Value::text("trialing"), Value::text("canceled"), Value::Null][two].clone(), Value::Text(other.into()), None);
        let authority = if from_right { Authority::Right } else { Authority::Left };
        let named = [("active".to_owned(), "active".to_owned())].into();
        let policies = [FieldPolicy { write_right: named, ..policy(authority) }, policy(authority)];
        let decision = decide(&pair, &policies, &finding(&pair, &left, &right), &[]);
        let (mut left_after, mut right_after) = (left, right);
        for repair in &decision.repairs {
            let row = if repair.which == Which::Left { &mut left_after } else { &mut right_after };
            for change in &repair.changes {
                let value = if change.field == 0 { &mut row.1 } else { &mut row.2 };
                prop_assert_eq!(&*value, &change.from);
                *value = change.to.clone();
            }
        }
        let after = decide(&pair, &policies, &finding(&pair, &left_after, &right_after), &[]);
        prop_assert!(after.repairs.is_empty(), "{:?} after {:?}", after, decision);
        prop_assert_eq!(after.withheld, decision.withheld);
    }
}
