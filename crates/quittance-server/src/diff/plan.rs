//! From what is configured to what is read: columns are looked up in what the systems say they have.

use crate::config::{ColumnRef, Pair as PairConfig, SideRef, Step};
use crate::systems::{Description, SystemError};
use quittance_core::pair::transform::Transform;
use quittance_core::pair::{Column, Field, Pair, Side, Which};
use quittance_core::record::value::Type;

/// What is read of both systems.
///
/// # Errors
///
/// When a column is named that its object has not got, or two are compared between whose types there is no equality.
pub fn plan(name: &str, config: &PairConfig, left: &Description, right: &Description) -> Result<Pair, SystemError> {
    let fields =
        config.fields.iter().map(|field| Field { name: field.left.name.clone(), values: field.values.clone() });
    let mut pair = Pair {
        name: name.to_owned(),
        fields: fields.collect(),
        left: Planner::new(&config.left, left).side(config, Which::Left)?,
        right: Planner::new(&config.right, right).side(config, Which::Right)?,
    };
    match_types(&mut pair, left, right)?;
    check_types(&pair, config, left, right)?;
    check_modified(&pair.left, Which::Left, left)?;
    check_modified(&pair.right, Which::Right, right)?;
    Ok(pair)
}

/// What is read of one system alone, by what it says of itself; the other side is empty.
///
/// # Errors
///
/// When a column is named that its object has not got.
pub(crate) fn one_side(
    name: &str,
    config: &PairConfig,
    which: Which,
    description: &Description,
) -> Result<Pair, SystemError> {
    let fields =
        config.fields.iter().map(|field| Field { name: field.left.name.clone(), values: field.values.clone() });
    let of = if which == Which::Left { &config.left } else { &config.right };
    let side = Planner::new(of, description).side(config, which)?;
    check_modified(&side, which, description)?;
    let (left, right) = if which == Which::Left { (side, Side::default()) } else { (Side::default(), side) };
    Ok(Pair { name: name.to_owned(), fields: fields.collect(), left, right })
}

/// Keys are matched by their bytes, and those of two types have none in common: what one side declares, the other's
/// undeclared column is read as; what both declare has to be the same.
fn match_types(pair: &mut Pair, left: &Description, right: &Description) -> Result<(), SystemError> {
    for rule in 0..pair.left.rules.len() {
        for part in 0..pair.left.rules[rule].len() {
            let one = &pair.left.columns[pair.left.rules[rule][part]];
            let other = &pair.right.columns[pair.right.rules[rule][part]];
            match (declared_key(one, left), declared_key(other, right)) {
                (Some(left_type), Some(right_type)) if left_type != right_type => {
                    let what = format!(
                        "a key `{}` that is {left_type} never matches a key `{}` that is {right_type}",
                        one.name, other.name
                    );
                    return Err(SystemError::configuration(what, key_remedy(one, other, left_type, right_type)));
                }
                (Some(wanted), None) if !right.columns.is_empty() => read_key_as(&mut pair.right, rule, part, wanted),
                (None, Some(wanted)) if !left.columns.is_empty() => read_key_as(&mut pair.left, rule, part, wanted),
                _ => {}
            }
        }
    }
    Ok(())
}

fn declared_key(column: &Column, description: &Description) -> Option<Type> {
    declared(column, description).filter(|known| *known != Type::Untyped)
}

fn read_key_as(side: &mut Side, rule: usize, part: usize, wanted: Type) {
    let mut column = side.columns[side.rules[rule][part]].clone();
    column.transforms.push(Transform::TryReadAs(wanted));
    side.rules[rule][part] = side.column(column);
}

/// What makes keys of two types match.
pub(super) fn key_remedy(left: &Column, right: &Column, left_type: Type, right_type: Type) -> String {
    let (one, other) = (&left.name, &right.name);
    match (left_type, right_type) {
        (Type::Timestamp, Type::Number) => format!("write right = \"{other} | epoch_to_timestamp\" in `match`"),
        (Type::Number, Type::Timestamp) => format!("write left = \"{one} | epoch_to_timestamp\" in `match`"),
        (Type::Text, _) if is_readable(right_type) => format!("write right = \"{other} | text\" in `match`"),
        (_, Type::Text) if is_readable(left_type) => format!("write left = \"{one} | text\" in `match`"),
        _ if is_readable(left_type) && is_readable(right_type) => {
            format!("write left = \"{one} | text\" and right = \"{other} | text\" in `match`")
        }
        _ => "match by columns of one type".to_owned(),
    }
}

/// Whether it can be read as text, and text as it.
const fn is_readable(known: Type) -> bool {
    !matches!(known, Type::Bytes | Type::Json)
}

/// Looks columns of one object up.
struct Planner<'a> {
    of: &'a SideRef,
    description: &'a Description,
    side: Side,
}

impl<'a> Planner<'a> {
    fn new(of: &'a SideRef, description: &'a Description) -> Self {
        Self { of, description, side: Side::default() }
    }

