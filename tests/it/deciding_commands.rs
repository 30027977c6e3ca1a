//! `hookbridge decisions` as an administrator runs it: what it prints for people and for programs.

use hookbridge::demo::data::CAST;
use serde_json::{Value, json};

use crate::commands::Ground;

impl Ground {
    async fn ready() -> Self {
        let ground = Self::new().await;
        assert!(ground.run(&["migrate"]).await.0);
        ground
    }

    /// A command that succeeds, and what it printed as JSON.
    async fn json(&self, arguments: &[&str]) -> Value {
        let output = self.command(&[arguments, &["--json"]].concat()).output().await.expect("the command runs");
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).expect("JSON alone on stdout")
    }

    /// A command that succeeds, as people read it.
    async fn text(&self, arguments: &[&str]) -> String {
        let (ok, said) = self.run(arguments).await;
        assert!(ok, "{arguments:?}: {said}");
        said
    }

    /// A command that fails, and why.
    async fn refused(&self, arguments: &[&str]) -> String {
        let (ok, said) = self.run(arguments).await;
        assert!(!ok, "{arguments:?}: {said}");
        said
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn asking_what_a_rule_would_say_is_kept_as_a_what_if_and_shown_with_what_it_saw() {
    let ground = Ground::ready().await;
    let service = format!("service_id={}", CAST.service_upgradable.id);
    let ask = ["decisions", "ask", "upgrade", &service, "to_product_id=2", "to_cycle=annually", "platform_price=25"];
    let answer = ground.json(&[&ask[..], &["--who", "ana"]].concat()).await;
    assert_eq!((&answer["decision"], &answer["values"]["price"]), (&json!("adjust"), &json!("50.00")), "{answer:#}");
    let text = ground.text(&[&ask[..], &["--who", "ana"]].concat()).await;
    for part in ["upgrade  adjust", "yes  upgrade_path", "price: 50.00", "message: "] {
        assert!(text.contains(part), "{part}: {text}");
    }
    // Another plan than the one that the service has: refused, with no price.
    let other = ground.json(&[&ask[..], &["from_product_id=3"]].concat()).await;
    assert_eq!((&other["decision"], &other["values"]["price"]), (&json!("deny"), &Value::Null), "{other:#}");

    let id = answer["id"].as_str().expect("an id");
    let shown = ground.json(&["decisions", "show", id]).await;
    assert_eq!((&shown["what_if"], &shown["asked_by"], &shown["source"]), (&json!(true), &json!("ana"), &json!("cli")));
    assert_eq!(shown["facts"]["service"]["recurring"], "100.00");
    assert_eq!(shown["question"]["platform_price"], "25");
    assert_eq!(shown["answer"], answer);
    let text = ground.text(&["decisions", "show", id]).await;
    for part in ["upgrade (version ", "asked by ana of `cli`, what-if", "yes  service_active", "seen: {"] {
        assert!(text.contains(part), "{part}: {text}");
    }

    let subject = format!("service:{}", CAST.service_upgradable.id);
    let all = ground.json(&["decisions", "list"]).await;
    assert_eq!(all.as_array().map(Vec::len), Some(3), "{all:#}");
    let number = CAST.service_upgradable.id.to_string();
    for (filter, wanted) in [
        (&["--rule", "upgrade"][..], 3),
        (&["--rule", "ownership"], 0),
        (&["--decision", "deny"], 1),
        (&["--service", &number, "--decision", "adjust"], 2),
        (&["--domain", &number], 0),
        (&["--limit", "1"], 1),
    ] {
        let found = ground.json(&[&["decisions", "list"], filter].concat()).await;
        assert_eq!(found.as_array().map(Vec::len), Some(wanted), "{filter:?}: {found:#}");
    }
    let text = ground.text(&["decisions", "list", "--decision", "adjust"]).await;
    assert!(text.contains(id) && text.contains(&subject) && text.contains("ana (what-if)"), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_exception_opens_what_a_rule_refuses_until_it_is_ended_and_its_record_stays() {
    let ground = Ground::ready().await;
    let ask = ["decisions", "ask", "termination", "service_id=18"];
    assert_eq!(ground.json(&ask).await["decision"], "deny");
    let made = ground
        .json(&["decisions", "override", "termination", "--service", "18", "--why", "by telephone", "--who", "ana"])
        .await;
    assert_eq!((&made["rule"], &made["subject"]), (&json!("termination"), &json!("service:18")));
    let number = made["override"].as_u64().expect("a number").to_string();
    let open = ground.json(&ask).await;
    assert_eq!((&open["decision"], &open["values"]["override"]), (&json!("allow"), &json!(true)), "{open:#}");

    let text = ground.text(&["decisions", "overrides"]).await;
    for part in ["in force", "service:18", "by telephone", "ana"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let said = ground.text(&["decisions", "end-override", &number, "--who", "beto"]).await;
    assert!(said.contains(&format!("exception {number} is ended")), "{said}");
    let past = ground.json(&["decisions", "overrides"]).await;
    let one = &past[0];
    assert_eq!(
        (&one["standing"], &one["ended_by"], &one["who"]),
        (&json!("ended"), &json!("cli:beto"), &json!("cli:ana"))
    );
    assert_eq!(ground.json(&ask).await["decision"], "deny");
    let said = ground.refused(&["decisions", "end-override", &number, "--who", "beto"]).await;
    assert!(said.contains("no exception"), "{said}");

    let said = ground
        .text(&[
            "decisions",
            "override",
            "identity",
            "--client",
            "7",
            "--why",
            "two firms, one address",
            "--days",
            "2",
            "--who",
            "ana",
        ])
        .await;
    assert!(said.contains("`identity` allows client:7 until "), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_missing_or_unknown_is_said_in_words_and_nothing_is_kept() {
    let ground = Ground::ready().await;
    for (arguments, words) in [
        (&["ask", "astrology", "service_id=1"][..], "`astrology` is no rule: upgrade, ownership"),
        (&["ask", "upgrade", "service_id=10"], "the field `to_product_id` is missing"),
        (&["ask", "termination", "service_id"], "must be name=value"),
        (&["list", "--decision", "perhaps"], "`perhaps` is no decision"),
        (&["show", "dec_1"], "32 hexadecimal digits"),
        (&["show", "dec_01936b2e7c6a7c0d9d6c8d3f0a1b2c3d"], "there is no decision"),
        (&["override", "termination", "--why", "x", "--who", "ana"], "say for what"),
        (&["override", "termination", "--service", "1", "--why", " ", "--who", "ana"], "say why"),
        (&["override", "termination", "--service", "1", "--why", "x", "--who", " "], "say who you are"),
        (&["override", "termination", "--service", "1", "--why", "x", "--who", "ana", "--days", "400"], "1 to 366"),
        (&["end-override", "77", "--who", "ana"], "there is no exception 77 in force"),
        (&["missed", "--rule", "astrology"], "is no rule"),
    ] {
        let said = ground.refused(&[&["decisions"], arguments].concat()).await;
        assert!(said.contains(words), "{arguments:?}: {said}");
    }
    assert_eq!(ground.json(&["decisions", "list"]).await, json!([]));
    assert_eq!(ground.json(&["decisions", "overrides"]).await, json!([]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_platform_went_on_without_is_listed_with_the_question_to_ask_again() {
    let ground = Ground::ready().await;
    assert_eq!(ground.json(&["decisions", "missed"]).await, json!([]));
    let told = |rule: &str, hook: &str, did: &str, service: u32| {
        json!({ "v": 1, "hook": "HookbridgeDecisionMissed", "occurred_at": "2026-07-01T12:00:00Z", "fields": {
            "rule": rule, "hook": hook, "cause": "deadline", "on_failure": did, "deadline_ms": 250, "service_id": service,
            "client_id": 25 } })
    };
    for (number, body) in [
        told("upgrade", "ShoppingCartValidateUpgrade", "open", 10),
        told("termination", "PreModuleTerminate", "closed", 18),
        told("astrology", "Future", "open", 18),
    ]
    .iter()
    .enumerate()
    {
        ground
            .db
            .own(&format!(
                "INSERT INTO event (id, source, hook, occurred_at, received_at, key_index, body_sha256, body, state, processed_at) \
                 VALUES ('evt_{number}', 'billing', 'HookbridgeDecisionMissed', '2026-07-01 12:00:00', \
                 '2026-07-01 12:0{number}:00', 0, REPEAT('x', 32), '{body}', 'skipped', '2026-07-01 12:10:00')"
            ))
            .await;
    }
    let all = ground.json(&["decisions", "missed"]).await;
    let rules: Vec<&Value> = all.as_array().expect("a list").iter().map(|one| &one["rule"]).collect();
    assert_eq!(rules, [&Value::Null, &json!("termination"), &json!("upgrade")], "the last first: {all:#}");
    assert_eq!(
        all[1],
        json!({ "event": "evt_1", "source": "billing", "at": "2026-07-01T12:00:00Z", "rule": "termination",
            "hook": "PreModuleTerminate", "cause": "deadline", "on_failure": "closed", "deadline_ms": 250, "client_id": 25,
            "about": { "service_id": 18 }, "ask": "hookbridge decisions ask termination service_id=18" })
    );
    let upgrade = ground.json(&["decisions", "missed", "--rule", "upgrade", "--service", "10", "--client", "25"]).await;
    assert_eq!((upgrade.as_array().map(Vec::len), &upgrade[0]["event"]), (Some(1), &json!("evt_0")), "{upgrade:#}");
    let text = ground.text(&["decisions", "missed"]).await;
    for part in
        ["2026-07-01 12:00:00Z", "went on", "refused", "unknown rule", "service_id=18", "evt_0", "ask termination"]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
}
