//! `hookbridge decisions missed`

use serde_json::{Value as Json, json};

use super::show;
use crate::admin::decisions::missed_json;
use crate::domain::missed::Missed;
use crate::store::missed::MissedDecision;

pub(super) fn print(all: &[MissedDecision], json: bool) {
    if json {
        return show::json(&all.iter().map(as_json).collect::<Json>());
    }
    let mut table = show::table(&["when", "rule", "hook", "about", "client", "why", "so the platform", "event"]);
    for one in all {
        let missed = &one.missed;
        let about: Vec<String> = missed.about.iter().map(|(name, id)| format!("{name}={id}")).collect();
        table.add_row(vec![
            show::time(one.at),
            missed.rule_name().to_owned(),
            missed.hook.clone(),
            about.join(" "),
            missed.client_id.map(|client| client.to_string()).unwrap_or_default(),
            missed.cause.clone(),
            did(missed).to_owned(),
            one.event.to_string(),
        ]);
    }
    println!("{table}");
    if let Some(ask) = all.iter().find_map(|one| ask(&one.missed)) {
        println!("what a rule would say of one now: {ask}");
    }
}

fn did(missed: &Missed) -> &'static str {
    match missed.on_failure.as_str() {
        "open" => "went on",
        "closed" => "refused",
        _ => "?",
    }
}

/// The question once more, as far as its ids tell it.
fn ask(missed: &Missed) -> Option<String> {
    let rule = missed.rule?;
    if missed.about.is_empty() {
        return None;
    }
    let fields: Vec<String> = missed.about.iter().map(|(name, id)| format!("{name}={id}")).collect();
    Some(format!("hookbridge decisions ask {rule} {}", fields.join(" ")))
}

fn as_json(one: &MissedDecision) -> Json {
    let mut all = missed_json(one);
    all["ask"] = json!(ask(&one.missed));
    all
}
