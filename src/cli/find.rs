//! `hookbridge find`: one search for everything.

use std::process::ExitCode;

use super::desk::at_the_desk;
use super::show;
use crate::admin::find::{Kind, Unseen, find};
use crate::config::Config;
use crate::http::api::find::answer;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// A name, company, e-mail, phone, invoice number, domain, ticket, or an id; several words are one search
    #[arg(required = true, value_name = "WORDS")]
    words: Vec<String>,
    /// Look further: among invoices below this id
    #[arg(long, value_name = "ID")]
    before: Option<u64>,
    /// For programs
    #[arg(long)]
    json: bool,
}

/// Fails if nothing was found, as `grep` does.
pub async fn run(args: Args, config: &Config) -> anyhow::Result<ExitCode> {
    let text = args.words.join(" ");
    let found = at_the_desk(config, async |desk, who| Ok(find(desk, who, &text, args.before).await?)).await?;
    if args.json {
        show::json(&answer(&found));
    } else {
        print(&found, &text);
    }
    Ok(if found.groups.is_empty() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn print(found: &crate::admin::find::Answer, text: &str) {
    if found.groups.is_empty() {
        println!("nothing found");
    }
    for (kind, hits) in &found.groups {
        let mut table = show::table(&[kind.code(), "called", "more", "client"]);
        for hit in hits {
            let client = hit.client.map_or_else(String::new, |id| match found.names.client(id) {
                Some(name) => format!("{} (#{id})", show::written(name)),
                None => format!("#{id}"),
            });
            let more = match (hit.at, *kind) {
                (Some(at), Kind::Message | Kind::Event) => format!("{}, {}", hit.detail, show::time(at)),
                _ => show::written(&hit.detail),
            };
            table.add_row(vec![hit.id.clone(), show::written(&hit.title), more, client]);
        }
        println!("{table}\n");
    }
    for one in &found.unseen {
        match one {
            Unseen::Clients => println!("Only the newest clients were looked at."),
            Unseen::Platform => {
                println!("The platform's database does not answer: only messages and events were looked at.");
            }
            Unseen::Invoices(from) => {
                println!("Older invoices were not looked at by number: hookbridge find \"{text}\" --before {from}");
            }
        }
    }
}
