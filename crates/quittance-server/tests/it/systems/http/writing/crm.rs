//! An API that keeps accounts, gives each an entity tag, remembers keys, and does with each write what it is told.

use crate::systems::provider::{Call, Canned, Provider};
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

/// What is done with a write.
pub enum Then {
    /// It is carried out, and the record is the answer.
    Apply,
    /// It is carried out, and this is the answer; without one the connection breaks.
    ApplyAnd(Option<Canned>),
    /// It is not, and this is the answer; without one the connection breaks.
    Only(Option<Canned>),
    /// Somebody else sets this field first; then it is carried out as any.
    After(&'static str, Json),
}

/// What is done with the n-th write, from 1.
pub type Script = fn(usize) -> Then;

pub struct Crm {
    accounts: Mutex<BTreeMap<String, (Json, u64)>>,
    keys: Mutex<BTreeMap<String, Canned>>,
    calls: Mutex<Vec<Call>>,
    applied: Mutex<usize>,
    script: Script,
    /// What an answer to a reading says of the record beside the record.
    pub has_tags: bool,
}

impl Crm {
    /// Serves three accounts.
    pub fn serve(script: Script) -> (Arc<Self>, Provider) {
        Self::serve_with(script, true)
    }

    pub fn serve_with(script: Script, has_tags: bool) -> (Arc<Self>, Provider) {
        let account = |id: i64| {
            let account = json!({
                "id": id, "plan": "basic", "seats": 3, "note": null, "name": "Ada",
                "address": {"city": "Bonn", "zip": "53111"},
            });
            (id.to_string(), (account, 1))
        };
        let crm = Arc::new(Self {
            accounts: Mutex::new([7, 8, 9].map(account).into()),
            keys: Mutex::default(),
            calls: Mutex::default(),
            applied: Mutex::default(),
            script,
            has_tags,
        });
        let served = Arc::clone(&crm);
        (crm, Provider::scripted(move |call| served.answer(call)))
    }

    /// What an account is.
    pub fn account(&self, id: &str) -> Json {
        self.accounts.lock().unwrap()[id].0.clone()
    }

    /// Somebody else changes a field.
    pub fn set(&self, id: &str, field: &str, value: Json) {
        let mut accounts = self.accounts.lock().unwrap();
        let (account, version) = accounts.get_mut(id).unwrap();
        account[field] = value;
        *version += 1;
    }

    pub fn remove(&self, id: &str) {
        self.accounts.lock().unwrap().remove(id);
    }

    /// The writes that came.
    pub fn calls(&self) -> MutexGuard<'_, Vec<Call>> {
        self.calls.lock().unwrap()
    }

    /// How many of them were carried out.
    pub fn applied(&self) -> usize {
        *self.applied.lock().unwrap()
    }

    fn answer(&self, call: &Call) -> Option<Canned> {
        let id = call.target.rsplit('/').next().unwrap().to_owned();
        if call.method == "GET" {
            assert!(call.headers.contains("authorization: Bearer writing-token\n"), "{}", call.headers);
            return Some(self.shown(&id));
        }
        let Call { method, target, headers, body } = call;
        let kept =
            Call { method: method.clone(), target: target.clone(), headers: headers.clone(), body: body.clone() };
        self.calls().push(kept);
        let turn = self.calls().len();
        match (self.script)(turn) {
            Then::Apply => Some(self.apply(&id, call)),
            Then::ApplyAnd(answer) => {
                self.apply(&id, call);
                answer
            }
            Then::Only(answer) => answer,
            Then::After(field, value) => {
                self.set(&id, field, value);
                Some(self.apply(&id, call))
            }
        }
    }

    fn shown(&self, id: &str) -> Canned {
        let accounts = self.accounts.lock().unwrap();
        let Some((account, version)) = accounts.get(id) else { return Canned::text(404, "application/json", "{}") };
        let mut shown = Canned::json(&json!({"account": account}));
        if self.has_tags {
            shown.headers.push(("etag", format!("\"v{version}\"")));
        }
        shown
    }

    /// Carries a write out, once for each key, where the record is what it is held against.
    fn apply(&self, id: &str, call: &Call) -> Canned {
        let key = header(call, "idempotency-key");
        if let Some(kept) = key.and_then(|key| self.keys.lock().unwrap().get(key).map(copy)) {
            return kept;
        }
        {
            let mut accounts = self.accounts.lock().unwrap();
            let Some((account, version)) = accounts.get_mut(id) else {
                return Canned::text(404, "application/json", "{}");
            };
            if header(call, "if-match").is_some_and(|tag| tag != format!("\"v{version}\"")) {
                return Canned::text(412, "application/json", r#"{"title": "Precondition Failed"}"#);
            }
            let body: Json = serde_json::from_str(&call.body).unwrap();
            match call.method.as_str() {
                "PUT" => *account = body["account"].clone(),
                _ => merge(account, &body["account"]),
            }
            *version += 1;
            *self.applied.lock().unwrap() += 1;
        }
        let shown = self.shown(id);
        if let Some(key) = key {
            self.keys.lock().unwrap().insert(key.to_owned(), copy(&shown));
        }
        shown
    }
}

/// A header of a request.
pub fn header<'c>(call: &'c Call, name: &str) -> Option<&'c str> {
    call.headers.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

fn copy(canned: &Canned) -> Canned {
    Canned { status: canned.status, headers: canned.headers.clone(), body: canned.body.clone() }
}

/// The algorithm of RFC 7386, section 2, word for word.
fn merge(target: &mut Json, patch: &Json) {
    let Json::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    for (name, value) in patch {
        if value.is_null() {
            target.as_object_mut().unwrap().remove(name);
        } else {
            merge(&mut target[name], value);
        }
    }
}
