//! What is proposed, written as a configuration: with the evidence beside each part, and every guess called one.
//!
//! Owns the text. What it says is read by [`crate::config`] as if somebody had written it by hand. Secrets are written as
//! the references they were given as.

use super::Looked;
use quittance_core::pair::Column;
use quittance_core::pair::transform::Transform;
use quittance_core::propose::Confidence;
use quittance_core::propose::fields::Field;
use quittance_core::propose::keys::Rule;
use quittance_core::propose::sample::Sample;
use quittance_core::propose::words::Words;
use quittance_core::record::value::Type;

/// A system as the configuration names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SystemText {
    /// Its name.
    pub name: String,
    /// Its settings, in order; none where the configuration has it already.
    pub settings: Option<Vec<(&'static str, String)>>,
}

/// A pair that is to be written.
pub struct Draft<'d> {
    /// Its name.
    pub pair: &'d str,
    /// The application's database.
    pub app: &'d SystemText,
    /// Stripe.
    pub stripe: &'d SystemText,
    /// `table` or `file`.
    pub kind: &'static str,
    /// The table.
    pub table: &'d str,
    /// Stripe's object.
    pub object: &'d str,
    /// Why that object, where it is a guess.
    pub object_guess: Option<&'d str>,
    /// Which side is right, and whether somebody said so.
    pub authority: (&'d str, bool),
    /// What was seen and is proposed.
    pub looked: &'d Looked,
}

/// A configuration, and what of it is a guess.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// The text.
    pub text: String,
    /// Every guess, as people read it.
    pub guesses: Vec<String>,
}

/// Writes the sections of a pair and of its systems.
#[must_use]
pub fn written(draft: &Draft<'_>) -> Written {
    let mut out = Written::default();
    for system in [draft.app, draft.stripe] {
        out.system(system);
    }
    out.pair(draft);
    for field in &draft.looked.proposal.fields {
        out.field(draft, field);
    }
    out
}

/// Writes the section of a system; nothing where the configuration has it.
#[must_use]
pub fn system(system: &SystemText) -> String {
    let mut out = Written::default();
    out.system(system);
    out.text
}

/// A text as TOML writes it on one line, as a value and as a key: a JSON string, of which only DEL is no basic string.
fn quoted(text: &str) -> String {
    serde_json::Value::String(text.to_owned()).to_string().replace('\u{7f}', "\\u007f")
}

/// A part of a header: bare where that can be.
fn bare(name: &str) -> String {
    let is_bare = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b));
    if is_bare { name.to_owned() } else { quoted(name) }
}

/// Somebody's words within a comment, which ends with its line.
fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// A transform as it is configured; `sample` is the one of its column.
#[must_use]
pub fn step(transform: &Transform, sample: &Sample) -> String {
    match transform {
        Transform::Lower => "lower".to_owned(),
        Transform::Trim => "trim".to_owned(),
        Transform::Count => "count".to_owned(),
        Transform::EpochToTimestamp => "epoch_to_timestamp".to_owned(),
        Transform::MinorToMajor { currency } => match sample.columns[*currency].name.as_str() {
            "currency" => "minor_to_major".to_owned(),
            name => format!("minor_to_major:{name}"),
        },
        Transform::ReadAs(Type::Text | Type::Untyped | Type::Bytes | Type::Json) => "text".to_owned(),
        Transform::ReadAs(wanted) | Transform::TryReadAs(wanted) => wanted.to_string(),
    }
}

/// A column with what is done to it, in one text: `email | trim | lower`.
#[must_use]
pub fn piped(column: &Column, sample: &Sample) -> String {
    let steps = column.transforms.iter().map(|transform| format!(" | {}", step(transform, sample)));
    column.name.clone() + &steps.collect::<String>()
}

/// What is done to a column, as a setting; empty where nothing is.
fn transforms(key: &str, column: &Column, sample: &Sample) -> String {
    let steps: Vec<String> = column.transforms.iter().map(|transform| quoted(&step(transform, sample))).collect();
    match steps.as_slice() {
        [] => String::new(),
        [one] => format!("{key} = {one}"),
        several => format!("{key} = [{}]", several.join(", ")),
    }
}

impl Written {
    fn line(&mut self, line: &str) {
        self.text.push_str(line.trim_end());
        self.text.push('\n');
    }

    /// A setting that may be none.
    fn setting(&mut self, setting: &str) {
        if !setting.is_empty() {
            self.line(setting);
        }
    }

    /// A comment: evidence, or a guess, which is noted.
    fn note(&mut self, indent: &str, subject: &str, evidence: &str, confidence: Confidence) {
        let evidence = clean(evidence);
        if confidence == Confidence::Sure {
            self.line(&format!("{indent}# {evidence}"));
        } else {
            self.line(&format!("{indent}# guessed: {evidence}"));
            let subject = if subject.is_empty() { String::new() } else { format!("{}: ", clean(subject)) };
            self.guesses.push(subject + &evidence);
        }
    }

    fn system(&mut self, system: &SystemText) {
        let Some(settings) = &system.settings else { return };
        self.line(&format!("[systems.{}]", bare(&system.name)));
        for (key, value) in settings {
            match *key {
                "url" => self.line("# a role that may only SELECT suffices"),
                "api_key" => self.line("# a restricted key that may only read suffices"),
                _ => {}
            }
            self.line(&format!("{key} = {}", quoted(value)));
        }
        self.line("");
    }

