//! `hookbridge events`

use comfy_table::Cell;

use super::desk::{Failure, at_the_desk};
use super::messages::print_message;
use super::show;
use crate::admin::{Desk, events, shape};
use crate::config::Config;
use crate::domain::admin::Who;
use crate::domain::event::SWEEP;
use crate::http::api::messages::page;
use crate::ops::change;
use crate::ops::events::ProcessAgain;
use crate::store::trail::EventTrail;

#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// List events, the newest first (filters are combined)
    List(List),
    /// The whole trail of one event: received, facts, rule, messages, attempts, receipts, or why not
    Show {
        id: String,
        #[arg(long)]
        json: bool,
    },
    /// Process an event again that was set aside as failed; whoever got the message the first time gets no other
    Again(ProcessAgain),
}

#[derive(Debug, clap::Args)]
pub struct List {
    /// Only this hook, e.g. `InvoiceCreated`
    #[arg(long)]
    hook: Option<String>,
    /// Only this state: received, processed, skipped, failed
    #[arg(long)]
    state: Option<String>,
    /// Something came of it for this client
    #[arg(long)]
    client: Option<String>,
    /// Something about it was skipped for this: a code of docs/RULES.md
    #[arg(long)]
    reason: Option<String>,
    /// From this day on, by the platform's clock, or from this moment
    #[arg(long, value_name = "DAY")]
    since: Option<String>,
    /// Until the end of this day, or before this moment
    #[arg(long, value_name = "DAY")]
    until: Option<String>,
    /// The rows behind this place: `next` of the answer before
    #[arg(long, value_name = "PLACE")]
    before: Option<String>,
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..))]
    limit: u16,
    #[arg(long)]
    json: bool,
}

impl List {
    fn get(&self, name: &str) -> Option<String> {
        let wish = match name {
            "hook" => &self.hook,
            "state" => &self.state,
            "client" => &self.client,
            "reason" => &self.reason,
            "since" => &self.since,
            "until" => &self.until,
            "before" => &self.before,
            _ => &None,
        };
        wish.clone()
    }
}

pub async fn run(command: Command, config: &Config) -> anyhow::Result<()> {
    at_the_desk(config, async |desk, who| act(command, desk, who).await).await
}

async fn act(command: Command, desk: &Desk, who: &Who) -> Result<(), Failure> {
    match command {
        Command::List(wishes) => list(desk, &wishes).await?,
        Command::Show { id, json } => {
            let whole = events::whole(desk, &events::id(&id)?).await?;
            if json { show::json(&shape::whole_event(&whole, true)) } else { print_event(&whole.trail) }
        }
        Command::Again(again) => {
            let id = again.id.clone();
            change(desk, who, again).await?;
            println!("{id} is processed again");
        }
    }
    Ok(())
}

async fn list(desk: &Desk, wishes: &List) -> Result<(), Failure> {
    let search = desk.event_search(&|name: &str| wishes.get(name), wishes.limit.into())?;
    let found = events::list(desk, &search).await?;
    if wishes.json {
        show::json(&page(&found, shape::event));
        return Ok(());
    }
    let mut table = show::table(&["event", "hook", "source", "received", "state"]);
    for e in &found.items {
        let head = [e.id.clone(), e.hook.clone(), e.source.clone(), show::time(e.received_at)];
        table.add_row(head.into_iter().map(Cell::from).chain([Cell::new(&e.state)]));
    }
    println!("{table}");
    show::more(found.next.as_ref(), found.looked_until);
    Ok(())
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
