//! Names and texts in statements: nothing of a configuration or of a record can end a literal.

/// A name of a table or column, whatever characters it has.
#[must_use]
pub fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text, under `standard_conforming_strings`.
#[must_use]
pub fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// How a table is named in a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableName {
    /// Its schema; none where the search path decides.
    pub schema: Option<String>,
    /// Its name, exactly.
    pub name: String,
}

/// What a configured name may mean, the likeliest first. A name is exact: nothing is put in lower case. `a.b` is a table
/// of that name, or `b` in the schema `a`; `"a.b"."c"` is read as SQL reads it.
#[must_use]
pub fn table_names(object: &str) -> Vec<TableName> {
    let whole = TableName { schema: None, name: object.to_owned() };
    if object.starts_with('"') {
        return quoted_parts(object).and_then(named).into_iter().chain([whole]).collect();
    }
    let mut names = vec![whole];
    if let Some((schema, name)) = object.split_once('.') {
        let parts = if name.starts_with('"') { quoted_parts(name) } else { Some(vec![name.to_owned()]) };
        names.extend(
            parts
                .filter(|parts| parts.len() == 1)
                .map(|mut parts| TableName { schema: Some(schema.to_owned()), name: parts.remove(0) }),
        );
    }
    names
}

fn named(mut parts: Vec<String>) -> Option<TableName> {
    let name = parts.pop()?;
    let schema = parts.pop();
    parts.is_empty().then_some(TableName { schema, name })
}

/// The parts of `"a"."b"` or `"a".b`.
fn quoted_parts(text: &str) -> Option<Vec<String>> {
    let mut parts = Vec::new();
    let mut rest = text;
    loop {
        let Some(inside) = rest.strip_prefix('"') else {
            parts.push(rest.to_owned());
            return Some(parts).filter(|_| !rest.is_empty() && !rest.contains(['"', '.']));
        };
        let (part, after) = quoted(inside)?;
        parts.push(part);
        match after.strip_prefix('.') {
            Some(next) => rest = next,
            None => return after.is_empty().then_some(parts),
        }
    }
}

/// One quoted name, of which the opening quote is taken off, and what follows it.
fn quoted(inside: &str) -> Option<(String, &str)> {
    let mut from = 0;
    loop {
        let quote = from + inside[from..].find('"')?;
        if !inside[quote + 1..].starts_with('"') {
            return Some((inside[..quote].replace("\"\"", "\""), &inside[quote + 1..]));
        }
        from = quote + 2;
    }
}
