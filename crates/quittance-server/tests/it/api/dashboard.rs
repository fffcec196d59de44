//! The dashboard, as a browser without scripts sees it.

mod acts;
mod door;
mod live;
mod pages;

use super::app::App;
use super::call::{Answer, Call};
use axum::Router;
use std::collections::BTreeMap;

/// What a browser keeps: cookies, and where it is.
pub struct Browser {
    router: Router,
    cookies: BTreeMap<String, String>,
}

impl Browser {
    /// One that was never here.
    pub fn new(app: &App) -> Self {
        Self { router: app.router.clone(), cookies: BTreeMap::new() }
    }

    /// One that has logged in with a key.
    pub async fn logged_in(app: &App, key: &str) -> Self {
        let mut browser = Self::new(app);
        let answer = browser.log_in(key, "/dashboard").await;
        assert_eq!((answer.status, answer.header("location")), (303, Some("/dashboard")), "{}", html(&answer));
        browser
    }

    pub async fn log_in(&mut self, key: &str, next: &str) -> Answer {
        let door = self.get("/dashboard/login").await;
        let token = hidden(&html(&door), "form_token");
        self.post("/dashboard/login", &[("key", key), ("next", next), ("form_token", &token)]).await
    }

    pub async fn get(&mut self, path: &str) -> Answer {
        self.send(Call::new("GET", path)).await
    }

    /// Posts a form as it is given.
    pub async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.send(form(path, fields)).await
    }

    /// Posts a form with the token that the page before it carries.
    pub async fn submit(&mut self, page: &Answer, path: &str, fields: &[(&str, &str)]) -> Answer {
        let token = hidden(&html(page), "form_token");
        self.post(path, &[fields, &[("form_token", token.as_str())]].concat()).await
    }

    pub async fn send(&mut self, call: Call) -> Answer {
        let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let call = call.header("cookie", &cookies.join("; ")).header("host", "127.0.0.1:8080");
        let answer = call.send(&self.router).await;
        if let Some(cookie) = answer.header("set-cookie") {
            for property in ["HttpOnly", "SameSite=Strict", "Path=/dashboard"] {
                assert!(cookie.contains(property), "{cookie}");
            }
            let (name, value) = cookie.split(';').next().expect("a pair").split_once('=').expect("a name");
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        answer
    }
}

/// A form as a browser sends it.
pub fn form(path: &str, fields: &[(&str, &str)]) -> Call {
    let encoded = |text: &str| -> String {
        text.bytes()
            .map(|b| if b.is_ascii_alphanumeric() { (b as char).to_string() } else { format!("%{b:02X}") })
            .collect()
    };
    let pairs: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
    Call::new("POST", path).header("content-type", "application/x-www-form-urlencoded").body(pairs.join("&"))
}

/// The text of a page.
pub fn html(answer: &Answer) -> String {
    String::from_utf8(answer.body.clone()).expect("UTF-8")
}

/// The value of the last hidden field of a name: the log-out comes first, and has the same token.
pub fn hidden(page: &str, name: &str) -> String {
    let start = format!("name=\"{name}\" value=\"");
    let (_, rest) = page.rsplit_once(&start).unwrap_or_else(|| panic!("no field {name} in {page}"));
    rest.split('"').next().expect("a value").to_owned()
}
