//! `hookbridge events`

use anyhow::Context as _;
use serde_json::json;

use super::messages::{message_json, print_message};
use super::show;
use crate::app::open_store;
use crate::config::Config;
use crate::domain::event::SWEEP;
use crate::domain::ids::EventId;
use crate::store::trail::{self, EventTrail};

#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// The newest events
    List {
        /// Only this hook, e.g. `InvoiceCreated`
        #[arg(long)]
        hook: Option<String>,
        /// Only this state: received, processed, skipped, failed
        #[arg(long)]
        state: Option<String>,
        #[arg(long, default_value_t = 50)]
        limit: usize,
        #[arg(long)]
        json: bool,
    },
    /// The whole trail of one event: received, facts, rule, messages, attempts, receipts, or why not
    Show {
        id: String,
        #[arg(long)]
        json: bool,
    },
}

pub async fn run(command: Command, config: &Config) -> anyhow::Result<()> {
    let store = open_store(config)?;
    match command {
        Command::List { hook, state, limit, json } => {
            let rows = trail::events(&store, hook.as_deref(), state.as_deref(), limit).await?;
            if json {
                let rows: Vec<_> = rows
                    .iter()
                    .map(|(id, hook, at, state)| json!({ "id": id, "hook": hook, "received_at": at.to_string(), "state": state }))
                    .collect();
                show::json(&json!(rows));
            } else {
                let mut table = show::table(&["event", "hook", "received", "state"]);
                for (id, hook, at, state) in rows {
                    table.add_row(vec![id, hook, show::time(at), show::state(&state)]);
                }
                println!("{table}");
            }
        }
        Command::Show { id, json } => {
            let key = EventId::parse(&id).context("an event id has 1 to 64 of A-Z a-z 0-9 _ - .")?;
            let found = trail::event(&store, &key).await?.with_context(|| format!("there is no event {id}"))?;
            if json { show::json(&event_json(&found)) } else { print_event(&found) }
        }
    }
    store.database().clone().close().await;
    Ok(())
}

fn event_json(event: &EventTrail) -> serde_json::Value {
    json!({
        "id": event.id, "source": event.source, "hook": event.hook, "state": event.state,
        "occurred_at": event.occurred_at.to_string(), "received_at": event.received_at.to_string(),
        "processed_at": event.processed_at.map(|at| at.to_string()),
        "steps": serde_json::from_str::<serde_json::Value>(&event.steps).unwrap_or_default(),
        "skipped": event.skips.iter().map(|s| json!({
            "hookpoint": s.hookpoint, "client_id": s.client_id, "contact_id": s.contact_id, "reason": s.reason,
            "detail": s.detail, "at": s.at.to_string(),
        })).collect::<Vec<_>>(),
        "messages": event.messages.iter().map(message_json).collect::<Vec<_>>(),
    })
}

fn print_event(event: &EventTrail) {
    println!("{}  {}  {}", event.id, event.hook, show::state(&event.state));
    println!("  {}  occurred", show::time(event.occurred_at));
    if event.source == SWEEP {
        println!("  {}  found by the sweep: no such hook was heard", show::time(event.received_at));
    } else {
        println!(
            "  {}  received from `{}`, signature verified with key {}",
            show::time(event.received_at),
            event.source,
            event.key_index + 1
        );
    }
    if let Some((attempts, next, error)) = &event.waiting {
        println!("  waits: {attempts} tries, next {}; {}", show::time(*next), error.as_deref().unwrap_or("-"));
    }
    let steps: Vec<serde_json::Value> = serde_json::from_str(&event.steps).unwrap_or_default();
    for step in steps.iter().filter(|step| step["step"] != "received") {
        println!("  {}: {}", step["step"].as_str().unwrap_or_default(), step["detail"]);
    }
    if let Some(at) = event.processed_at {
        println!("  {}  processed", show::time(at));
    }
    for skip in &event.skips {
        let who = match (skip.client_id, skip.contact_id) {
            (_, Some(contact)) => format!("contact {contact}"),
            (Some(client), None) => format!("client {client}"),
            (None, None) => "event".to_owned(),
        };
        let hookpoint = skip.hookpoint.as_deref().unwrap_or("-");
        println!("  not sent  {hookpoint}  {who}: {} {}", skip.reason, skip.detail.as_deref().unwrap_or_default());
    }
    for message in event.messages.iter().rev() {
        print_message(message);
    }
}
