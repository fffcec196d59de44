//! JSON APIs as systems: read as they are configured, in every way from page to page, and never a part for the whole.

mod writing;

use super::provider::{Asked, Canned, Provider};
use super::{check_error, find, read, read_all, side};
use quittance_core::record::value::Value;
use quittance_server::config::{Config, Secret, System as Configured};
use quittance_server::systems::http::Http;
use quittance_server::systems::{Blame, Patience, System, SystemError, Wanted};
use serde_json::{Value as Json, json};
use std::collections::BTreeSet;
use std::time::Duration;

const IMPATIENT: Patience =
    Patience { tries_max: 3, pause: Duration::from_millis(1), pause_max: Duration::from_millis(10) };

/// Whatever the variable is called, this is in it.
const TOKEN: &str = "secret-token";

fn configured(text: &str) -> Result<Configured, String> {
    let config = Config::from_text(text, &|_| None).map_err(|errors| errors.to_string())?;
    Ok(config.systems["crm"].clone())
}

fn open_as(provider: &Provider, system: &str, object: &str) -> Http {
    let base = &provider.base;
    let text = format!(
        "[systems.crm]\nkind = \"http\"\nbase_url = \"{base}/api/\"\nrequests_per_second_max = 1000\n{system}\n\
         [systems.crm.objects.account]\n{object}\n"
    );
    let Configured::Http(api) = configured(&text).unwrap() else { panic!("{text}") };
    Http::open("crm", &api, Some(&Secret::new(TOKEN.to_owned())), IMPATIENT).unwrap()
}

fn open(provider: &Provider, object: &str) -> Http {
    open_as(provider, "", object)
}

fn records(from: usize, to: usize) -> Vec<Json> {
    (from..to).map(|at| json!({"id": at, "name": format!("n{at}")})).collect()
}

/// A parameter of a target.
fn parameter(target: &str, name: &str) -> Option<usize> {
    let query = target.split_once('?')?.1;
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs.filter(|(known, _)| *known == name).find_map(|(_, value)| value.parse().ok())
}

/// Reads all accounts; how many different ones there are.
fn count(system: &mut Http) -> Result<usize, SystemError> {
    let rows = read(system, "account", &["id", "name"], &Wanted::All)?;
    let count = rows.len();
    assert_eq!(rows.into_iter().collect::<BTreeSet<_>>().len(), count, "each comes once");
    Ok(count)
}

#[test]
fn every_way_from_page_to_page_reads_all() {
    for (object, requests) in [
        ("paging = \"cursor\"\nnext = \"/meta/next\"\nparameter = \"after\"\nrecords = \"/data\"\npage_size = 10", 4),
        ("paging = \"page\"\nparameter = \"page\"\nrecords = \"/data\"\npage_size = 10", 5),
        ("paging = \"page\"\nmore = \"/meta/more\"\nrecords = \"/data\"\npage_size = 10", 4),
        ("paging = \"offset\"\nrecords = \"/data\"\npage_size = 10", 5),
        ("paging = \"link\"\nnext = \"/meta/url\"\nrecords = \"/data\"\npage_size = 10", 4),
        ("paging = \"link\"\nrecords = \"/data\"\npage_size = 10", 4),
        ("paging = \"none\"\nrecords = \"/data\"", 1),
    ] {
        let asked = Asked::default();
        let noted = asked.clone();
        let provider = Provider::canned(move |target, _| {
            noted.note(target);
            let size = parameter(target, "limit").unwrap_or(35);
            let page = parameter(target, "page").map_or(0, |page| (page - 1) * size);
            let from = page + parameter(target, "after").or(parameter(target, "offset")).unwrap_or(0);
            let to = (from + size).min(35).max(from);
            let has_more = to < 35;
            let url = has_more.then(|| format!("/api/accounts?limit={size}&after={to}"));
            let next = has_more.then_some(to);
            let meta = json!({"next": next, "more": has_more, "url": url});
            let mut answer = Canned::json(&json!({"data": records(from.min(35), to.min(35)), "meta": meta}));
            answer
                .headers
                .push(("link", url.map_or("</>; rel=first".to_owned(), |url| format!("<{url}>; rel=\"next\""))));
            answer
        });
        let mut system = open(&provider, &format!("list = \"/accounts\"\n{object}"));
        assert_eq!(count(&mut system).unwrap(), 35, "{object}");
        let asked = asked.targets();
        assert_eq!(asked.len(), requests, "{object}: {asked:#?}");
        assert!(asked.iter().all(|target| target.starts_with("/api/accounts")), "{asked:#?}");
    }
}

