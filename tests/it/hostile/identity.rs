//! Whoever registers types an address: no address may stop the rule that judges it.

use std::time::Duration;

use serde_json::json;

use crate::support::bridge::Bridge;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_that_the_column_cannot_hold_is_nobodys_in_any_character_set() {
    let bridge = Bridge::start().await;
    for character_set in ["utf8mb3", "latin1", "utf8mb4"] {
        bridge.platform(&format!("ALTER TABLE tblclients CONVERT TO CHARACTER SET {character_set}")).await;
        for email in
            ["ana😀@example.com", "łukasz@example.pl", "名@example.jp", "o'hara+😀@example.org", "x\u{301}@example.org"]
        {
            let fields = json!({ "email": email, "phonenumber": "11 5555-0199", "phone_prefix": "54", "country": "AR",
                "kind": "client" });
            let answer = bridge.ask("identity", &fields).await;
            assert_eq!(answer.status, 200, "{character_set}, {email}: {:?}", answer.body);
            let found = bridge.app.billing.find_clients(email, None, 5, Duration::from_secs(1)).await;
            assert!(found.unwrap_or_else(|error| panic!("{character_set}, {email}: {error}")).clients.is_empty());
            let (ok, _, said) = bridge.run(&["why", email]).await;
            assert!(!ok && !said.contains("ERROR 1267"), "{character_set}, {email}: {said}");
        }
    }
    bridge.finish().await;
}
