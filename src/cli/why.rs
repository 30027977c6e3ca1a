//! `hookbridge why`: why a client got nothing.

use comfy_table::Cell;

use super::desk::{Failure, at_the_desk, plain};
use super::show;
use crate::admin::phones::UNDELIVERABLE;
use crate::admin::why::{self, Answer, Line, Person};
use crate::admin::{Desk, shape};
use crate::config::Config;
use crate::domain::admin::Who;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The platform's number of the client, or a name, e-mail or phone
    client: String,
    /// This day, by the platform's clock; without one, today
    #[arg(long, conflicts_with_all = ["from", "to"])]
    day: Option<String>,
    /// From this day on
    #[arg(long, value_name = "DAY")]
    from: Option<String>,
    /// Until the end of this day; at most 31 days
    #[arg(long, value_name = "DAY")]
    to: Option<String>,
    #[arg(long)]
    json: bool,
}

pub async fn run(args: Args, config: &Config) -> anyhow::Result<()> {
    at_the_desk(config, async |desk, who| answer(&args, desk, who).await).await
}

async fn answer(args: &Args, desk: &Desk, who: &Who) -> Result<(), Failure> {
    let Some(client) = client(args, desk, who).await? else { return Ok(()) };
    let get = |name: &str| match name {
        "from" => args.from.clone().or_else(|| args.day.clone()),
        _ => args.to.clone().or_else(|| args.day.clone()),
    };
    let answer = desk.shown_answer(who, why::answer(desk, why::read(desk, client, &get)?).await?);
    if args.json {
        show::json(&shape::answer(&answer));
    } else {
        print(client, &answer);
    }
    Ok(())
}

/// The one client that is meant; if it may be several, they are shown.
async fn client(args: &Args, desk: &Desk, who: &Who) -> Result<Option<u64>, Failure> {
    if let Ok(number) = args.client.trim().parse() {
        return Ok(Some(number));
    }
    let found = why::find_further(desk, &args.client).await?;
    if let ([one], None) = (found.clients.as_slice(), found.rest) {
        return Ok(Some(one.id.0));
    }
    let (found, rest) = (desk.shown(who, found.clients), found.rest);
    if found.is_empty() {
        let from = rest.map_or_else(String::new, |rest| format!(" among the clients from number {rest} on"));
        return Err(anyhow::anyhow!("nobody is found by `{}`{from}", args.client).into());
    }
    if args.json {
        let next = rest.map(|rest| rest.to_string());
        show::json(
            &serde_json::json!({ "which": found.iter().map(shape::candidate).collect::<Vec<_>>(), "next": next }),
        );
        return Ok(None);
    }
    if let Some(rest) = rest {
        eprintln!("Clients below number {rest} were not looked at: there are very many. Name a number or an address.");
    }
    println!("It may be one of these; ask again with the number:");
    let mut table = show::table(&["client", "name", "company", "address"]);
    for one in found {
        table.add_row(vec![
            one.id.0.to_string(),
            show::written(&one.name),
            show::written(&one.company),
            show::written(&one.email),
        ]);
    }
    println!("{table}");
    Ok(None)
}

fn print(client: u64, answer: &Answer) {
    match &answer.client {
        None => println!("The platform has no client {client} (any more)."),
        Some(found) => {
            for one in std::iter::once(found).chain(&answer.contacts) {
                println!("{}", person(client, one));
            }
        }
    }
    println!();
    if answer.lines.is_empty() {
        println!("Nothing happened on those days that we know of.");
    } else {
        let mut table = show::table(&["when", "event", "hook", "to", "hookpoint", "state", "why"]);
        for line in &answer.lines {
            table.add_rows(rows(line));
        }
        println!("{table}");
    }
    for one in &answer.untold {
        let (at, because) = (show::time(one.at), plain_of("why", one.because.code()));
        println!("{at}  {} ({}): {because}", one.subject, one.hookpoint);
    }
    if answer.is_cut {
        println!("There was more than one answer looks through: ask for fewer days.");
    }
}

/// A key of the pages' words, in English.
fn plain_of(section: &str, code: &str) -> String {
    plain(&format!("{section}.{code}")).to_owned()
}

fn person(client: u64, one: &Person) -> String {
    let who = one.contact_id.map_or_else(|| format!("client {client}"), |id| format!("contact {id}"));
    let to = one.to_masked.as_deref().unwrap_or("-");
    let how = match one.obstacle {
        Some(why) => plain_of("reason", why.code()),
        None if one.undeliverable => format!("alerts are sent, but {UNDELIVERABLE}"),
        None => "can get alerts".to_owned(),
    };
    format!("{who}  {}  {to}  {how}", show::written(&one.name))
}

fn rows(line: &Line) -> Vec<Vec<Cell>> {
    let head = || [show::time(line.at), line.event_id.clone(), line.hook.clone()].into_iter().map(Cell::from);
    if line.outcomes.is_empty() {
        let rest = ["-".into(), "-".into(), Cell::new(&line.state), "".into()];
        return vec![head().chain(rest).collect()];
    }
    let row = |one: &why::Outcome| {
        let (message, skipped) = (one.message.as_ref(), one.skipped.as_ref());
        let reason = skipped.map(|skip| skip.reason.clone()).or_else(|| message.and_then(|m| m.reason.clone()));
        let rest = [
            one.contact_id.map_or_else(|| "client".to_owned(), |id| format!("contact {id}")).into(),
            one.hookpoint.clone().unwrap_or_else(|| "-".to_owned()).into(),
            Cell::new(message.map_or("skipped", |message| message.standing())),
            reason.unwrap_or_default().into(),
        ];
        head().chain(rest).collect()
    };
    line.outcomes.iter().map(row).collect()
}