    fn side(mut self, config: &PairConfig, which: Which) -> Result<Side, SystemError> {
        let pick = |(left, right): &'_ (Vec<ColumnRef>, Vec<ColumnRef>)| match which {
            Which::Left => left.clone(),
            Which::Right => right.clone(),
        };
        let rules: Vec<Vec<ColumnRef>> = config.rules.iter().map(pick).collect();
        let identity = self.description.identity.clone();
        for name in identity {
            self.exists(&name)?;
            let at = self.side.column(Column::plain(name));
            self.side.identity.push(at);
        }
        for rule in &rules {
            let columns = rule.iter().map(|column| self.column(column)).collect::<Result<_, _>>()?;
            self.side.rules.push(columns);
        }
        for field in &config.fields {
            let at = self.column(if which == Which::Left { &field.left } else { &field.right })?;
            self.side.fields.push(at);
        }
        if let Some(updated_at) = &self.of.updated_at {
            self.side.modified = Some(self.column(updated_at)?);
        }
        if let Some((left, right)) = &config.repairs.customer {
            self.side.customer = Some(self.column(if which == Which::Left { left } else { right })?);
        }
        for count in &config.counts {
            let at = self.column(if which == Which::Left { &count.left } else { &count.right })?;
            self.side.groups.push((at, count.unit));
        }
        Ok(self.side)
    }

    fn column(&mut self, column: &ColumnRef) -> Result<usize, SystemError> {
        self.exists(&column.name)?;
        let mut transforms = Vec::new();
        for step in &column.steps {
            transforms.push(match step {
                Step::Lower => Transform::Lower,
                Step::Trim => Transform::Trim,
                Step::EpochToTimestamp => Transform::EpochToTimestamp,
                Step::ReadAs(wanted) => Transform::ReadAs(*wanted),
                Step::Count => Transform::Count,
                Step::MinorToMajor { currency } => {
                    self.exists(currency)?;
                    Transform::MinorToMajor { currency: self.side.column(Column::plain(currency.clone())) }
                }
            });
        }
        Ok(self.side.column(Column { name: column.name.clone(), pointer: column.pointer.clone(), transforms }))
    }

    /// Whether the object has it; an object that may have any field has every one.
    fn exists(&self, name: &str) -> Result<(), SystemError> {
        let columns = &self.description.columns;
        if columns.is_empty() || columns.iter().any(|(known, _)| known == name) {
            return Ok(());
        }
        let known: Vec<&str> = columns.iter().map(|(known, _)| known.as_str()).collect();
        let what = format!("there is no column `{name}` in `{}` of system `{}`", self.of.object, self.of.system);
        Err(SystemError::configuration(what, crate::config::closest(name, &known)))
    }
}

fn check_types(pair: &Pair, config: &PairConfig, left: &Description, right: &Description) -> Result<(), SystemError> {
    for (at, field) in config.fields.iter().enumerate() {
        if field.values.is_some() {
            continue;
        }
        let one = declared(&pair.left.columns[pair.left.fields[at]], left);
        let other = declared(&pair.right.columns[pair.right.fields[at]], right);
        if let (Some(one), Some(other)) = (one, other)
            && !is_comparable(one, other)
        {
            let what = format!("`{}` is {one} and `{}` is {other}", field.left.name, field.right.name);
            return Err(SystemError::configuration(what, remedy(one, other)));
        }
    }
    Ok(())
}

/// What is no moment says nothing of when a record was changed, and would be told as unknown of every one.
fn check_modified(side: &Side, which: Which, description: &Description) -> Result<(), SystemError> {
    let Some(column) = side.modified.map(|at| &side.columns[at]) else { return Ok(()) };
    let Some(known) = declared_key(column, description).filter(|known| *known != Type::Timestamp) else {
        return Ok(());
    };
    let name = &column.name;
    let what = format!("`updated_at` of the {} is `{name}`, which is {known} and no timestamp", which.as_str());
    let remedy = match known {
        Type::Number => format!("write updated_at = \"{name} | epoch_to_timestamp\""),
        Type::Text => format!("write updated_at = \"{name} | timestamp\""),
        _ => "name a column that holds a timestamp, or leave it out".to_owned(),
    };
    Err(SystemError::configuration(what, remedy))
}

/// What a column is after its transforms, where that is known before anything is read.
pub(crate) fn declared(column: &Column, description: &Description) -> Option<Type> {
    let plain = description.columns.iter().find(|(name, _)| *name == column.name).and_then(|(_, declared)| *declared);
    let found = if column.pointer.is_some() { None } else { plain };
    column.transforms.iter().fold(found, |before, transform| match transform {
        Transform::Lower | Transform::Trim => before,
        Transform::MinorToMajor { .. } | Transform::Count => Some(Type::Number),
        Transform::EpochToTimestamp => Some(Type::Timestamp),
        Transform::ReadAs(wanted) | Transform::TryReadAs(wanted) => Some(*wanted),
    })
}

fn is_comparable(one: Type, other: Type) -> bool {
    one == other || one == Type::Untyped || other == Type::Untyped
}

/// What makes two types comparable.
pub(super) fn remedy(one: Type, other: Type) -> String {
    match (one, other) {
        (Type::Timestamp, Type::Number) => "add right_transform = \"epoch_to_timestamp\"".to_owned(),
        (Type::Number, Type::Timestamp) => "add left_transform = \"epoch_to_timestamp\"".to_owned(),
        (Type::Boolean, Type::Number) => "add right_transform = \"boolean\"".to_owned(),
        (Type::Number, Type::Boolean) => "add left_transform = \"boolean\"".to_owned(),
        _ if !is_readable(one) || !is_readable(other) => "compare columns of one type".to_owned(),
        (Type::Text, other) => format!("add left_transform = \"{other}\", or right_transform = \"text\""),
        (one, Type::Text) => format!("add right_transform = \"{one}\", or left_transform = \"text\""),
        _ => "compare columns of one type, or read both as text: left_transform = \"text\", right_transform = \"text\""
            .to_owned(),
    }
}
