//! Who asks for a page: a session that goes on, and whose key is still good. Both are looked at with every request.
//!
//! A form counts only with the token of its session, and only where the browser does not say that another site sent it.

use super::page::{Page, problem_page};
use super::sessions::{Session, Use, is_same};
use super::view::address;
use super::{Dashboard, ROOT};
use crate::api::intake::bounded;
use crate::api::query::Parameters;
use crate::auth::{Caller, holder};
use crate::clock;
use crate::problem::{Problem, catalogue};
use axum::extract::{FromRequestParts, Request};
use axum::response::{IntoResponse, Redirect, Response};
use http::request::Parts;
use http::{HeaderMap, Method, Uri, header};
use quittance_core::tenant::Scope;

/// Name of the cookie that holds the id of a session.
pub(super) const COOKIE: &str = "quittance_session";

/// The field of every form that holds the token of its session.
pub(super) const FORM_TOKEN: &str = "form_token";

/// Longest body of a form, in bytes.
const FORM_BYTES_MAX: usize = 8 * 1024;

/// Whoever is logged in.
pub(crate) struct Visitor {
    pub(super) caller: Caller,
    pub(super) session: Session,
}

/// Why somebody gets another page.
pub(crate) enum Turned {
    /// To the door, and back here afterwards.
    ToDoor(String),
    /// For this reason.
    Away(Problem),
}

impl IntoResponse for Turned {
    fn into_response(self) -> Response {
        match self {
            Self::ToDoor(next) => {
                Redirect::to(&address("/dashboard/login", &[("next", Some(next.as_str()))])).into_response()
            }
            Self::Away(problem) => problem_page(None, &problem),
        }
    }
}

impl FromRequestParts<Dashboard> for Visitor {
    type Rejection = Turned;

    async fn from_request_parts(parts: &mut Parts, dashboard: &Dashboard) -> Result<Self, Turned> {
        // A form that was sent too late is not sent again by going there.
        let back = if parts.method == Method::GET { parts.uri.clone() } else { Uri::from_static(ROOT) };
        Self::of(dashboard, &parts.headers, &back, Use::Person).await
    }
}

impl Visitor {
    /// Who sends this; where nobody is logged in, the door leads to `uri`.
    pub(super) async fn of(dashboard: &Dashboard, headers: &HeaderMap, uri: &Uri, how: Use) -> Result<Self, Turned> {
        let to_door = || Turned::ToDoor(uri.path_and_query().map_or(ROOT, |path| path.as_str()).to_owned());
        let found = cookie(headers, COOKIE).and_then(|id| dashboard.sessions.find(id, how, clock::monotonic()));
        let session = found.ok_or_else(to_door)?;
        match holder(&dashboard.handle, session.key).await {
            Ok(caller) => Ok(Self { caller, session }),
            Err(problem) if problem.kind().code == catalogue::UNAUTHORISED.code => {
                // Its key was revoked, or its time is over: so is what was begun with it.
                dashboard.sessions.end(&session.id);
                Err(to_door())
            }
            Err(problem) => Err(Turned::Away(problem)),
        }
    }

    /// What the key may do, as a person's part.
    pub(super) const fn role(&self) -> &'static str {
        match self.caller.scope {
            Scope::Admin => "admin",
            Scope::Write => "operator",
            Scope::Read => "viewer",
        }
    }

    /// Whether the whole installation's is shown, too.
    pub(super) fn is_admin(&self) -> bool {
        self.caller.scope == Scope::Admin
    }

    /// Reads a form of this session.
    pub(super) async fn form(&self, request: Request, known: &[&str]) -> Result<Parameters, Problem> {
        let names: Vec<&str> = known.iter().copied().chain([FORM_TOKEN]).collect();
        let form = read_form(request, &names).await?;
        if !is_same(form.text(FORM_TOKEN).unwrap_or_default(), &self.session.form_token) {
            return Err(forged());
        }
        Ok(form)
    }

    /// The page, or why there is none, as this visitor sees it.
    pub(super) fn answer(&self, page: Result<Page, Problem>) -> Response {
        match page {
            Ok(page) => page.answer(self),
            Err(problem) => problem_page(Some(self), &problem),
        }
    }
}

/// Reads a form that a browser says is our own.
pub(super) async fn read_form(request: Request, known: &[&str]) -> Result<Parameters, Problem> {
    let (parts, body) = request.into_parts();
    if is_of_another_site(&parts.headers) {
        return Err(forged());
    }
    let kind = parts.headers.get(header::CONTENT_TYPE).map(|value| value.as_bytes()).unwrap_or_default();
    if !kind.to_ascii_lowercase().starts_with(b"application/x-www-form-urlencoded") {
        return Err(Problem::new(&catalogue::UNSUPPORTED_MEDIA_TYPE, "a form of the dashboard is expected"));
    }
    let bytes = bounded(body, FORM_BYTES_MAX).await?;
    // What a form sends is written as a query is.
    let unread = |_| Problem::new(&catalogue::MALFORMED_REQUEST, "the form is not name=value&… in UTF-8");
    let query = [b"/?", bytes.as_ref()].concat();
    Parameters::of_form(&Uri::try_from(query).map_err(unread)?, known)
}

/// Whether the browser says that another site has sent it. With the policy of our pages it names no origin where it tells
/// sites apart by itself.
fn is_of_another_site(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    match (text("sec-fetch-site"), text("origin"), text("host")) {
        (Some(site), _, _) => site != "same-origin",
        (None, None | Some("null"), _) => false,
        (None, Some(origin), host) => origin.split_once("://").map(|(_, host)| host) != host,
    }
}

pub(super) fn forged() -> Problem {
    let detail = "the form is not one that this session was given; open the page again, and send it from there";
    Problem::new(&catalogue::FORBIDDEN, detail)
}

/// The value of a cookie.
pub(super) fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(known, _)| *known == name).map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn what_another_site_sends_is_known_by_what_the_browser_says() {
        let sent = |headers: &[(&'static str, &'static str)]| {
            let headers = headers
                .iter()
                .map(|(name, value)| (http::HeaderName::from_static(name), HeaderValue::from_static(value)));
            is_of_another_site(&headers.collect())
        };
        let host = ("host", "127.0.0.1:8080");
        assert!(
            !sent(&[host]) && !sent(&[host, ("origin", "null")]) && !sent(&[host, ("sec-fetch-site", "same-origin")])
        );
        assert!(!sent(&[host, ("origin", "http://127.0.0.1:8080")]));
        assert!(sent(&[host, ("origin", "http://evil.example")]) && sent(&[host, ("origin", "evil")]));
        for site in ["cross-site", "same-site", "none"] {
            assert!(sent(&[host, ("sec-fetch-site", site), ("origin", "http://127.0.0.1:8080")]), "{site}");
        }
    }

    #[test]
    fn a_cookie_is_found_among_others() {
        let headers = |text: &'static str| HeaderMap::from_iter([(header::COOKIE, HeaderValue::from_static(text))]);
        assert_eq!(cookie(&headers("a=1; quittance_session=x=y ;b=2"), COOKIE), Some("x=y"));
        assert_eq!(cookie(&headers("quittance_sessions=1; session"), COOKIE), None);
    }
}
