//! Where the two sides are, as the command line says it, and as the configuration will.

use quittance_server::config::{Config, System};
use quittance_server::init::text::SystemText;
use std::path::{Path, PathBuf};

/// The application's database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum App {
    /// PostgreSQL, whose address is a secret.
    Postgres(String),
    /// An SQLite file.
    Sqlite(PathBuf),
    /// A folder of CSV files, and one of them where it was named.
    Csv(PathBuf, Option<String>),
}

const REMEDY: &str =
    "write env:NAME or file:PATH (where the address of a PostgreSQL database is), sqlite:FILE or csv:FOLDER";

/// Reads `--app`. What is wrong is not repeated: it may be an address with a password.
pub(super) fn app(text: &str) -> Result<App, String> {
    match text.split_once(':') {
        Some(("env" | "file", _)) => secret(text).map(App::Postgres),
        Some(("sqlite", path)) if !path.is_empty() => Ok(App::Sqlite(PathBuf::from(path))),
        Some(("csv", path)) if !path.is_empty() => {
            let path = PathBuf::from(path);
            let file = path.file_name().filter(|_| path.is_file()).map(|name| name.to_string_lossy().into_owned());
            let folder = path.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."));
            Ok(if file.is_some() { App::Csv(folder.to_owned(), file) } else { App::Csv(path, None) })
        }
        _ => Err(format!("names no place (what is there is not shown); {REMEDY}")),
    }
}

/// Reads a reference to a secret.
pub(super) fn secret(text: &str) -> Result<String, String> {
    let is_reference = match text.split_once(':') {
        Some(("env", name)) => {
            !name.is_empty() && name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
        }
        Some(("file", path)) => !path.is_empty(),
        _ => false,
    };
    let remedy = "write env:NAME (capital letters, digits, `_`) or file:PATH";
    is_reference
        .then(|| text.to_owned())
        .ok_or_else(|| format!("not a reference to a secret (what is there is not shown); {remedy}"))
}

impl App {
    /// Its settings in the configuration.
    pub(super) fn settings(&self) -> Vec<(&'static str, String)> {
        let path = |path: &Path| path.display().to_string();
        match self {
            Self::Postgres(url) => vec![("kind", "postgres".to_owned()), ("url", url.clone())],
            Self::Sqlite(file) => vec![("kind", "sqlite".to_owned()), ("path", path(file))],
            Self::Csv(folder, _) => vec![("kind", "csv".to_owned()), ("path", path(folder))],
        }
    }

    /// What the configuration calls an object of it.
    pub(super) const fn object_key(&self) -> &'static str {
        match self {
            Self::Postgres(_) | Self::Sqlite(_) => "table",
            Self::Csv(..) => "file",
        }
    }
}

/// Stripe's settings in the configuration.
pub(super) fn stripe(api_key: &str, base: Option<&str>) -> Vec<(&'static str, String)> {
    let mut settings = vec![("kind", "stripe".to_owned()), ("api_key", api_key.to_owned())];
    settings.extend(base.map(|base| ("api_base", base.trim_end_matches('/').to_owned())));
    settings
}

/// Names a system: as the configuration does where it has the same one, else by a name that is free.
pub(super) fn named(wanted: &str, settings: Vec<(&'static str, String)>, known: Option<&Config>) -> SystemText {
    let systems = known.map(|config| &config.systems);
    let same = systems.into_iter().flatten().find(|(_, system)| is_same(system, &settings));
    if let Some((name, _)) = same {
        return SystemText { name: name.clone(), settings: None };
    }
    let is_free = |name: &String| systems.is_none_or(|systems| !systems.contains_key(name));
    let numbered = (2..).map(|number| format!("{wanted}{number}"));
    let name = std::iter::once(wanted.to_owned()).chain(numbered).find(is_free);
    SystemText { name: name.unwrap_or_else(|| wanted.to_owned()), settings: Some(settings) }
}

fn is_same(system: &System, settings: &[(&'static str, String)]) -> bool {
    let has = |key: &str, value: &str| settings.iter().any(|(known, text)| *known == key && text == value);
    has("kind", system.kind())
        && match system {
            System::Postgres { url, .. } => has("url", &url.to_string()),
            System::Sqlite { path, .. } | System::Csv { path, .. } => has("path", &path.display().to_string()),
            System::Stripe { api_key, api_base, .. } => {
                let is_base = |base: &str| {
                    settings.iter().find(|(key, _)| *key == "api_base").map_or(base == STRIPE, |it| it.1 == base)
                };
                has("api_key", &api_key.to_string()) && is_base(api_base)
            }
            _ => false,
        }
}

/// Where Stripe is, unless somebody says otherwise.
const STRIPE: &str = "https://api.stripe.com";

#[cfg(test)]
mod tests {
    use super::{App, app, named, secret, stripe};
    use quittance_server::config::Config;
    use std::path::PathBuf;

    #[test]
    fn places_are_named_by_their_kind() {
        assert_eq!(app("env:APP_URL"), Ok(App::Postgres("env:APP_URL".to_owned())));
        assert_eq!(app("sqlite:a/b.db"), Ok(App::Sqlite(PathBuf::from("a/b.db"))));
        assert_eq!(app("csv:exports"), Ok(App::Csv(PathBuf::from("exports"), None)));
        for wrong in ["postgres://user:hunter2@host/db", "app.db", "env:", "env:lower", "sqlite:", ""] {
            let error = app(wrong).expect_err(wrong);
            assert!(!error.contains("hunter2"), "{error}");
        }
        assert!(secret("sk_live_abc").is_err_and(|error| !error.contains("abc")));
    }

    #[test]
    fn a_system_that_is_configured_is_used() {
        let text = "[systems.money]\nkind = \"stripe\"\napi_key = \"env:KEY\"\n[systems.app]\nkind = \"sqlite\"\npath = \"a.db\"\n";
        let config = Config::from_text(text, &|_| None).expect("a configuration");
        let found = named("stripe", stripe("env:KEY", None), Some(&config));
        assert_eq!((found.name.as_str(), found.settings), ("money", None));
        let found = named("stripe", stripe("env:KEY", Some("http://127.0.0.1:1/")), Some(&config));
        assert_eq!((found.name.as_str(), found.settings.is_some()), ("stripe", true));
        let other = App::Sqlite(PathBuf::from("b.db"));
        assert_eq!(named("app", other.settings(), Some(&config)).name, "app2");
        assert_eq!(named("app", other.settings(), None).name, "app");
    }
}
