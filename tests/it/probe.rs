//! The probe of the first day: real PHP notes what fires, the bridge prints the points of `docs/FIRST-DAY.md`.

use hookbridge::domain::probe::POINTS;
use serde_json::json;

use crate::support::bridge::Bridge;

async fn tool(bridge: &Bridge, words: &[&str]) {
    bridge.stub();
    let dir = bridge.dir.path();
    let mut command = tokio::process::Command::new("php");
    command
        .arg(dir.join("hooks/hookbridge/tool.php"))
        .args(words)
        .env("HOOKBRIDGE_STUB_CONFIG", dir.join("config.php"));
    let output = command.output().await.expect("php runs");
    assert!(output.status.success(), "{output:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_real_probe_notes_answers_the_points_and_alerts_nobody() {
    let bridge = Bridge::start().await;
    let (ok, out, _) = bridge.run(&["probe"]).await;
    assert!(ok && out.contains("tool.php probe --minutes 60") && out.matches("not seen:").count() == 18, "{out}");
    tool(&bridge, &["probe", "--minutes", "60"]).await;
    let tables = |state: &str| json!({ "tblhosting": [{ "id": 5, "domainstatus": state }], "tblinvoices": [{ "id": 7, "status": "Paid" }] });
    bridge
        .fire(&[
            json!({ "hook": "ServiceEdit", "actor": "admin", "new_request": true, "tables": tables("Active"), "vars": { "serviceid": 5 } }),
            json!({ "hook": "InvoicePaymentReminder", "vars": { "invoiceid": 7, "type": "second", "name": "CANARY" } }),
            json!({ "hook": "ServiceEdit", "actor": "cron", "new_request": true, "tables": tables("Suspended"), "vars": { "serviceid": 5 } }),
        ])
        .await;
    let before = bridge.run_json(&["probe"]).await;
    bridge.settle().await;
    let after = bridge.run_json(&["probe"]).await;
    assert_eq!(before["points"], after["points"], "what waits is read as well");
    assert_eq!(after["notes"], 5);
    let seen = |number: usize| after["points"][number - 1]["seen"].clone();
    assert_eq!(seen(4)[0]["times"], 2);
    assert_eq!(seen(4)[0]["by"], json!(["admin at clientsprofile.php", "cron at cron.php"]));
    assert_eq!(seen(4)[0]["states"], json!(["tblhosting.domainstatus=Active", "tblhosting.domainstatus=Suspended"]));
    assert_eq!(seen(14)[0]["words"], json!(["type=second"]));
    let order = seen(14)[0]["processes"][0].as_str().expect("an order").to_owned();
    assert!(
        order.starts_with("ServiceEdit > InvoicePaymentReminder | at the end: tblhosting.domainstatus=Active"),
        "{order}"
    );
    assert!(!after.to_string().contains("CANARY"));
    let (_, text, _) = bridge.run(&["probe"]).await;
    assert!(text.contains("seen: ServiceEdit, 2 times") && text.contains("keys: serviceid:integer"), "{text}");
    assert_eq!(bridge.phones().len(), 0);
    bridge.finish().await;
}

#[test]
fn the_document_has_the_points_that_the_command_prints() {
    let text = include_str!("../../docs/FIRST-DAY.md");
    for point in &POINTS {
        let section = text.split_once(&format!("### Point {}\n", point.number)).map(|(_, after)| after);
        let section = section.unwrap_or_else(|| panic!("docs/FIRST-DAY.md lacks point {}", point.number));
        let row = section.split("\n#").next().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ");
        for part in [point.question, point.act, point.then] {
            assert!(row.contains(part), "point {}: {part}", point.number);
        }
        assert!(point.hooks.iter().all(|hook| row.contains(hook)), "point {}: its hooks", point.number);
    }
    let probed = std::fs::read_to_string("php-hooks/hookbridge/Probe.php").expect("the stub");
    let unknown: Vec<&str> = POINTS
        .iter()
        .flat_map(|point| point.hooks)
        .copied()
        .filter(|hook| !probed.contains(&format!("'{hook}'")))
        .collect();
    assert!(unknown.is_empty(), "the probe does not listen to {unknown:?}");
}
