//! The company's rules asked as the stub and as an administrator ask: real billing rows, the signed route, the record.

use hookbridge::demo::data::CAST;
use hookbridge::domain::decision::{DecisionId, Rule, Verdict};
use hookbridge::store::decision::{Filter, Kept, list};
use serde_json::{Value, json};

use crate::support::bridge::{Answer, Bridge};

impl Bridge {
    /// Asks a rule as the stub would, with a good signature.
    pub async fn ask(&self, rule: &str, fields: &Value) -> Answer {
        let body = self.envelope("OrderProductUpgradeOverride", fields).to_string().into_bytes();
        self.signed(&format!("/v1/decisions/{rule}"), "dec_1", body, |request| request).await
    }

    async fn decisions(&self, rule: Rule) -> Vec<Kept> {
        self.app.drain().await.expect("all is kept");
        let filter = Filter { rule: Some(rule), limit: 100, ..Filter::default() };
        list(&self.app.store, &filter).await.expect("decisions can be read")
    }
}

/// Codes of the conditions that failed.
fn failed(answer: &Answer) -> Vec<String> {
    let reasons = answer.body["reasons"].as_array().unwrap_or_else(|| panic!("no reasons: {answer:?}"));
    let failed = reasons.iter().filter(|one| one["passed"] == false);
    failed.map(|one| one["code"].as_str().unwrap_or_default().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_manuals_example_costs_the_difference_and_is_kept_with_what_it_saw() {
    let bridge = Bridge::start().await;
    let service = CAST.service_upgradable;
    let fields = json!({ "service_id": service.id, "to_product_id": 2, "to_cycle": "annually",
        "platform_price": "25.00", "platform_discount": "0.00", "client_id": service.client });
    let answer = bridge.ask("upgrade", &fields).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!((&answer.body["decision"], failed(&answer)), (&json!("adjust"), vec![]), "{answer:?}");
    assert_eq!(answer.body["values"]["price"], "50.00");
    assert_eq!(answer.body["values"]["currency"], "USD");
    let message = answer.body["values"]["message"].as_str().unwrap_or_default();
    assert!(message.contains("US$ 50.00"), "{message}");
    let kept = bridge.decisions(Rule::Upgrade).await;
    let [one] = kept.as_slice() else { panic!("{kept:?}") };
    assert_eq!(Some(one.id), DecisionId::parse(answer.body["id"].as_str().unwrap_or_default()));
    assert_eq!((one.verdict, one.what_if), (Verdict::Adjust, false));
    assert_eq!(one.client_id, Some(service.client.into()));
    let facts: Value = serde_json::from_str(&one.facts).expect("JSON");
    assert_eq!(facts["service"]["recurring"], "100.00");
    assert_eq!(facts["to"]["prices"]["annually"], "150.00");
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn strangers_and_nonsense_learn_nothing_and_no_rule_is_asked() {
    let bridge = Bridge::start().await;
    for (rule, fields, code) in [
        ("upgrade", json!({ "to_product_id": 2 }), "bad-question"),
        ("upgrade", json!({ "service_id": 10 }), "bad-question"),
        ("upgrade", json!({ "service_id": 10, "to_product_id": 2, "to_cycle": "weekly" }), "bad-question"),
        ("upgrade", json!({ "service_id": 10, "to_product_id": 2, "platform_price": "a lot" }), "bad-question"),
        ("ownership", json!({ "service_id": 9 }), "bad-question"),
        ("cancellation", json!({ "type": "Immediate" }), "bad-question"),
        ("cancellation", json!({ "service_id": 9, "type": "Soon" }), "bad-question"),
        ("astrology", json!({ "service_id": 9 }), "unknown-rule"),
    ] {
        let answer = bridge.ask(rule, &fields).await;
        assert_eq!(answer.body["code"], code, "{rule} {fields}: {answer:?}");
    }
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_of_owner_is_checked_against_both_accounts_and_the_ticket() {
    let bridge = Bridge::start().await;
    let [from, to] = CAST.clients_transfer;
    let ask = |ticket: Option<&str>| json!({ "service_id": 9, "to_client_id": to, "ticket_id": ticket });
    let good = bridge.ask("ownership", &ask(Some("555001"))).await;
    assert_eq!((&good.body["decision"], failed(&good)), (&json!("allow"), vec![]), "{good:?}");
    // A stranger's ticket, and none at all.
    for ticket in [Some("555002"), None] {
        let answer = bridge.ask("ownership", &ask(ticket)).await;
        assert_eq!((&answer.body["decision"], failed(&answer)), (&json!("deny"), vec!["asked_by_owner".to_owned()]));
    }
    bridge
        .platform(&format!(
            "INSERT INTO tblinvoices (userid, status, date, duedate, total) VALUES ({to}, 'Unpaid', '2020-01-01', '2020-01-10', 10)"
        ))
        .await;
    let answer = bridge.ask("ownership", &ask(Some("555001"))).await;
    assert_eq!(failed(&answer), ["new_owner_up_to_date"]);
    // The same logins on both sides, then somebody quite different.
    bridge.platform(&format!("DELETE FROM tblinvoices WHERE userid = {to}")).await;
    bridge
        .platform(&format!(
            "UPDATE tblclients SET firstname = 'Zoe', lastname = 'Quiroga', country = 'CL', companyname = 'Otra SA', tax_id = '9' \
             WHERE id = {to}; UPDATE tblclients SET tax_id = '8', companyname = 'Una SA' WHERE id = {from}"
        ))
        .await;
    let answer = bridge.ask("ownership", &ask(Some("555001"))).await;
    assert_eq!((&answer.body["decision"], failed(&answer)), (&json!("review"), vec!["data_alike".to_owned()]));
    assert!(answer.body["values"]["score"].as_i64() >= Some(7), "{answer:?}");
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_termination_waits_for_the_day_of_its_cancellation_unless_an_override_says_otherwise() {
    let bridge = Bridge::start().await;
    // Service 18 is to be cancelled at the end of its period, service 17 at once, service 9 not at all.
    let early = bridge.ask("termination", &json!({ "service_id": 18 })).await;
    assert_eq!(failed(&early), ["effective_date_reached"], "{early:?}");
    assert_eq!(early.body["decision"], "deny");
    for service in [17, 9] {
        let answer = bridge.ask("termination", &json!({ "service_id": service })).await;
        assert_eq!(answer.body["decision"], "allow", "{service}: {answer:?}");
    }
    let subject = hookbridge::domain::hookpoint::Subject::parse("service:18").expect("a subject");
    let until = bridge.now() + jiff::SignedDuration::from_hours(24);
    let ana = hookbridge::domain::admin::Who::at_the_command_line("ana");
    hookbridge::store::exception::make(
        &bridge.app.store,
        (Rule::Termination, subject),
        ("ana", "the client asked by telephone"),
        until,
        |number| hookbridge::store::audit::Record {
            who: &ana,
            action: "override.make",
            target: format!("override:{number}"),
            detail: None,
            raises: false,
            now: bridge.now(),
        },
        bridge.now(),
    )
    .await
    .expect("an exception is made");
    let answer = bridge.ask("termination", &json!({ "service_id": 18 })).await;
    assert_eq!(answer.body["decision"], "allow", "{answer:?}");
    assert_eq!(answer.body["values"]["override"], true);
    bridge.wait_s(24 * 3600);
    let answer = bridge.ask("termination", &json!({ "service_id": 18 })).await;
    assert_eq!(answer.body["decision"], "deny", "{answer:?}");
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancellation_that_was_refused_when_it_was_wished_for_stops_the_termination() {
    let bridge = Bridge::with(&[("RULES__CANCELLATION__RENEWAL_INVOICED", "deny")], |_| {}).await;
    let service = 2;
    bridge
        .platform(
            "INSERT INTO tblinvoices (id, userid, status, date, duedate, total) VALUES (9001, 1, 'Unpaid', CURDATE(), CURDATE() + INTERVAL 9 DAY, 18000); \
             INSERT INTO tblinvoiceitems (invoiceid, userid, type, relid, description, amount) VALUES (9001, 1, 'Hosting', 2, 'x', 18000)",
        )
        .await;
    let wish = json!({ "service_id": service, "type": "Immediate", "client_id": 1 });
    let refused = bridge.ask("cancellation", &wish).await;
    assert_eq!(
        (&refused.body["decision"], failed(&refused)),
        (&json!("deny"), vec!["asked_before_renewal".to_owned()])
    );
    bridge.app.drain().await.expect("it is kept");
    let zone = jiff::tz::TimeZone::get("America/Argentina/Buenos_Aires").expect("a zone");
    let local = bridge.now().to_zoned(zone).datetime();
    bridge
        .platform(&format!(
            "INSERT INTO tblcancelrequests (date, relid, reason, type) VALUES ('{local}', {service}, '', 'Immediate')"
        ))
        .await;
    let answer = bridge.ask("termination", &json!({ "service_id": service })).await;
    assert_eq!((&answer.body["decision"], failed(&answer)), (&json!("deny"), vec!["cancellation_allowed".to_owned()]));
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_client_with_the_same_address_is_refused_whatever_its_case_or_entities() {
    let bridge = Bridge::start().await;
    let [first, second] = CAST.clients_same_email;
    let mut own = bridge.db.platform().await;
    let email: Option<String> = mysql_async::prelude::Queryable::query_first(
        &mut own,
        format!("SELECT email FROM tblclients WHERE id = {first}"),
    )
    .await
    .expect("a client");
    let email = email.expect("an address").to_uppercase();
    let new = bridge.ask("identity", &json!({ "email": format!(" {email} "), "phonenumber": "11 5555-0199", "phone_prefix": "54", "country": "AR", "kind": "client" })).await;
    assert_eq!((&new.body["decision"], failed(&new)), (&json!("deny"), vec!["email_free".to_owned()]), "{new:?}");
    assert_eq!(new.body["values"]["phone_e164"], "+5491155550199");
    bridge.platform(&format!("UPDATE tblclients SET email = 'o&#039;hara@example.org' WHERE id = {first}")).await;
    let itself = bridge.ask("identity", &json!({ "client_id": first, "email": "o'hara@example.org" })).await;
    let other = bridge.ask("identity", &json!({ "client_id": second, "email": "o'hara@example.org" })).await;
    let contact =
        bridge.ask("identity", &json!({ "client_id": second, "email": "o'hara@example.org", "kind": "contact" })).await;
    assert_eq!(itself.body["decision"], "allow");
    assert_eq!(other.body["decision"], "deny");
    assert_eq!(contact.body["decision"], "allow");
    // Of a phone that nobody sent nothing is said; one that cannot be reached is a warning by default.
    assert_eq!(itself.body["values"]["warnings"], json!([]), "{itself:?}");
    let phone = json!({ "client_id": first, "email": "o'hara@example.org", "phonenumber": "123", "country": "AR" });
    let unreachable = bridge.ask("identity", &phone).await;
    assert_eq!(unreachable.body["values"]["warnings"].as_array().map(Vec::len), Some(1), "{unreachable:?}");
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cancelling_says_when_what_is_due_and_what_is_lost_and_international_domains_only_expire() {
    let bridge = Bridge::start().await;
    let service = json!({ "service_id": 18, "type": "End of Billing Period" });
    let answer = bridge.ask("cancellation", &service).await;
    assert_eq!(answer.body["decision"], "allow", "{answer:?}");
    let zone = jiff::tz::TimeZone::get("America/Argentina/Buenos_Aires").expect("a zone");
    assert!(answer.body["values"]["effective_date"].as_str() > Some(&*bridge.now().to_zoned(zone).date().to_string()));
    assert!(answer.body["values"]["notices"].as_array().map(Vec::len) >= Some(4), "{answer:?}");
    let international = bridge.ask("cancellation", &json!({ "domain_id": 3 })).await;
    assert_eq!(failed(&international), ["national_domain"]);
    assert!(international.body["values"]["message"].as_str().is_some_and(|m| m.contains("action=domains")));
    let national = bridge.ask("cancellation", &json!({ "domain_id": 2, "type": "Immediate" })).await;
    assert_eq!(national.body["decision"], "allow", "{national:?}");
    let strangers = bridge.ask("cancellation", &json!({ "service_id": 18, "client_id": 1 })).await;
    assert_eq!(failed(&strangers), ["own_service"]);
    assert_eq!(strangers.body["values"].as_object().map(serde_json::Map::len), Some(2), "{strangers:?}");
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_facts_there_is_no_answer_and_a_rule_that_is_off_allows() {
    let bridge = Bridge::with(&[("RULES__UPGRADE__ENABLED", "false")], |_| {}).await;
    let off = bridge.ask("upgrade", &json!({ "service_id": 10, "to_product_id": 3 })).await;
    assert_eq!((&off.body["decision"], failed(&off)), (&json!("allow"), vec!["rule_enabled".to_owned()]));
    bridge.platform("ALTER TABLE tblhosting RENAME TO away").await;
    let none = bridge.ask("termination", &json!({ "service_id": 18 })).await;
    assert_eq!((none.status, &none.body["code"]), (503, &json!("no-facts")), "{none:?}");
    bridge.finish().await;
}