#[test]
fn b30_a_repeated_cursor_is_an_error() {
    let cursor = "list = \"/a\"\npaging = \"cursor\"\nnext = \"/next\"\nparameter = \"after\"\nrecords = \"/data\"";
    let same = Provider::canned(|_, _| Canned::json(&json!({"data": records(0, 3), "next": "x"})));
    let words = ["GET /api/a of system `crm` cannot be read to its end", "repeated a cursor"];
    check_error(count(&mut open(&same, cursor)), Blame::Outside, &words);
    let endless = Provider::canned(|target, _| {
        let next = parameter(target, "after").unwrap_or(0) + 1;
        Canned::json(&json!({"data": records(0, 3), "next": next}))
    });
    check_error(count(&mut open(&endless, cursor)), Blame::Outside, &["repeated a cursor"]);
    let last_page_for_ever = Provider::canned(|_, _| Canned::json(&json!(records(0, 3))));
    let page = "list = \"/a\"\npaging = \"page\"";
    check_error(count(&mut open(&last_page_for_ever, page)), Blame::Outside, &["repeated a cursor"]);
}

#[test]
fn b17_what_is_no_list_is_not_an_empty_one() {
    let check = |canned: fn() -> Canned, blame, words: &[&str]| {
        let provider = Provider::canned(move |_, _| canned());
        let object = "list = \"/a\"\npaging = \"cursor\"\nnext = \"/next\"\nparameter = \"c\"\nrecords = \"/data\"\npage_size = 2";
        check_error(count(&mut open(&provider, object)), blame, words);
    };
    check(|| Canned::text(200, "text/html", "<html>"), Blame::Outside, &["tried 3 times", "text/html", "not JSON"]);
    check(|| Canned::text(200, "application/json", "{\"data\":[{"), Blame::Outside, &["not JSON (EOF"]);
    check(|| Canned::text(503, "text/plain", "later"), Blame::Outside, &["it answers 503"]);
    check(|| Canned::json(&json!({"rows": []})), Blame::Configuration, &["`/data` is no array of records"]);
    check(|| Canned::json(&json!({"data": [{"key": 1}]})), Blame::Configuration, &["has no `id`"]);
    check(|| Canned::json(&json!({"data": [{"id": null}]})), Blame::Configuration, &["has no `id`"]);
    check(|| Canned::json(&json!({"data": records(0, 2)})), Blame::Outside, &["its page 1 has ", "nothing at /next"]);
    check(
        || Canned::text(401, "text/plain", ""),
        Blame::Configuration,
        &["does not allow GET /api/a to its token (401)"],
    );
    check(|| Canned::text(404, "text/plain", ""), Blame::Configuration, &["system `crm` has no /api/a (404)"]);
    check(|| Canned::text(418, "text/plain", ""), Blame::Outside, &["answers GET /api/a with 418"]);
}

