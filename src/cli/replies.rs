//! `hookbridge replies`

use serde_json::json;

use super::desk::{Failure, at_the_desk};
use super::show;
use crate::admin::{Desk, replies};
use crate::config::Config;
use crate::domain::admin::Who;
use crate::domain::consent::Meaning;
use crate::http::api::replies::reply_json;
use crate::store::replies::{ReplyFilter, ReplyLine, Seen};

#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    list: List,
}

#[derive(Debug, clap::Args)]
struct List {
    /// Only what nobody read yet
    #[arg(long)]
    unseen: bool,
    /// Only what was taken for this: `opt_out`, `opt_in`, `security_only`, `near`, `other`
    #[arg(long, value_parser = meaning)]
    meaning: Option<Meaning>,
    #[arg(long)]
    client: Option<u64>,
    #[arg(long, default_value_t = 50)]
    limit: usize,
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Note that a reply was read
    Seen {
        id: u64,
        /// And every one before it
        #[arg(long)]
        all: bool,
    },
}

fn meaning(code: &str) -> Result<Meaning, String> {
    Meaning::parse(code).ok_or_else(|| "must be opt_out, opt_in, security_only, near or other".to_owned())
}

pub async fn run(args: Args, config: &Config) -> anyhow::Result<()> {
    at_the_desk(config, async |desk, who| act(args, desk, who).await).await
}

async fn act(args: Args, desk: &Desk, who: &Who) -> Result<(), Failure> {
    match args.command {
        None => {
            let List { unseen, meaning, client, limit, json } = args.list;
            let filter = ReplyFilter { unseen, meaning, client_id: client, before: None, limit };
            let (all, _) = replies::list(desk, who, &filter).await?;
            if json {
                show::json(&json!({ "items": all.iter().map(|one| reply_json(one, true)).collect::<Vec<_>>() }));
            } else {
                print(&all);
            }
        }
        Some(Command::Seen { id, all }) => {
            let read = replies::seen(desk, who, if all { Seen::UpTo(id) } else { Seen::One(id) }).await?;
            println!("{read} replies are noted as read");
        }
    }
    Ok(())
}

fn print(all: &[ReplyLine]) {
    let mut table = show::table(&["id", "at", "from", "client", "alert", "taken for", "read", "text"]);
    for one in all {
        let number = one.from.as_ref().map(|from| from.as_str().to_owned());
        table.add_row(vec![
            one.id.to_string(),
            show::time(one.at),
            number.or(one.user_id.as_ref().map(|user| user.as_str().to_owned())).unwrap_or_default(),
            one.client_id.map(|id| id.to_string()).unwrap_or_default(),
            one.hookpoint.clone().unwrap_or_default(),
            if one.matched { one.meaning.code().to_owned() } else { format!("{} (matches nobody)", one.meaning) },
            one.seen_by.clone().unwrap_or_else(|| "no".to_owned()),
            if one.text.is_empty() { format!("({})", one.kind) } else { one.text.clone() },
        ]);
    }
    println!("{table}");
}
