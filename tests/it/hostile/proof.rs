//! The platform is only read: what an account may do beyond that is found on every server that can tell, and before any
//! connection is used.

use hookbridge::app::open_billing;
use hookbridge::billing::BillingError;
use hookbridge::config::load;
use hookbridge::demo::accounts::READER;
use hookbridge::demo::stage::{Secrets, variables};
use hookbridge::sql::{ConnectError, Refusal};
use serde_json::json;

use super::ground::Ground;
use crate::support::bridge::Bridge;
use crate::support::database::TestDb;

/// What the proof says of `account`, which is made for it with `grants`. `DB` in them is the platform's database.
async fn proved(ground: &Ground, db: &TestDb, grants: &[&str]) -> Result<(), Refusal> {
    let name = "'tried'@'localhost'";
    ground
        .admin(&format!("DROP USER IF EXISTS {name}; CREATE USER {name}; GRANT SELECT ON `{}`.* TO {name}", db.billing))
        .await;
    for grant in grants {
        ground.admin(&grant.replace("DB", &format!("`{}`", db.billing)).replace("ME", name)).await;
    }
    let url = ground.server.url_for("tried", &db.billing);
    let settings = variables(&url, &url, "http://127.0.0.1:1", &Secrets::new().expect("randomness"));
    let billing = open_billing(&load(None, settings).expect("settings")).expect("a pool");
    let result = billing.prove_read_only().await;
    billing.database().clone().close().await;
    match result {
        Ok(()) => Ok(()),
        Err(BillingError::Connect(ConnectError::Refused(refusal))) => Err(refusal),
        Err(error) => panic!("{grants:?}: {error}"),
    }
}

fn said(result: Result<(), Refusal>) -> String {
    result.expect_err("it may write").to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_way_to_write_is_found_and_reading_passes() {
    let ground = Ground::hold().await;
    let db = ground.databases().await;
    ground
        .admin(&format!(
            "CREATE DATABASE IF NOT EXISTS addon; CREATE TABLE IF NOT EXISTS addon.t (`a(b` INT, `c)` INT, note INT); \
             GRANT SELECT ON `{}`.* TO '{READER}'@'localhost'",
            db.billing
        ))
        .await;
    assert_eq!(proved(&ground, &db, &[]).await, Ok(()));
    let one = said(proved(&ground, &db, &["GRANT SELECT (`a(b`), UPDATE (note) ON addon.t TO ME"]).await);
    assert!(one.contains("UPDATE on `addon`.`t`") && one.contains("REVOKE UPDATE ON `addon`.`t` FROM"), "{one}");
    let one = said(proved(&ground, &db, &["GRANT SELECT (`a(b`, `c)`), INSERT ON addon.t TO ME"]).await);
    assert!(one.contains("INSERT on `addon`.`t`"), "{one}");
    let one = said(proved(&ground, &db, &["GRANT SELECT ON DB.* TO ME WITH GRANT OPTION"]).await);
    assert!(one.contains("REVOKE GRANT OPTION ON"), "{one}");
    let one = said(proved(&ground, &db, &["GRANT INSERT, CREATE TEMPORARY TABLES ON DB.* TO ME"]).await);
    assert!(one.contains("INSERT, CREATE TEMPORARY TABLES on"), "{one}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_role_that_only_reads_passes_and_one_that_writes_is_explained() {
    let ground = Ground::hold().await;
    let db = ground.databases().await;
    ground
        .admin("DROP ROLE IF EXISTS looker; DROP ROLE IF EXISTS writer; CREATE ROLE looker; CREATE ROLE writer")
        .await;
    ground
        .admin(&format!("GRANT SELECT ON `{0}`.* TO looker; GRANT SELECT, DELETE ON `{0}`.* TO writer", db.billing))
        .await;
    assert_eq!(proved(&ground, &db, &["GRANT looker TO ME"]).await, Ok(()));
    for default in [&[][..], &["SET DEFAULT ROLE writer FOR ME"], &["SET DEFAULT ROLE writer TO ME"]] {
        if let [default] = default
            && !known(&ground, default).await
        {
            continue;
        }
        let grants = [&["GRANT writer TO ME"], default].concat();
        let one = said(proved(&ground, &db, &grants).await);
        assert!(one.contains("DELETE on") && one.contains("a set of rights that the account may switch on"), "{one}");
    }
    let one = said(proved(&ground, &db, &["GRANT looker TO ME WITH ADMIN OPTION"]).await);
    assert!(one.contains("ADMIN OPTION"), "{one}");
    ground.admin("DROP ROLE looker; DROP ROLE writer").await;
}

/// Whether this kind of server knows the statement.
async fn known(ground: &Ground, statement: &str) -> bool {
    ground.admin("DROP USER IF EXISTS 'tried'@'localhost'; CREATE USER 'tried'@'localhost'; GRANT writer TO 'tried'@'localhost'").await;
    ground.try_admin(&statement.replace("ME", "'tried'@'localhost'")).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_everybody_may_do_counts_and_the_statement_that_takes_it_away_is_said() {
    let ground = Ground::hold().await;
    let db = ground.databases().await;
    // Only MariaDB 10.11 and later know PUBLIC.
    if !ground.try_admin("GRANT INSERT ON `test`.* TO PUBLIC").await {
        return;
    }
    let one = said(proved(&ground, &db, &[]).await);
    let statement = "REVOKE ALL PRIVILEGES ON `test`.* FROM PUBLIC";
    assert!(one.contains("PUBLIC") && one.contains(statement), "{one}");
    ground.admin(statement).await;
    assert_eq!(proved(&ground, &db, &[]).await, Ok(()), "what was said is what helps");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_that_gains_rights_while_the_billing_server_is_away_is_not_used() {
    let ground = Ground::hold().await;
    let bridge = Bridge::on(ground.databases().await, &[], |_| {}).await;
    let right = format!("INSERT ON `{}`.`tblclientgroups`", bridge.db.billing);
    ground.admin(&format!("GRANT {right} TO '{READER}'@'localhost'")).await;
    ground.kill_sessions(READER).await;
    let body = bridge.envelope("ClientAdd", &json!({ "client_id": 1 }));
    assert_eq!(bridge.post("evt_1", &body).await.status, 202);
    let _ = bridge.app.drain().await;
    assert!(bridge.messages().await.is_empty(), "an account that may write was used");
    let error = bridge.app.billing.ping().await.expect_err("it is refused").to_string();
    assert!(error.contains("INSERT on"), "{error}");
    let (ok, said, _) = bridge.run(&["doctor", "--json"]).await;
    assert!(!ok && said.contains("take away: INSERT on"), "{said}");
    ground.admin(&format!("REVOKE {right} FROM '{READER}'@'localhost'")).await;
    bridge.wait_s(600);
    bridge.settle().await;
    assert_eq!(bridge.messages().await.len(), 1, "it goes on by itself");
    bridge.finish().await;
}