/// Neither a redirect nor a next page takes the token to another host.
#[test]
fn the_token_goes_to_nobody_else() {
    let (asked, elsewhere) = (Asked::default(), Asked::default());
    let noted = elsewhere.clone();
    let other = Provider::canned(move |target, _| {
        noted.note(target);
        Canned::json(&json!([]))
    });
    let place = format!("{}/api/a", other.base);
    let (target, noted) = (place.clone(), asked.clone());
    let redirecting = Provider::canned(move |_, headers| {
        noted.note(headers);
        Canned { headers: vec![("location", target.clone())], ..Canned::text(302, "text/plain", "") }
    });
    let mut system = open_as(&redirecting, "token = \"env:CRM_TOKEN\"", "list = \"/a\"\npaging = \"none\"");
    let words = ["with 302 and points to http://127.0.0.1", "redirects are not followed"];
    check_error(count(&mut system), Blame::Configuration, &words);
    assert!(asked.targets()[0].contains("authorization: Bearer secret-token\n"), "{:?}", asked.targets());
    let leading = Provider::canned(move |_, _| Canned::json(&json!({"data": records(0, 1), "next": place})));
    let link = "list = \"/a\"\npaging = \"link\"\nnext = \"/next\"\nrecords = \"/data\"";
    check_error(count(&mut open(&leading, link)), Blame::Outside, &["which is not below its own address"]);
    assert!(elsewhere.targets().is_empty());
}

#[test]
fn an_api_is_told_who_asks_in_its_own_way() {
    for (auth, header) in [
        ("", None),
        ("auth = \"none\"", None),
        ("token = \"env:T\"", Some("authorization: Bearer secret-token\n")),
        ("auth = \"header\"\nheader = \"X-Api-Key\"\ntoken = \"env:T\"", Some("x-api-key: secret-token\n")),
        // The example of RFC 7617, section 2, has another password.
        (
            "auth = \"basic\"\nusername = \"Aladdin\"\ntoken = \"env:T\"",
            Some("authorization: Basic QWxhZGRpbjpzZWNyZXQtdG9rZW4=\n"),
        ),
    ] {
        let headers = Asked::default();
        let noted = headers.clone();
        let provider = Provider::canned(move |_, headers| {
            noted.note(headers);
            Canned::json(&json!([]))
        });
        assert_eq!(count(&mut open_as(&provider, auth, "list = \"/a\"\npaging = \"none\"")).unwrap(), 0);
        let told = headers.targets().concat();
        assert!(told.contains("accept: application/json\n"), "{told}");
        match header {
            Some(header) => assert!(told.contains(header), "{header} in {told}"),
            None => assert!(!told.contains("secret-token") && !told.contains("authorization"), "{told}"),
        }
    }
}

#[test]
fn b39_absent_is_not_null_unless_it_is_said_to_be() {
    let provider =
        Provider::canned(|_, _| Canned::json(&json!([{"id": "a", "plan": null, "x": {"y": 1}}, {"id": "b", "x": {}}])));
    let columns = ["id", "plan", "/x/y"];
    let object = "list = \"/a\"\npaging = \"none\"";
    let rows = ["Text a | NULL | Number 1", "Text b | (absent) | (absent)"];
    assert_eq!(read_all(&mut open(&provider, object), "account", &columns), rows);
    let rows = ["Text a | NULL | Number 1", "Text b | NULL | NULL"];
    assert_eq!(read_all(&mut open(&provider, &format!("{object}\nabsent = \"null\"")), "account", &columns), rows);
    let misspelt = read(&mut open(&provider, object), "account", &["id", "plam"], &Wanted::All);
    check_error(
        misspelt,
        Blame::Configuration,
        &["field `plam` of `account` is in none of 2 records", "did you mean `plan`?"],
    );
}

