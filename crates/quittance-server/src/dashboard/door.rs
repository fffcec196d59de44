//! Logging in and out: somebody shows an API key once, and holds a session instead of it.
//!
//! The form carries a token that a cookie of its own repeats, so that nobody is logged in by another site. The key is looked up as
//! every request's is; what is wrong with one that is refused is not said.

use super::page::{problem_page, rendered};
use super::sessions::{LIFETIME, is_same, token};
use super::visitor::{COOKIE, FORM_TOKEN, Visitor, cookie, forged, read_form};
use super::{Dashboard, ROOT, assets};
use crate::api::query::Parameters;
use crate::auth::{digest_of, holder};
use crate::clock;
use crate::connections::CameFrom;
use crate::problem::{Problem, catalogue};
use askama::Template;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Redirect, Response};
use http::{HeaderMap, HeaderValue, StatusCode, Uri, header};

/// Name of the cookie that repeats the token of the log-in form.
const DOOR_COOKIE: &str = "quittance_login";

/// How long somebody may take to fill it in, in seconds.
const DOOR_S: u64 = 3_600;

#[derive(Template)]
#[template(path = "dashboard/login.html")]
struct Door<'a> {
    style: &'a str,
    icon: &'a str,
    token: &'a str,
    next: &'a str,
    wrong: Option<&'a str>,
}

/// `GET /dashboard/login`
pub(super) async fn ask(State(dashboard): State<Dashboard>, uri: Uri, headers: HeaderMap) -> Response {
    match Parameters::of_form(&uri, &["next"]) {
        Ok(asked) => door(&dashboard, &headers, StatusCode::OK, next_of(&asked), None),
        Err(problem) => problem_page(None, &problem),
    }
}

/// The form, with a new token.
fn door(dashboard: &Dashboard, headers: &HeaderMap, status: StatusCode, next: &str, wrong: Option<&str>) -> Response {
    let [style, _, icon] = assets::addresses();
    let token = token();
    let page = Door { style: &style, icon: &icon, token: &token, next, wrong };
    let mut response = rendered(status, &page);
    let path = "/dashboard/login";
    set_cookie(&mut response, &cookie_text(dashboard, headers, (DOOR_COOKIE, &token), path, DOOR_S));
    response
}

/// `POST /dashboard/login`
pub(super) async fn log_in(State(dashboard): State<Dashboard>, request: Request) -> Response {
    let headers = request.headers().clone();
    let from = request.extensions().get::<CameFrom>().map(|from| from.0);
    let form = match read_form(request, &["key", "next", FORM_TOKEN]).await {
        Ok(form) => form,
        Err(problem) => return problem_page(None, &problem),
    };
    let given = cookie(&headers, DOOR_COOKIE).unwrap_or_default();
    if given.is_empty() || !is_same(form.text(FORM_TOKEN).unwrap_or_default(), given) {
        return problem_page(None, &forged());
    }
    let next = next_of(&form);
    match begin(&dashboard, form.text("key").unwrap_or_default().trim()).await {
        Ok(Some(session)) => {
            let mut response = Redirect::to(next).into_response();
            let cookie = (COOKIE, session.as_str());
            set_cookie(&mut response, &cookie_text(&dashboard, &headers, cookie, ROOT, LIFETIME.as_secs()));
            response
        }
        // A key that is good is never refused: behind a proxy everybody comes from one address.
        Ok(None) => {
            if let Err(wait_s) = dashboard.attempts.begin(from, clock::monotonic()) {
                let problem = Problem::new(&catalogue::TOO_MANY_REQUESTS, "too many log-ins are tried from there");
                return problem_page(None, &problem.retry_after(wait_s));
            }
            tracing::warn!("somebody tried to log in to the dashboard with a key that is not good");
            let wrong = Some("The key is not known, or revoked.");
            door(&dashboard, &headers, StatusCode::UNAUTHORIZED, next, wrong)
        }
        Err(problem) => problem_page(None, &problem),
    }
}

/// A session for whoever holds a key; none where it is not good.
async fn begin(dashboard: &Dashboard, secret: &str) -> Result<Option<String>, Problem> {
    let Some(digest) = digest_of(secret) else { return Ok(None) };
    match holder(&dashboard.handle, digest).await {
        Ok(caller) => {
            tracing::info!(key = %caller.credential, "somebody logged in to the dashboard");
            Ok(Some(dashboard.sessions.begin(digest, clock::monotonic())))
        }
        Err(problem) if problem.kind().code == catalogue::UNAUTHORISED.code => Ok(None),
        Err(problem) => Err(problem),
    }
}

/// `POST /dashboard/logout`
pub(super) async fn log_out(State(dashboard): State<Dashboard>, visitor: Visitor, request: Request) -> Response {
    let headers = request.headers().clone();
    if let Err(problem) = visitor.form(request, &[]).await {
        return problem_page(Some(&visitor), &problem);
    }
    dashboard.sessions.end(&visitor.session.id);
    let mut response = Redirect::to("/dashboard/login").into_response();
    set_cookie(&mut response, &cookie_text(&dashboard, &headers, (COOKIE, ""), ROOT, 0));
    response
}

/// Where somebody wanted to go: a path of ours, or else the first page.
fn next_of(form: &Parameters) -> &str {
    form.text("next").filter(|next| is_ours(next)).unwrap_or(ROOT)
}

/// A path below the dashboard, in letters that no browser reads as anything else.
fn is_ours(next: &str) -> bool {
    let rest = next.strip_prefix(ROOT);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']))
        && next.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\')
        && !next.contains("//")
        && !next.contains("/..")
}

/// A cookie for this site alone, out of reach of scripts, and sent in the clear only where everything is.
fn cookie_text(
    dashboard: &Dashboard,
    headers: &HeaderMap,
    (name, value): (&str, &str),
    path: &str,
    seconds: u64,
) -> String {
    let is_told = headers.get("x-forwarded-proto").is_some_and(|proto| proto == "https");
    let is_encrypted = dashboard.handle.config().server.front.tls.is_some() || is_told;
    let secure = if is_encrypted { "; Secure" } else { "" };
    format!("{name}={value}; Path={path}; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}")
}

fn set_cookie(response: &mut Response, text: &str) {
    // Names, tokens and numbers of our own.
    if let Ok(value) = HeaderValue::from_str(text) {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_the_door_comes_a_page_of_ours_and_nothing_else() {
        for next in ["/dashboard", "/dashboard/payments?status=unknown&cursor=c1_00", "/dashboard?x=%2F"] {
            assert!(is_ours(next), "{next}");
        }
        for next in [
            "",
            "/",
            "//evil.example",
            "/dashboards",
            "/dashboard.evil.example",
            "https://evil.example/dashboard",
            "/dashboard//evil.example",
            "/dashboard/../v1/payments",
            "/dashboard/\\evil",
            "/dashboard/\r\nSet-Cookie: a=b",
            "/dashboard/ü",
        ] {
            assert!(!is_ours(next), "{next}");
        }
    }
}
