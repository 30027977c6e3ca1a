//! The truth on the first page: whatever reason or state the bridge is in, either it is meant so, or a need names it, with a count,
//! since when, and where it is mended; and page, API and command line say the same.

mod planted;
mod reasons;
mod states;

use std::collections::BTreeSet;

use hookbridge::admin::care::{Care, care};
use hookbridge::admin::overview::need::{Kind, Need};
use hookbridge::admin::overview::now;
use hookbridge::domain::admin::{Role, Who};
use hookbridge::domain::reason::Reason;
use hookbridge::http::admin::overview::need_path;
use mysql_async::prelude::Queryable as _;
use secrecy::ExposeSecret as _;

use crate::support::bridge::{Bridge, answer};
use crate::support::database::connect;
use crate::support::person::{Person, token};

fn desk(bridge: &Bridge) -> std::sync::Arc<hookbridge::admin::Desk> {
    bridge.app.desk.clone().expect("a key is set")
}

fn who() -> Who {
    Who::at_the_command_line("test")
}

/// What needs a person, as page and API say, too.
async fn needs(bridge: &Bridge) -> Vec<Need> {
    let state = now(&desk(bridge), &who()).await.expect("it can be read");
    agree(bridge, &state.needs).await;
    state.needs
}

/// Page and API name what `needs` names, each with its link.
async fn agree(bridge: &Bridge, needs: &[Need]) {
    let desk = desk(bridge);
    let name = format!("look {}", uuid::Uuid::now_v7());
    let token = token(&desk, &who(), &name, Role::Viewer).await;
    let request = bridge.http.get(bridge.url("/api/v1/overview"));
    let api = answer(request.header("authorization", format!("Bearer {}", token.expose_secret()))).await;
    let said: Vec<(String, u64, String)> = api.body["needs"]
        .as_array()
        .expect("needs")
        .iter()
        .map(|one| {
            let text = |field: &str| one[field].as_str().expect("a text").to_owned();
            assert!(!text("says").contains('{'), "a value is missing: {one}");
            (text("code"), one["count"].as_u64().expect("a count"), text("link"))
        })
        .collect();
    let expected: Vec<(String, u64, String)> =
        needs.iter().map(|need| (need.code().to_owned(), need.n, need_path(need))).collect();
    assert_eq!(said, expected);
    let person = Person::named(&desk, &bridge.url(""), &name, Role::Operator).await;
    let page = person.get("/admin").await;
    for need in needs {
        page.shows(&format!("href=\"{}\"", need_path(need).replace('&', "&amp;")));
    }
    page.hides("overview.");
    for language in ["en", "pt_BR"] {
        person.get(&format!("/admin?lang={language}")).await.hides("overview.");
    }
    assert_eq!(page.text.contains("Todo funciona."), needs.is_empty());
    let metrics = bridge.http.get(bridge.url("/metrics")).send().await.expect("an answer").text().await.expect("text");
    for kind in Kind::ALL {
        let shown = format!("hookbridge_needs{{need=\"{kind}\"}} 0");
        assert_eq!(metrics.contains(&shown), needs.iter().all(|need| need.kind != *kind), "{kind}: {metrics}");
    }
}

/// Every reason that something of the bridge has now: `(where, code)`.
async fn present(bridge: &Bridge) -> BTreeSet<(&'static str, Reason)> {
    let mut own = connect(&bridge.db.bridge_url()).await;
    let mut all = BTreeSet::new();
    for (place, sql) in [
        ("event", "SELECT DISTINCT s.reason FROM skip s JOIN event e ON e.id = s.event_id WHERE e.state = 'failed'"),
        ("skip", "SELECT DISTINCT s.reason FROM skip s JOIN event e ON e.id = s.event_id WHERE e.state <> 'failed'"),
        (
            "message",
            "SELECT DISTINCT reason FROM message WHERE reason IS NOT NULL AND state IN ('failed', 'cancelled')",
        ),
        ("reply", "SELECT DISTINCT outcome FROM reply WHERE outcome IS NOT NULL AND seen_at IS NULL"),
        ("queue", "SELECT DISTINCT waiting_for FROM outbox WHERE waiting_for IS NOT NULL"),
    ] {
        let codes: Vec<String> = own.query(sql).await.expect("reasons");
        all.extend(codes.into_iter().map(|code| (place, Reason::parse(&code).expect("a reason of the list"))));
    }
    own.disconnect().await.expect("an idle connection closes");
    all
}

/// The need that must name a reason at a place; `None`: it is by design.
fn named_by(place: &str, reason: Reason) -> Option<Kind> {
    match care(reason) {
        Care::Design(_) => None,
        Care::Failed if place == "message" => Some(Kind::Lost),
        Care::Failed => Some(Kind::EventsFailed),
        Care::Lost if place == "queue" => Some(Kind::Unknown),
        Care::Lost => Some(Kind::Lost),
        Care::Waits(kind) | Care::Named(kind) => Some(kind),
        Care::Many => Some(Kind::Failing),
    }
}

/// Looks whether `reasons` are there, and that every reason that is there is by design or named.
async fn told(bridge: &Bridge, reasons: &[Reason]) {
    let (present, needs) = (present(bridge).await, needs(bridge).await);
    for (place, reason) in &present {
        if let Some(kind) = named_by(place, *reason) {
            assert!(needs.iter().any(|need| need.kind == kind), "{reason} at {place}, and no {kind}: {needs:#?}");
        }
    }
    for reason in reasons {
        let there = present.iter().any(|(_, one)| one == reason);
        assert!(there, "{reason} was to be reached: {present:?}");
    }
}

/// Settings and a sweep as of a bridge that runs: nothing needs anybody.
async fn well() -> Bridge {
    with(&[]).await
}

async fn with(settings: &[(&str, &str)]) -> Bridge {
    let settings: Vec<(&str, &str)> =
        [("SENDERS__MAIN__PAIR_INTERVAL_S", "0")].into_iter().chain(settings.iter().copied()).collect();
    let bridge = Bridge::with(&settings, |_| {}).await;
    fresh(&bridge).await;
    bridge
}

/// What runs by itself ran just now.
async fn fresh(bridge: &Bridge) {
    bridge.app.sweep().await.expect("a sweep");
    while bridge.app.count().await.expect("hours are counted") > 0 {}
    bridge.app.health.report().await;
}

#[test]
fn every_reason_is_by_design_or_a_test_brings_the_bridge_into_it() {
    let mut driven: BTreeSet<Reason> = reasons::DRIVEN.iter().flat_map(|part| part.iter().copied()).collect();
    driven.extend(planted::PLANTED.iter().map(|(reason, _)| *reason));
    let forgotten: Vec<&Reason> =
        Reason::ALL.iter().filter(|one| !matches!(care(**one), Care::Design(_)) && !driven.contains(one)).collect();
    assert!(forgotten.is_empty(), "{forgotten:?}");
    let needless: Vec<&Reason> = driven.iter().filter(|one| matches!(care(**one), Care::Design(_))).collect();
    assert!(needless.is_empty(), "by design, and driven: {needless:?}");
}