#[test]
fn records_are_found_by_their_identity() {
    let provider = Provider::canned(|target, _| match target {
        "/api/accounts/7" => Canned::json(&json!({"account": {"key": {"id": 7}, "name": "seven"}})),
        "/api/accounts/8" => Canned::json(&json!({"account": {"key": {"id": 9}, "name": "another"}})),
        _ => Canned::text(404, "application/json", "{}"),
    });
    let object = "list = \"/accounts\"\nget = \"/accounts/{key}\"\nrecord = \"/account\"\nidentity = \"/key/id\"\npaging = \"none\"";
    let mut system = open(&provider, object);
    assert_eq!(system.describe("account").unwrap().identity, ["/key/id"]);
    let columns = ["/key/id", "name"];
    assert!(system.can_find("account", &side(&columns), &[0]) && !system.can_find("account", &side(&columns), &[1]));
    let wanted = [7, 8, 10].map(|id| [Value::integer(id)]);
    let wanted: Vec<&[Value<'static>]> = wanted.iter().map(|tuple| tuple.as_slice()).collect();
    assert_eq!(find(&mut system, "account", &columns, &[0], &wanted), ["Number 7 | Text seven"]);
    let without = open(&provider, "list = \"/accounts\"\npaging = \"none\"");
    assert!(!without.can_find("account", &side(&["id"]), &[0]));
    check_error(system.describe("acount"), Blame::Configuration, &["no object `acount`", "did you mean `account`?"]);
}

/// The list is longer by one while it is read: what moved to the next page comes once.
#[test]
fn a_list_that_moves_gives_each_record_once() {
    let asked = Asked::default();
    let noted = asked.clone();
    let provider = Provider::canned(move |target, _| {
        let moved = noted.note(target) - 1;
        let from = (parameter(target, "page").unwrap() - 1) * 10;
        let row = |at: usize| json!({"id": format!("r{}", 1_000 + moved - at), "name": "n"});
        Canned::json(&json!((from..(from + 10).min(25 + moved)).map(row).collect::<Vec<_>>()))
    });
    assert_eq!(count(&mut open(&provider, "list = \"/a\"\npaging = \"page\"")).unwrap(), 25);
}

#[test]
fn mistakes_are_told_with_what_would_be_right() {
    let head = "[systems.crm]\nkind = \"http\"\n";
    for (text, words) in [
        (head.to_owned(), &["systems.crm.base_url: missing", "systems.crm.objects: missing"][..]),
        (format!("{head}base_url = \"crm.example\"\n"), &["not the address of an API"]),
        (format!("{head}base_url = \"https://u:p@crm.example\"\n"), &["not the address of an API"]),
        (format!("{head}auth = \"bearer\"\n"), &["systems.crm.token: missing"]),
        (format!("{head}auth = \"header\"\ntoken = \"env:T\"\n"), &["systems.crm.header: missing"]),
        (format!("{head}auth = \"header\"\nheader = \"a b\"\ntoken = \"env:T\"\n"), &["not the name of a header"]),
        (format!("{head}auth = \"baerer\"\n"), &["did you mean `bearer`?"]),
        (format!("{head}token = \"abc\"\n"), &["not a reference to a secret"]),
        (format!("{head}[systems.crm.objects.a]\n"), &["objects.a.list: missing", "objects.a.paging: missing"]),
        (
            format!("{head}[systems.crm.objects.a]\nlist = \"a\"\npaging = \"pages\"\n"),
            &["not a path", "not a way from page to page"],
        ),
        (format!("{head}[systems.crm.objects.a]\npaging = \"cursor\"\n"), &["a.next: missing", "a.parameter: missing"]),
        (
            format!("{head}[systems.crm.objects.a]\nrecords = \"data.rows\"\n"),
            &["not a JSON pointer", "\"/data/rows\""],
        ),
        (format!("{head}[systems.crm.objects.a]\nget = \"/a\"\n"), &["does not say where the key goes", "/a/{key}"]),
        (format!("{head}[systems.crm.objects.a]\nabsent = \"nil\"\n"), &["not what a missing field is"]),
        (format!("{head}[systems.crm.objects.a]\nlsit = \"/a\"\n"), &["did you mean `list`?"]),
    ] {
        let errors = configured(&text).unwrap_err();
        for word in words {
            assert!(errors.contains(word), "{word:?} is not in {errors}\nof {text}");
        }
    }
}
