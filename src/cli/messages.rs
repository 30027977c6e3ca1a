//! `hookbridge messages`

use clap::Args;
use comfy_table::Cell;

use super::desk::{Failure, at_the_desk, plain};
use super::show;
use crate::admin::messages;
use crate::admin::messages::retry::{self, LeftOut, Picked, Plan, Takes};
use crate::admin::{Desk, shape};
use crate::config::Config;
use crate::domain::admin::Who;
use crate::http::api::messages::page;
use crate::ops::messages::{CancelMessage, ResendMessage, SettleMessage};
use crate::ops::{act, change};
use crate::store::search::MessageSearch;
use crate::store::trail::MessageTrail;

#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// List messages, the newest first (filters are combined)
    List {
        #[command(flatten)]
        wishes: Wishes,
        /// The rows behind this place: `next` of the answer before
        #[arg(long, value_name = "PLACE")]
        before: Option<String>,
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..))]
        limit: u16,
        #[arg(long)]
        json: bool,
    },
    /// One message with its attempts and receipts
    Show {
        id: String,
        #[arg(long)]
        json: bool,
    },
    /// Send a message again that ended badly, as a new one; its facts are checked first
    Resend {
        #[command(flatten)]
        resend: ResendMessage,
        #[arg(long)]
        json: bool,
    },
    /// Send many again that ended badly, at most 500: those named, or all that a search finds (failed ones, if it names no
    /// state). Without `--yes` it only says what would come of it
    Retry(Retry),
    /// Cancel a message that waits
    Cancel(CancelMessage),
    /// Say what became of a message whose outcome is unknown
    Settle(SettleMessage),
}

#[derive(Debug, Args)]
pub struct Retry {
    ids: Vec<String>,
    #[command(flatten)]
    wishes: Wishes,
    /// Send those too that may have arrived
    #[arg(long)]
    twice: bool,
    /// Do it
    #[arg(long)]
    yes: bool,
    #[arg(long)]
    json: bool,
}

/// What to look for.
#[derive(Debug, Default, Args)]
pub struct Wishes {
    /// The platform's number of the client
    #[arg(long)]
    client: Option<String>,
    /// As people write it
    #[arg(long)]
    phone: Option<String>,
    /// The invoice's internal id
    #[arg(long)]
    invoice: Option<String>,
    /// What it is about, e.g. `service:7`
    #[arg(long)]
    subject: Option<String>,
    /// The event that asked for it
    #[arg(long)]
    event: Option<String>,
    /// The alert
    #[arg(long)]
    hookpoint: Option<String>,
    /// queued, held, sending, unknown, accepted, sent, delivered, read, failed, cancelled
    #[arg(long)]
    state: Option<String>,
    /// A code of docs/RULES.md
    #[arg(long)]
    reason: Option<String>,
    /// From this day on, by the platform's clock, or from this moment
    #[arg(long, value_name = "DAY")]
    since: Option<String>,
    /// Until the end of this day, or before this moment
    #[arg(long, value_name = "DAY")]
    until: Option<String>,
}

impl Wishes {
    fn get(&self, name: &str) -> Option<String> {
        let wish = match name {
            "client" => &self.client,
            "phone" => &self.phone,
            "invoice" => &self.invoice,
            "subject" => &self.subject,
            "event" => &self.event,
            "hookpoint" => &self.hookpoint,
            "state" => &self.state,
            "reason" => &self.reason,
            "since" => &self.since,
            "until" => &self.until,
            _ => &None,
        };
        wish.clone()
    }

    fn is_none(&self) -> bool {
        let all = ["client", "phone", "invoice", "subject", "event", "hookpoint", "state", "reason", "since", "until"];
        all.iter().all(|name| self.get(name).is_none())
    }

    async fn search(&self, desk: &Desk, before: Option<String>, limit: u16) -> Result<MessageSearch, Failure> {
        let get = |name: &str| if name == "before" { before.clone() } else { self.get(name) };
        Ok(desk.message_search(&get, limit.into()).await?)
    }
}

pub async fn run(command: Command, config: &Config) -> anyhow::Result<()> {
    at_the_desk(config, async |desk, who| answer(command, desk, who).await).await
}

