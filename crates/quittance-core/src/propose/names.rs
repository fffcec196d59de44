//! Names of columns: the words in them, and how much two of them have in common.

/// Words that mean the same in names of columns; the first of each row stands for all.
const SYNONYMS: [&[&str]; 15] = [
    &["canceled", "cancelled", "cancel", "cancels", "cancellation", "cancelation"],
    &["price", "plan", "tier"],
    &["email", "mail"],
    &["status", "state"],
    &["created", "inserted", "creation"],
    &["updated", "modified", "changed"],
    &["ended", "end", "ends", "expires", "expiry"],
    &["start", "started", "starts", "begin"],
    &["quantity", "qty", "seats", "count"],
    &["amount", "total", "cents"],
    &["customer", "client"],
    &["phone", "telephone", "tel"],
    &["invoice", "bill"],
    &["trial", "trialing"],
    &["name", "fullname"],
];

/// Words that say nothing about what a column means.
const EMPTY: [&str; 15] =
    ["stripe", "at", "on", "date", "time", "ts", "is", "has", "items", "data", "the", "of", "metadata", "my", "object"];

/// The words of a name: `subscriptionStatus`, `subscription_status` and `/subscription/status` have the same two. Words
/// that say nothing are left out, unless there are no others; plurals are singular.
pub(super) fn words_of(name: &str) -> Vec<String> {
    let mut words: Vec<String> = vec![String::new()];
    let mut was_lower = false;
    for c in name.chars() {
        let begins_word = c.is_uppercase() && was_lower;
        if !c.is_alphanumeric() || begins_word {
            words.push(String::new());
        }
        if c.is_alphabetic() {
            words.last_mut().expect("there is one from the start").extend(c.to_lowercase());
        }
        was_lower = c.is_lowercase() || c.is_ascii_digit();
    }
    words.retain(|word| !word.is_empty());
    let said: Vec<String> =
        words.iter().filter(|word| !EMPTY.contains(&word.as_str())).map(|word| same(word)).collect();
    if said.is_empty() { words } else { said }
}

fn same(word: &str) -> String {
    let stands_for = |word: &str| SYNONYMS.iter().find(|row| row.contains(&word)).map(|row| row[0].to_owned());
    let singular = word.strip_suffix('s').filter(|rest| rest.len() > 2 && !rest.ends_with(['s', 'u']));
    stands_for(word).or_else(|| singular.and_then(stands_for)).unwrap_or_else(|| singular.unwrap_or(word).to_owned())
}

/// How much two names have in common, in basis points: all of their words or none. A word that is the object both are
/// about says nothing.
pub(super) fn likeness(left: &str, right: &str, object: &str) -> u64 {
    let of = |name: &str| {
        let words = words_of(name);
        let object = words_of(object);
        let rest: Vec<String> = words.iter().filter(|word| !object.contains(word)).cloned().collect();
        if rest.is_empty() { words } else { rest }
    };
    let (left, right) = (of(left), of(right));
    let shared = left.iter().filter(|word| right.contains(word)).count();
    (20_000 * shared / (left.len() + right.len()).max(1)) as u64
}

/// Whether a name has one of these words.
pub(super) fn says(name: &str, words: &[&str]) -> bool {
    words_of(name).iter().any(|word| words.contains(&word.as_str()))
}

#[cfg(test)]
mod tests {
    use super::likeness;

    #[test]
    fn names_are_alike_by_their_words() {
        for (left, right, least, most) in [
            ("subscription_status", "status", 10_000, 10_000),
            ("subscriptionStatus", "status", 10_000, 10_000),
            ("state", "status", 10_000, 10_000),
            ("cancelled_at", "canceled_at", 10_000, 10_000),
            ("plan_id", "/items/data/0/price/id", 10_000, 10_000),
            ("stripe_customer_id", "customer", 6_000, 7_000),
            ("customer_email", "email", 6_000, 7_000),
            ("e_mail", "email", 6_000, 7_000),
            ("region", "status", 0, 0),
            ("", "status", 0, 0),
        ] {
            let found = likeness(left, right, "subscription");
            assert!((least..=most).contains(&found), "{left} and {right}: {found}");
            assert_eq!(found, likeness(right, left, "subscription"));
        }
    }
}