    fn pair(&mut self, draft: &Draft<'_>) {
        let (left, right) = (&draft.looked.left.sample, &draft.looked.right.sample);
        let proposal = &draft.looked.proposal;
        self.line(&format!("[pairs.{}]", bare(draft.pair)));
        if let Some(guess) = draft.object_guess {
            self.note("", &format!("the object `{}`", draft.object), guess, Confidence::Likely);
        }
        if let (authority, false) = draft.authority {
            let evidence = format!("where they disagree, the {authority} side is right, which only repairs will ask");
            self.note("", "authority", &evidence, Confidence::Likely);
        }
        let updated_at =
            [(&proposal.left_modified, left), (&proposal.right_modified, right)].map(|(modified, sample)| {
                let Some(modified) = modified else { return String::new() };
                let evidence = format!("updated_at is `{}`, {}", modified.column.name, modified.evidence);
                self.note("", "", &evidence, modified.confidence);
                format!(", updated_at = {}", quoted(&piped(&modified.column, sample)))
            });
        let side = |system: &SystemText, key: &str, object: &str, updated_at: &str| {
            format!("{{ system = {}, {key} = {}{updated_at} }}", quoted(&system.name), quoted(object))
        };
        self.line(&format!("left = {}", side(draft.app, draft.kind, draft.table, &updated_at[0])));
        self.line(&format!("right = {}", side(draft.stripe, "object", draft.object, &updated_at[1])));
        self.line("match = [");
        for rule in &proposal.rules {
            self.note("  ", &rule.left.name, &rule.evidence, rule.confidence);
            self.line(&format!("  {},", rule_text(rule, left, right)));
        }
        self.line("]");
        for rule in &proposal.spare_rules {
            self.line(&format!("# not needed, or not unique: {}", clean(&rule_text(rule, left, right))));
            self.line(&format!("#   {}", clean(&rule.evidence)));
        }
        for counted in &proposal.counts {
            self.note("", "counts", &counted.evidence, counted.confidence);
            let mut parts = vec![
                format!("left = {}", quoted(&counted.left.name)),
                format!("right = {}", quoted(&counted.right.name)),
            ];
            parts.push(transforms("left_transform", &counted.left, left));
            parts.push(transforms("right_transform", &counted.right, right));
            parts.push("by = \"day\"".to_owned());
            parts.retain(|part| !part.is_empty());
            self.line(&format!("counts = [ {{ {} }} ]", parts.join(", ")));
        }
    }

    fn field(&mut self, draft: &Draft<'_>, field: &Field) {
        let (left, right) = (&draft.looked.left.sample, &draft.looked.right.sample);
        self.line("");
        self.line(&format!("[[pairs.{}.fields]]", bare(draft.pair)));
        let mut evidence = field.evidence.clone();
        for rival in &field.rivals {
            evidence.push_str(&format!("; about as good is `{}` ({})", rival.right.name, rival.agreeing));
        }
        self.note("", &format!("{} ~ {}", field.left.name, field.right.name), &evidence, field.confidence);
        self.line(&format!("left = {}", quoted(&field.left.name)));
        self.setting(&transforms("left_transform", &field.left, left));
        self.line(&format!("right = {}", quoted(&field.right.name)));
        self.setting(&transforms("right_transform", &field.right, right));
        self.line(&format!("authority = {}", quoted(draft.authority.0)));
        if let Some(words) = &field.words {
            self.words(field, words);
        }
    }

    fn words(&mut self, field: &Field, words: &Words) {
        self.line("values = [");
        for (left, rights) in words.by_left() {
            for word in &rights {
                let evidence = format!("{:?} is seen with it in {} rows", word.right, word.seen);
                match (word.is_said, word.is_unsure()) {
                    (true, _) => {}
                    (false, true) => {
                        let subject = format!("{} {:?} means {left:?}", field.right.name, word.right);
                        self.note("  ", &subject, &evidence, Confidence::Unsure);
                    }
                    (false, false) => self.note("  ", "", &evidence, Confidence::Sure),
                }
            }
            let rights: Vec<String> = rights.iter().map(|word| quoted(&word.right)).collect();
            self.line(&format!("  {{ left = {}, right = [{}] }},", quoted(left), rights.join(", ")));
        }
        self.line("]");
        self.line("# a word that is not in the map differs from everything, and so is seen; \"error\" stops instead");
        self.line("unmapped = \"different\"");
        let listed = |words: &[String]| words.iter().map(|word| format!("{word:?}")).collect::<Vec<_>>().join(", ");
        if !words.unseen.is_empty() {
            let evidence = format!("left open: {} of `{}` were not seen", listed(&words.unseen), field.right.name);
            self.note("", &field.left.name, &evidence, Confidence::Unsure);
        }
        if !words.strays.is_empty() {
            let evidence = format!("left open: nothing means {} of `{}`", listed(&words.strays), field.left.name);
            self.note("", &field.left.name, &evidence, Confidence::Unsure);
        }
    }
}

fn rule_text(rule: &Rule, left: &Sample, right: &Sample) -> String {
    let (one, other) = (quoted(&piped(&rule.left, left)), quoted(&piped(&rule.right, right)));
    format!("{{ left = {one}, right = {other} }}")
}
