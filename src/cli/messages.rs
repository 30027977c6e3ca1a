//! `hookbridge messages`

use anyhow::Context as _;
use serde_json::json;

use super::show;
use crate::app::open_store;
use crate::clock::Clock;
use crate::config::Config;
use crate::domain::ids::{EventId, MessageId};
use crate::domain::reason::Reason;
use crate::store::trail::{self, MessageFilter, MessageTrail};
use crate::store::{outbox, unknown};

#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// The newest messages
    List {
        #[arg(long)]
        client: Option<u64>,
        #[arg(long)]
        event: Option<String>,
        /// queued, held, sending, unknown, sent, failed, cancelled
        #[arg(long)]
        state: Option<String>,
        #[arg(long, default_value_t = 50)]
        limit: usize,
        #[arg(long)]
        json: bool,
    },
    /// One message with its attempts and receipts
    Show {
        id: String,
        #[arg(long)]
        json: bool,
    },
    /// Cancel a message that waits
    Cancel { id: String },
    /// Say what became of a message whose outcome is unknown
    Settle {
        id: String,
        #[arg(value_enum)]
        how: How,
    },
}

/// What an operator knows, or wants.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub enum How {
    /// It arrived
    Arrived,
    /// Send it again; it may arrive twice
    Again,
    /// Leave it
    GiveUp,
}

pub async fn run(command: Command, config: &Config) -> anyhow::Result<()> {
    let store = open_store(config)?;
    let parse = |id: &str| MessageId::parse(id).with_context(|| format!("`{id}` is no message id"));
    match command {
        Command::List { client, event, state, limit, json } => {
            let event = event.map(|id| EventId::parse(&id).context("no event id")).transpose()?;
            let filter = MessageFilter { client_id: client, event, state, limit, ..MessageFilter::default() };
            let found = trail::messages(&store, &filter).await?;
            if json {
                show::json(&found.iter().map(message_json).collect());
            } else {
                let mut table = show::table(&["message", "hookpoint", "client", "to", "language", "state", "why"]);
                for m in &found {
                    table.add_row(vec![
                        m.id.to_string(),
                        m.hookpoint.clone(),
                        m.client_id.to_string(),
                        m.to.masked(),
                        m.language.clone(),
                        show::state(m.standing()),
                        m.reason.clone().unwrap_or_default(),
                    ]);
                }
                println!("{table}");
            }
        }
        Command::Show { id, json } => {
            let filter = MessageFilter { id: Some(parse(&id)?), limit: 1, ..MessageFilter::default() };
            let found = trail::messages(&store, &filter).await?;
            let message = found.first().with_context(|| format!("there is no message {id}"))?;
            if json { show::json(&message_json(message)) } else { print_message(message) }
        }
        Command::Cancel { id } => {
            let key = parse(&id)?;
            outbox::cancel(&store, &[(key, Reason::CancelledByOperator)], Clock::system().now()).await?;
            let filter = MessageFilter { id: Some(key), limit: 1, ..MessageFilter::default() };
            let found = trail::messages(&store, &filter).await?;
            let message = found.first().with_context(|| format!("there is no message {id}"))?;
            println!("{id} is {}", message.standing());
        }
        Command::Settle { id, how } => {
            let key = parse(&id)?;
            let now = Clock::system().now();
            let was_unknown = match how {
                How::Arrived => unknown::arrived(&store, key, now).await?,
                How::Again => unknown::send_again(&store, &[key], Reason::SentAgainByOperator, now).await? == 1,
                How::GiveUp => unknown::give_up(&store, key, now).await?,
            };
            anyhow::ensure!(was_unknown, "{id} is not of unknown outcome: see `hookbridge messages show {id}`");
            println!("{id} is settled");
        }
    }
    store.database().clone().close().await;
    Ok(())
}

/// A message for machines. The number is masked here as well: a pipe is soon a log.
pub(super) fn message_json(m: &MessageTrail) -> serde_json::Value {
    json!({
        "id": m.id.to_string(), "event_id": m.event_id, "hookpoint": m.hookpoint, "subject": m.subject,
        "client_id": m.client_id, "contact_id": m.contact_id, "user_id": m.user_id, "to_masked": m.to.masked(), "language": m.language,
        "class": m.class, "lane": m.lane, "template": m.template, "text": m.text, "state": m.standing(),
        "reason": m.reason, "detail": m.detail, "created_at": m.created_at.to_string(),
        "snoozes": m.snoozes,
        "attempts": m.attempts.iter().map(|a| json!({
            "started_at": a.started_at.to_string(), "ended_at": a.ended_at.to_string(), "outcome": a.outcome,
            "code": a.code, "detail": a.detail, "cause": a.cause,
        })).collect::<Vec<_>>(),
        "receipts": m.receipts.iter().map(|r| json!({
            "status": r.status, "at": r.at.to_string(), "received_at": r.received_at.to_string(), "code": r.code,
            "category": r.category,
        })).collect::<Vec<_>>(),
    })
}

pub(super) fn print_message(m: &MessageTrail) {
    println!("  message {}  {}  to {} ({})", m.id, show::state(m.standing()), m.to.masked(), m.language);
    println!("    {}  queued: template {}, lane {}, class {}", show::time(m.created_at), m.template, m.lane, m.class);
    for line in m.text.lines().filter(|line| !line.is_empty()) {
        println!("      {line}");
    }
    if m.snoozes > 0 {
        println!("    pace: put off {} times", m.snoozes);
    }
    for a in &m.attempts {
        let code = a.code.map(|code| format!(" code {code}")).unwrap_or_default();
        let detail = a.detail.as_deref().unwrap_or_default();
        let cause = a.cause.as_deref().map(|cause| format!(" ({cause})")).unwrap_or_default();
        println!("    {}  attempt{cause}: {}{code} {detail}", show::time(a.started_at), a.outcome);
    }
    for r in &m.receipts {
        let code = r.code.map(|code| format!(" code {code}")).unwrap_or_default();
        println!("    {}  receipt: {}{code}", show::time(r.at), r.status);
    }
    if let Some(reason) = &m.reason {
        println!("    why: {reason} {}", m.detail.as_deref().unwrap_or_default());
    }
}