async fn answer(command: Command, desk: &Desk, who: &Who) -> Result<(), Failure> {
    match command {
        Command::List { wishes, before, limit, json } => {
            let found = messages::list(desk, &wishes.search(desk, before, limit).await?).await?;
            if json {
                show::json(&page(&found, shape::message));
            } else {
                list(&found.items);
                show::more(found.next.as_ref(), found.looked_until);
            }
        }
        Command::Show { id, json } => {
            let whole = messages::whole(desk, messages::id(&id)?).await?;
            if json {
                show::json(&shape::message_and_heirs(&whole));
            } else {
                print_message(&whole.message);
                if let Some(new) = whole.resent_as {
                    println!("    sent again as {new}");
                }
            }
        }
        Command::Resend { resend, json } => {
            let new = act(desk, who, resend).await?;
            if json { show::output(&new) } else { println!("queued again as {}", new.message) }
        }
        Command::Retry(many) => retry(desk, who, many).await?,
        Command::Cancel(cancel) => {
            let id = cancel.id.clone();
            change(desk, who, cancel).await?;
            println!("{id} is cancelled");
        }
        Command::Settle(settle) => {
            let id = settle.id.clone();
            change(desk, who, settle).await?;
            println!("{id} is settled");
        }
    }
    Ok(())
}

async fn retry(desk: &Desk, who: &Who, many: Retry) -> Result<(), Failure> {
    let picked = match (many.ids.is_empty(), many.wishes.is_none()) {
        (false, true) => Picked::Ids(many.ids.iter().map(|id| messages::id(id)).collect::<Result<_, _>>()?),
        (true, false) => Picked::All(Box::new(many.wishes.search(desk, None, 1).await?)),
        _ => {
            let text = "name messages by their ids, or search for them (e.g. `--state failed --since 2026-11-25`)";
            return Err(anyhow::anyhow!(text).into());
        }
    };
    if !many.yes {
        let plan = retry::plan(desk, &picked).await?;
        if many.json {
            show::json(&shape::plan(&plan));
        } else {
            print_plan(&plan, many.twice);
        }
        return Ok(());
    }
    let report = retry::retry(desk, who, &picked, many.twice).await?;
    if many.json {
        show::json(&shape::report(&report));
        return Ok(());
    }
    println!("{} queued again", report.resent);
    left(report.left_out.into_iter());
    if report.more {
        println!("There are more: do it again.");
    }
    Ok(())
}

fn print_plan(plan: &Plan, twice: bool) {
    let go = plan.fit.len() + if twice { plan.unsure.len() } else { 0 };
    println!("{go} would be sent again{}", lasts(&plan.takes));
    if !twice && !plan.unsure.is_empty() {
        println!("{:>6}  may have arrived: they go only with --twice", plan.unsure.len());
    }
    left(plan.reasons().into_iter());
    if plan.takes.stopped {
        println!("The number is stopped: they would wait.");
    }
    if plan.takes.over_day {
        println!("That is beyond the number's recipients of 24 hours: the rest would wait.");
    }
    if plan.more {
        println!("There are more: these are the newest.");
    }
    println!("Nothing was sent: `--yes` does it.");
}

fn left(all: impl Iterator<Item = (LeftOut, usize)>) {
    for (why, n) in all {
        println!("{n:>6}  left out, {}: {}", why.code(), plain(&why.words()));
    }
}

fn lasts(takes: &Takes) -> String {
    match takes.lasts.as_secs() {
        0..=1 => String::new(),
        seconds @ 2..=120 => format!("; at the number's pace that takes at most about {seconds} s"),
        seconds => format!("; at the number's pace that takes at most about {} minutes", (seconds + 59) / 60),
    }
}

fn list(found: &[MessageTrail]) {
    let mut table = show::table(&["message", "queued", "hookpoint", "client", "to", "state", "why"]);
    for m in found {
        let client = m.client_id.to_string();
        let head = [m.id.to_string(), show::time(m.created_at), m.hookpoint.clone(), client, m.to.masked()];
        let state = [Cell::new(m.standing()), m.reason.clone().unwrap_or_default().into()];
        table.add_row(head.into_iter().map(Cell::from).chain(state));
    }
    println!("{table}");
}

pub(super) fn print_message(m: &MessageTrail) {
    println!("  message {}  {}  to {} ({})", m.id, show::state(m.standing()), m.to.masked(), m.language);
    println!("    {}  queued: template {}, lane {}, class {}", show::time(m.created_at), m.template, m.lane, m.class);
    for line in m.text.lines().filter(|line| !line.is_empty()) {
        println!("      {line}");
    }
    if let Some(at) = m.rewritten_at {
        println!("    {}  written anew: what it says had changed while it waited", show::time(at));
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
