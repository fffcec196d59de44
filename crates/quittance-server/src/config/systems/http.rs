//! A JSON API as a system: `[systems.NAME]` with `kind = "http"`, and its lists under `[systems.NAME.objects.OBJECT]`.

mod writing;

use super::{secret, secret_if_given};
use crate::config::errors::{Mistakes, Origin};
use crate::config::secrets::SecretRef;
use crate::config::section::{Section, unknown_remedy};
use quittance_connectors::http::update::Update;
use quittance_connectors::http::{Address, Paging, Shape};
use std::collections::BTreeMap;

/// A JSON API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpApi {
    /// Where it is.
    pub address: Address,
    /// How it is told who asks.
    pub auth: Auth,
    /// The secret of who writes, told in the same way; none where nobody may. Nothing is read for a comparison by it.
    pub write_token: Option<SecretRef>,
    /// Requests in a second, at most.
    pub requests_per_second_max: u32,
    /// How long a request may take, in milliseconds.
    pub timeout_ms: u64,
    /// What it lists, by the names that pairs use.
    pub objects: BTreeMap<String, HttpObject>,
}

/// How an API is told who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Auth {
    /// It is not.
    None,
    /// `Authorization: Bearer …`.
    Bearer(SecretRef),
    /// `Authorization: Basic …`.
    Basic(String, SecretRef),
    /// A header of its own, by name.
    Header(String, SecretRef),
}

impl Auth {
    /// The secret, if there is one.
    #[must_use]
    pub const fn token(&self) -> Option<&SecretRef> {
        match self {
            Self::None => None,
            Self::Bearer(token) | Self::Basic(_, token) | Self::Header(_, token) => Some(token),
        }
    }
}

/// One list of an API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpObject {
    /// How it is listed and read.
    pub shape: Shape,
    /// Whether a field that a record does not mention is said to be nothing.
    pub absent_is_null: bool,
    /// How its records are changed; none where nobody may.
    pub update: Option<Update>,
}

const KEYS: [&str; 10] = [
    "kind",
    "base_url",
    "auth",
    "token",
    "write_token",
    "username",
    "header",
    "requests_per_second_max",
    "timeout_ms",
    "objects",
];

const OBJECT_KEYS: [&str; 14] = [
    "list",
    "get",
    "records",
    "record",
    "identity",
    "paging",
    "next",
    "parameter",
    "first_page",
    "more",
    "page_size",
    "page_size_parameter",
    "absent",
    "write",
];

const PAGINGS: [&str; 5] = ["cursor", "page", "offset", "link", "none"];

pub(super) fn parse(section: &Section<'_>, origin: &Origin, mistakes: &mut Mistakes) -> Option<HttpApi> {
    section.refuse_unknown(&KEYS, mistakes);
    let rate = section.number("requests_per_second_max", 10, 1..=1_000, mistakes).value;
    let timeout_ms = section.number("timeout_ms", 30_000, 100..=600_000, mistakes).value;
    let tables = section.tables("objects", mistakes);
    if tables.is_empty() {
        let remedy = format!("add [{}.objects.account] with list = \"/accounts\"", section.name);
        mistakes.add(origin.clone(), &section.setting("objects"), "missing", remedy);
    }
    let objects: BTreeMap<String, HttpObject> =
        tables.into_iter().filter_map(|(name, table)| Some((name, object(&table, mistakes)?))).collect();
    let address = address(section, origin, mistakes);
    let auth = auth(section, origin, mistakes);
    let write_token = write_token(section, auth.as_ref(), mistakes);
    let (address, auth) = (address?, auth?);
    let is_key = |object: &HttpObject, name: &str| {
        let header = object.update.as_ref().and_then(|update| update.key_header.as_deref());
        header.is_some_and(|header| header.eq_ignore_ascii_case(name))
    };
    if let Auth::Header(name, _) = &auth
        && objects.values().any(|object| is_key(object, name))
    {
        let origin = section.origin_of("header").unwrap_or_else(|| origin.clone());
        let remedy = "name another header as idempotency_header of its objects";
        mistakes.add(origin, &section.setting("header"), "says who asks, and is to carry a key as well", remedy);
    }
    // The range fits 32 bits.
    Some(HttpApi { address, auth, write_token, requests_per_second_max: rate as u32, timeout_ms, objects })
}

/// The secret of who writes, which an API that is not told who asks has none of.
fn write_token(section: &Section<'_>, auth: Option<&Auth>, mistakes: &mut Mistakes) -> Option<SecretRef> {
    if let (Some(Auth::None), Some(origin)) = (auth, section.origin_of("write_token")) {
        let remedy = "add token, by which it is read, or auth and what belongs to it";
        mistakes.add(origin, &section.setting("write_token"), "a secret that is told to nobody", remedy);
        return None;
    }
    secret_if_given(section, "write_token", mistakes)
}

