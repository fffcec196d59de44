//! What a role has to be allowed, and whose functions are called.

use super::{WriteOptions, change, refusals, text, touching, try_write, write, writer_at};
use crate::systems::postgres::{Database, refused};
use quittance_core::record::value::Value;
use quittance_server::systems::Blame;
use quittance_server::systems::write::Written;
use quittance_surroundings::Postgres as Server;

const ONE: &str = "CREATE TABLE a (id int PRIMARY KEY, v text, at timestamptz, secret text); INSERT INTO a VALUES (1, 'old', NULL, 'x')";

#[test]
fn the_missing_grant_is_told_and_the_least_suffices() {
    let Some(database) = Database::with("rights to write in PostgreSQL", ONE) else { return };
    let (role, mut writer) = database.writer_of_asker(touching("at"));
    let change = [change(1, text("old"), text("new"))];
    database.sql(&format!("GRANT SELECT (id, v) ON a TO {role}"));
    let error = try_write(&mut writer, &change).unwrap_err();
    let grant = format!("GRANT UPDATE (\"at\", \"v\") ON \"public\".\"a\" TO \"{role}\"");
    refused(&error, Blame::Configuration, "may not change \"at\", \"v\"", &grant);
    database.sql(&grant);
    let url = database.server.url(&database.name).replace("postgres@", &format!("{role}@"));
    assert_eq!(write(&mut writer_at(&url, touching("at")), &change), [Written::Done]);
    assert_eq!(database.sql("SELECT v, at IS NOT NULL FROM a"), "new|t");
}

#[test]
fn a_row_that_a_policy_hides_is_gone_and_one_that_it_keeps_is_refused() {
    let Some(database) = Database::with(
        "policies and writes in PostgreSQL",
        "CREATE TABLE a (id int PRIMARY KEY, v text); INSERT INTO a SELECT n, 'old' FROM generate_series(1, 4) AS n;
        ALTER TABLE a ENABLE ROW LEVEL SECURITY; CREATE POLICY seen ON a FOR SELECT USING (id <> 2);
        CREATE POLICY kept ON a FOR UPDATE USING (id <> 3) WITH CHECK (id <> 4); GRANT SELECT, UPDATE ON a TO PUBLIC",
    ) else {
        return;
    };
    let (_, mut writer) = database.writer_of_asker(WriteOptions::default());
    let writes: Vec<_> = (1..=4).map(|id| change(id, text("old"), text("new"))).collect();
    let written = write(&mut writer, &writes);
    assert_eq!(written[..2], [Written::Done, Written::Gone]);
    let refusals = refusals(&written);
    assert!(refusals[0].1.contains("policy") && refusals[1].1.starts_with("42501: "), "{refusals:?}");
    assert_eq!(database.sql("SELECT string_agg(v, ' ' ORDER BY id) FROM a"), "new old old old");
}

#[test]
fn nobodys_functions_and_operators_are_called_but_postgresqls() {
    let Some(database) = Database::with(
        "hijacked functions in writes to PostgreSQL",
        "CREATE TABLE a (id int PRIMARY KEY, v text); INSERT INTO a VALUES (1, 'old'); CREATE TABLE trap (who text);
        CREATE FUNCTION public.spring(a text, b text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN
            INSERT INTO public.trap VALUES (current_user); RETURN true; END $$;
        CREATE FUNCTION public.now() RETURNS timestamptz LANGUAGE plpgsql AS $$ BEGIN
            INSERT INTO public.trap VALUES (current_user); RETURN pg_catalog.now(); END $$;
        CREATE OPERATOR public.= (LEFTARG = text, RIGHTARG = text, FUNCTION = public.spring);
        CREATE DOMAIN public.text AS pg_catalog.varchar(1);
        ALTER TABLE a ADD at timestamptz",
    ) else {
        return;
    };
    database.sql(&format!("ALTER DATABASE {} SET search_path = public, pg_catalog", database.name));
    let written = write(&mut database.writer_with(touching("at")), &[change(1, text("old"), text("new"))]);
    assert_eq!(written, [Written::Done]);
    assert_eq!(database.sql("SELECT count(*) FROM public.trap"), "0");
}

#[test]
fn a_replica_is_not_written() {
    let Some(server) = Server::start("writes to a replica of PostgreSQL") else { return };
    server.sql("postgres", ONE);
    let replica = server.replica(&[]);
    let mut writer = writer_at(&replica.url("postgres"), WriteOptions::default());
    let error = try_write(&mut writer, &[change(1, text("old"), Value::Null)]).unwrap_err();
    refused(&error, Blame::Configuration, "is a replica, which nobody writes", "write_url");
}
