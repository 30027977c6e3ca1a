//! Owns: the end of the demo: each of the company's rules asked once, by real PHP at the platform's own hook, or as an
//! administrator asks where the platform has no hook.

use std::collections::BTreeMap;

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};

use super::data::CAST;
use super::stub::Stub;
use crate::app::App;
use crate::decide::{Asker, Question};
use crate::domain::decision::Rule;
use crate::domain::event::FieldValue;
use crate::store::decision::{Filter, list};

/// What happened in a scene.
#[derive(Debug)]
pub struct Shown {
    pub rule: Rule,
    pub scene: &'static str,
    /// The rule's word.
    pub answer: String,
    /// What the hook returned to the platform, or what the administrator reads.
    pub effect: String,
}

struct Scene {
    rule: Rule,
    title: &'static str,
    line: Value,
    wanted: &'static str,
}

fn scenes() -> Vec<Scene> {
    let (plan, stuck) = (CAST.service_upgradable, CAST.service_without_upgrade);
    let ending = CAST.service_cancel_at_period_end;
    let page = |service: super::data::Owned, hook: &str, post: &Value, vars: &Value| json!({ "hook": hook, "actor": "client", "client_id": service.client, "new_request": true, "post": post, "vars": vars });
    let upgrade = |service: u32| json!({ "type": "package", "id": service, "pid": 2, "billingcycle": "annually" });
    vec![
        Scene {
            rule: Rule::Upgrade,
            title: "100 a year paid, half of it used, to a plan of 150: the platform says 25",
            line: page(
                plan,
                "OrderProductUpgradeOverride",
                &upgrade(plan.id),
                &json!({ "oldproductid": 1, "newproductid": 2, "newproductbillingcycle": "annually", "days": 183,
                    "totaldays": 365, "price": 25, "discount": 0 }),
            ),
            wanted: "adjust",
        },
        Scene {
            rule: Rule::Upgrade,
            title: "a plan without a way up",
            line: page(stuck, "ClientAreaPageUpgrade", &upgrade(stuck.id), &json!({ "id": stuck.id })),
            wanted: "deny",
        },
        Scene {
            rule: Rule::Cancellation,
            title: "a client cancels at the end of the period",
            line: page(
                ending,
                "ClientAreaPageCancellation",
                &json!({ "id": ending.id, "sub": "submit", "type": "End of Billing Period" }),
                &json!({ "id": ending.id }),
            ),
            wanted: "allow",
        },
        Scene {
            rule: Rule::Termination,
            title: "the cron wants to terminate it before that day",
            line: json!({ "hook": "PreModuleTerminate", "actor": "cron", "new_request": true,
                "vars": { "params": { "serviceid": ending.id, "userid": ending.client } } }),
            wanted: "deny",
        },
        Scene {
            rule: Rule::Identity,
            title: "somebody registers with another client's e-mail",
            line: json!({ "hook": "ClientDetailsValidation", "actor": "unknown", "new_request": true,
                "post": { "country-calling-code-phonenumber": "54" },
                "vars": { "email": "CARLA@correo.example", "phonenumber": "11 5555-0199", "country": "AR" } }),
            wanted: "deny",
        },
    ]
}

/// Plays all scenes.
///
/// # Errors
/// PHP, a database, or an answer that is not as it should be.
pub async fn play(stub: &Stub, app: &App) -> anyhow::Result<Vec<Shown>> {
    let mut shown = Vec::new();
    for Scene { rule, title, line, wanted } in scenes() {
        let shots = stub.decide(&[line]).await?;
        let returned = shots.first().map(|shot| shot["returned"].clone()).unwrap_or_default();
        app.decisions_kept().await;
        let newest = Filter { rule: Some(rule), limit: 1, ..Filter::default() };
        let kept = list(&app.store, &newest).await?;
        let answer = kept.first().map_or("none", |kept| kept.verdict.code());
        ensure!(answer == wanted, "{title}: the rule says {answer} instead of {wanted}");
        ensure!(returned.as_array().is_some_and(|list| list.len() == 1), "{title}: the hook returned {returned}");
        shown.push(Shown { rule, scene: title, answer: answer.to_owned(), effect: returned[0].to_string() });
    }
    shown.push(change_of_owner(app).await?);
    Ok(shown)
}

/// The platform has no hook for it: an administrator asks.
async fn change_of_owner(app: &App) -> anyhow::Result<Shown> {
    let number = |id: u32| FieldValue::Int(id.into());
    let fields = BTreeMap::from([
        ("service_id".to_owned(), number(CAST.service_transfer.id)),
        ("to_client_id".to_owned(), number(CAST.clients_transfer[1])),
        ("ticket_id".to_owned(), FieldValue::Text("555002".to_owned())),
    ]);
    let asker = Asker { source: "cli".into(), hook: "ask".into(), by: "demo".into(), request: None, what_if: true };
    let (answer, kept) = app.decider.ask(&Question::read(Rule::Ownership, &fields)?, asker, app.clock.now()).await?;
    crate::store::decision::keep(&app.store, &[kept]).await?;
    let failed = answer.decision.conditions.iter().zip(&answer.texts).find(|(one, _)| !one.passed);
    let effect = failed.map(|(_, text)| text.clone()).context("a stranger's ticket is not enough")?;
    Ok(Shown {
        rule: Rule::Ownership,
        scene: "an administrator asks whether a service may move, by a ticket from another address",
        answer: answer.decision.verdict.code().to_owned(),
        effect,
    })
}