fn address(section: &Section<'_>, origin: &Origin, mistakes: &mut Mistakes) -> Option<Address> {
    const REMEDY: &str = "write base_url = \"https://crm.example/api\": scheme, host, and perhaps a port and a path";
    let Some(found) = section.text("base_url", mistakes) else {
        if !section.has("base_url") {
            mistakes.add(origin.clone(), &section.setting("base_url"), "missing", REMEDY);
        }
        return None;
    };
    let base = found.value.trim_end_matches('/');
    let url = reqwest::Url::parse(base).ok().filter(|url| {
        matches!(url.scheme(), "http" | "https")
            && url.has_host()
            && url.username().is_empty()
            && url.password().is_none()
            && (url.query(), url.fragment()) == (None, None)
    });
    let Some(url) = url else {
        mistakes.add(found.origin, &section.setting("base_url"), "not the address of an API", REMEDY);
        return None;
    };
    let prefix = url.path().trim_end_matches('/').to_owned();
    Some(Address { origin: url.origin().ascii_serialization(), prefix })
}

fn auth(section: &Section<'_>, origin: &Origin, mistakes: &mut Mistakes) -> Option<Auth> {
    const KNOWN: [&str; 4] = ["bearer", "basic", "header", "none"];
    let kind = section.text("auth", mistakes);
    let word = match &kind {
        Some(found) => found.value.as_str(),
        None if section.has("token") => "bearer",
        None => "none",
    };
    let mut needed = |key: &str, example: &str| {
        let found = section.text(key, mistakes);
        if found.is_none() && !section.has(key) {
            mistakes.add(origin.clone(), &section.setting(key), "missing", format!("add {key} = \"{example}\""));
        }
        found.map(|found| found.value)
    };
    let name = match word {
        "basic" => needed("username", "quittance"),
        "header" => needed("header", "X-Api-Key"),
        "bearer" => Some(String::new()),
        "none" => return Some(Auth::None),
        _ => {
            let origin = kind.as_ref().map_or(origin, |found| &found.origin).clone();
            let remedy = unknown_remedy(word, &KNOWN);
            mistakes.add(origin, &section.setting("auth"), "not a way to say who asks", remedy);
            return None;
        }
    };
    let remedy = "add token = \"env:CRM_TOKEN\"";
    let token = secret(section, "token", origin, remedy, mistakes);
    let (name, token) = (name?, token?);
    let is_header = reqwest::header::HeaderName::from_bytes(name.as_bytes()).is_ok();
    Some(match word {
        "basic" => Auth::Basic(name, token),
        "header" if !is_header => {
            let origin = section.origin_of("header").unwrap_or_else(|| origin.clone());
            mistakes.add(
                origin,
                &section.setting("header"),
                "not the name of a header",
                "write header = \"X-Api-Key\"",
            );
            return None;
        }
        "header" => Auth::Header(name, token),
        _ => Auth::Bearer(token),
    })
}

fn object(section: &Section<'_>, mistakes: &mut Mistakes) -> Option<HttpObject> {
    section.refuse_unknown(&[&OBJECT_KEYS[..], &writing::KEYS].concat(), mistakes);
    let list = path(section, "list", mistakes);
    if !section.has("list") {
        mistakes.add(section.origin(), &section.setting("list"), "missing", "add list = \"/accounts\"");
    }
    let get = keyed_path(section, "get", mistakes);
    let records = pointer(section, "records", mistakes).unwrap_or_default();
    let record = pointer(section, "record", mistakes).unwrap_or_default();
    let identity = identity(section, mistakes);
    let page_size = page_size(section, mistakes);
    let paging = paging(section, mistakes);
    let absent_is_null = match section.text("absent", mistakes) {
        None => false,
        Some(found) => match found.value.as_str() {
            "absent" => false,
            "null" => true,
            _ => {
                let remedy = "write \"absent\", or \"null\" where the API leaves out what is null";
                mistakes.add(found.origin, &section.setting("absent"), "not what a missing field is", remedy);
                false
            }
        },
    };
    // What is said of writing is looked at, whatever is wrong with the list.
    let (is_whole, list) = (list.is_some() && paging.is_some(), list.unwrap_or_default());
    let paging = paging.unwrap_or(Paging::None);
    let shape = Shape { list, get, records, record, identity, paging, page_size };
    let update = writing::parse(section, &shape, mistakes);
    is_whole.then_some(HttpObject { shape, absent_is_null, update })
}

