//! The company's rules asked by real PHP at the platform's hooks, and what the platform gets to see.

use hookbridge::demo::data::CAST;
use hookbridge::domain::decision::Rule;
use hookbridge::store::decision::{Filter, list};
use serde_json::{Value, json};

use crate::support::bridge::Bridge;

impl Bridge {
    /// What each of `lines` returns to the platform, the stub having fetched the bridge's manifest first.
    pub async fn asked(&self, lines: &[Value]) -> Vec<Value> {
        let stub = self.stub();
        stub.fire(&[json!({ "hook": "AfterCronJob" })]).await.expect("the manifest is fetched");
        let shots = stub.decide(lines).await.expect("the stub asks");
        shots.into_iter().map(|shot| shot["returned"].clone()).collect()
    }
}

fn page(hook: &str, client: u32, request: &Value, vars: &Value) -> Value {
    json!({ "hook": hook, "actor": "client", "client_id": client, "post": request, "vars": vars, "new_request": true })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_manuals_upgrade_costs_fifty_in_php_where_the_platform_says_twenty_five() {
    let bridge = Bridge::start().await;
    let service = CAST.service_upgradable;
    let request = json!({ "type": "package", "id": service.id, "pid": 2, "billingcycle": "annually" });
    let order = json!({ "oldproductid": 1, "newproductid": 2, "days": 182, "totaldays": 365, "newproductbillingcycle": "annually",
        "price": 25.0, "discount": 0.0, "promoqualifies": false });
    let checkout =
        json!({ "clientId": service.client, "upgradeId": 0, "serviceId": service.id, "amount": 25.0, "discount": 0.0 });
    let mut same_request = page("PreUpgradeCheckout", service.client, &request, &checkout);
    same_request["new_request"] = json!(false);
    let mut lines = vec![page("OrderProductUpgradeOverride", service.client, &request, &order), same_request];
    lines.push(page("ShoppingCartValidateUpgrade", service.client, &request, &json!({ "id": service.id, "pid": 2 })));
    lines.push(page("ClientAreaPageUpgrade", service.client, &request, &json!({ "id": service.id })));
    // A plan that no path leads to.
    let mut elsewhere = request.clone();
    elsewhere["pid"] = json!(5);
    lines.push(page("ShoppingCartValidateUpgrade", service.client, &elsewhere, &json!({ "id": service.id, "pid": 5 })));
    // Somebody else's service.
    lines.push(page(
        "ShoppingCartValidateUpgrade",
        CAST.client_spanish,
        &request,
        &json!({ "id": service.id, "pid": 2 }),
    ));
    let returned = bridge.asked(&lines).await;
    let price = |value: &Value, name: &str| value[0][name].as_f64();
    assert_eq!(price(&returned[0], "price"), Some(50.0), "{returned:#?}");
    assert_eq!(price(&returned[1], "amount"), Some(50.0), "{returned:#?}");
    assert_eq!(returned[2], json!([[]]));
    assert!(
        returned[3][0]["hookbridgenotices"][0].as_str().is_some_and(|text| text.contains("50.00")),
        "{returned:#?}"
    );
    assert!(returned[4].to_string().contains("submitticket.php"), "{:#}", returned[4]);
    assert!(returned[5][0].as_array().is_some_and(|texts| !texts.is_empty()), "{returned:#?}");
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_termination_before_its_day_is_aborted_in_php_and_others_go_on() {
    let bridge = Bridge::start().await;
    let terminate = |service: u32, addon: u32| {
        json!({ "hook": "PreModuleTerminate", "actor": "cron", "new_request": true,
            "vars": { "params": { "serviceid": service, "addonId": addon, "serverpassword": "x" } } })
    };
    let returned = bridge.asked(&[terminate(18, 0), terminate(17, 0), terminate(18, 4)]).await;
    assert_eq!(returned, [json!([{ "abortcmd": true }]), json!([]), json!([])]);
    bridge.app.drain().await.expect("it is kept");
    let filter = Filter { rule: Some(Rule::Termination), limit: 10, ..Filter::default() };
    let kept = list(&bridge.app.store, &filter).await.expect("decisions can be read");
    assert!(kept.iter().all(|one| one.hook == "PreModuleTerminate" && one.asked_by == "cron"), "{kept:#?}");
    assert_eq!(kept.len(), 2, "an addon is not asked about");
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_cancellation_page_gets_its_notices_and_a_second_clients_address_is_refused() {
    let bridge = Bridge::start().await;
    let [first, second] = CAST.clients_same_email;
    bridge.platform(&format!("UPDATE tblclients SET email = 'taken@example.org' WHERE id = {first}")).await;
    let service = CAST.service_upgradable;
    let details =
        json!({ "email": " Taken@Example.org", "phonenumber": "11 5555-0199", "country": "AR", "password": "x" });
    let post = json!({ "country-calling-code-phonenumber": "54", "userid": first });
    let lines = [
        page("ClientAreaPageCancellation", service.client, &json!({ "id": service.id }), &json!({ "id": service.id })),
        page(
            "ClientAreaPageCancellation",
            service.client,
            &json!({ "id": 2 }),
            &json!({ "id": 2, "requested": false }),
        ),
        page("ClientDetailsValidation", second, &post, &details),
        page("ClientDetailsValidation", first, &post, &details),
        page("ContactDetailsValidation", second, &post, &details),
    ];
    let returned = bridge.asked(&lines).await;
    let notices = returned[0][0]["hookbridgenotices"].as_array().map_or(0, Vec::len);
    assert!(notices >= 3 && returned[0][0].get("invalid").is_none(), "{returned:#?}");
    assert_eq!(returned[1][0]["invalid"], true, "somebody else's service: {returned:#?}");
    assert_eq!(returned[2][0].as_array().map(Vec::len), Some(1), "{returned:#?}");
    assert_eq!((&returned[3], &returned[4]), (&json!([]), &json!([])), "his own, and a contact's: {returned:#?}");
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_decided_without_the_bridge_is_on_record_after_the_next_cron() {
    // A deadline that a busy machine keeps: what is missing here are the facts.
    let bridge = Bridge::with(&[("RULES__TERMINATION__DEADLINE_MS", "5000")], |_| {}).await;
    let stub = bridge.stub();
    stub.fire(&[json!({ "hook": "AfterCronJob" })]).await.expect("the manifest is fetched");
    let terminate = json!({ "hook": "PreModuleTerminate", "actor": "cron", "new_request": true,
        "vars": { "params": { "serviceid": 18, "userid": 7 } } });
    bridge.platform("ALTER TABLE tblhosting RENAME TO away").await;
    let shots = stub.decide(&[terminate]).await.expect("the stub asks");
    assert_eq!(shots[0]["returned"], json!([{ "abortcmd": true }]), "closed: nothing is removed unasked");
    bridge.platform("ALTER TABLE away RENAME TO tblhosting").await;
    stub.fire(&[json!({ "hook": "AfterCronJob" })]).await.expect("the spool is flushed");
    bridge.settle().await;
    assert_eq!(bridge.reasons().await, ["decision_missed"]);
    let (id, ..) = hookbridge::store::trail::events(&bridge.app.store, None, None, 1).await.expect("events").remove(0);
    let detail = bridge.event(&id).await.skips[0].detail.clone();
    assert_eq!(detail.as_deref(), Some("termination at PreModuleTerminate, service 18: failed, closed"));
    bridge.finish().await;
}