fn identity(section: &Section<'_>, mistakes: &mut Mistakes) -> Vec<String> {
    let found = match section.is_list("identity") {
        true => section.texts("identity", mistakes).unwrap_or_default(),
        false => section.text("identity", mistakes).into_iter().collect(),
    };
    if found.is_empty() && !section.has("identity") {
        return vec!["id".to_owned()];
    }
    if found.iter().any(|name| name.value.is_empty()) || found.is_empty() {
        let origin = section.origin_of("identity").unwrap_or_else(|| section.origin());
        let remedy = "write identity = \"id\", a pointer such as \"/key/id\", or a list of them";
        mistakes.add(origin, &section.setting("identity"), "names nothing that tells records apart", remedy);
    }
    found.into_iter().map(|found| found.value).collect()
}

fn page_size(section: &Section<'_>, mistakes: &mut Mistakes) -> Option<(String, u32)> {
    let size = section.number_if_given("page_size", 1..=10_000, "as many as the API sends", mistakes);
    let parameter = section.text("page_size_parameter", mistakes);
    match (size, parameter) {
        (Some(size), parameter) => {
            // The range fits 32 bits.
            Some((parameter.map_or_else(|| "limit".to_owned(), |found| found.value), size as u32))
        }
        (None, Some(found)) => {
            let remedy = "add page_size = 100";
            mistakes.add(found.origin, &section.setting("page_size_parameter"), "a parameter without a value", remedy);
            None
        }
        (None, None) => None,
    }
}

fn paging(section: &Section<'_>, mistakes: &mut Mistakes) -> Option<Paging> {
    let remedy = format!("write paging = \"cursor\", or another of {}", PAGINGS.join(", "));
    let Some(kind) = section.text("paging", mistakes) else {
        if !section.has("paging") {
            mistakes.add(section.origin(), &section.setting("paging"), "missing", remedy);
        }
        return None;
    };
    let next = pointer(section, "next", mistakes);
    let more = pointer(section, "more", mistakes);
    let parameter = section.text("parameter", mistakes).map(|found| found.value);
    let first = section.number("first_page", 1, 0..=1, mistakes).value;
    let needed: &[&str] = match kind.value.as_str() {
        "cursor" => &["next", "parameter"],
        "page" | "offset" | "link" | "none" => &[],
        _ => {
            mistakes.add(kind.origin, &section.setting("paging"), "not a way from page to page", remedy);
            return None;
        }
    };
    for key in needed.iter().filter(|key| !section.has(key)) {
        let remedy = format!("add {key} = \"{}\"", if *key == "next" { "/next_cursor" } else { "cursor" });
        mistakes.add(section.origin(), &section.setting(key), "missing for paging = \"cursor\"", remedy);
    }
    Some(match kind.value.as_str() {
        "cursor" => Paging::Cursor { next: next?, parameter: parameter? },
        "page" => Paging::Page { parameter: parameter.unwrap_or_else(|| "page".to_owned()), first, more },
        "offset" => Paging::Offset { parameter: parameter.unwrap_or_else(|| "offset".to_owned()), more },
        "link" => Paging::Link { next },
        _ => Paging::None,
    })
}

/// A path below the API's address.
fn path(section: &Section<'_>, key: &str, mistakes: &mut Mistakes) -> Option<String> {
    let found = section.text(key, mistakes)?;
    let is_path = found.value.starts_with('/')
        && !found.value.starts_with("//")
        && found.value.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#');
    if !is_path {
        let remedy = format!("write a path below base_url, as {key} = \"/accounts\"");
        mistakes.add(found.origin, &section.setting(key), "not a path", remedy);
        return None;
    }
    Some(found.value)
}

/// A path that says where the key of a record goes.
fn keyed_path(section: &Section<'_>, key: &str, mistakes: &mut Mistakes) -> Option<String> {
    let path = path(section, key, mistakes)?;
    if !path.contains("{key}") {
        let origin = section.origin_of(key).unwrap_or_else(|| section.origin());
        let remedy = format!("write {key} = \"{path}/{{key}}\"");
        mistakes.add(origin, &section.setting(key), "does not say where the key goes", remedy);
    }
    Some(path)
}

/// A JSON pointer.
fn pointer(section: &Section<'_>, key: &str, mistakes: &mut Mistakes) -> Option<String> {
    let found = section.text(key, mistakes)?;
    if !found.value.is_empty() && !found.value.starts_with('/') {
        let remedy = format!("write a JSON pointer, as {key} = \"/{}\"", found.value.replace('.', "/"));
        mistakes.add(found.origin, &section.setting(key), "not a JSON pointer", remedy);
        return None;
    }
    Some(found.value)
}
