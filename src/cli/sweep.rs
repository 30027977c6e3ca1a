//! `hookbridge sweep`

use serde_json::json;

use super::show;
use crate::app::open_store;
use crate::clock::Clock;
use crate::config::Config;
use crate::domain::mirror::Kind;
use crate::store::audit::Record;
use crate::store::{Store, mirror};

/// Remembered rows are counted so far: a large platform has millions, and each count reads them all.
const COUNTED_MAX: u64 = 100_000;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Forget what is remembered: the next sweep looks around silently again (after `billing.url` changed, or a restore)
    #[arg(long)]
    forget: bool,
    /// Count all remembered rows, however long that takes
    #[arg(long)]
    exact: bool,
    /// For programs
    #[arg(long)]
    json: bool,
}

pub async fn run(args: Args, config: &Config) -> anyhow::Result<()> {
    let store = open_store(config)?;
    if args.forget {
        let (who, now) = (super::who(), Clock::system().now());
        let (action, target) = ("sweep.forget", "mirror".to_owned());
        let record = Record { who: &who, action, target, detail: None, raises: false, now };
        let done = mirror::forget(&store, &record).await?;
        anyhow::ensure!(done, "an instance is sweeping at this moment: try again in a minute");
    }
    print(&store, &args).await?;
    store.database().clone().close().await;
    Ok(())
}

async fn print(store: &Store, args: &Args) -> anyhow::Result<()> {
    let most = if args.exact { u64::MAX } else { COUNTED_MAX };
    let mut table = show::table(&["kind", "rows", "waiting", "knows all rows since", "last round began"]);
    let mut kinds = Vec::new();
    for kind in Kind::ALL {
        let (rows, waiting) = mirror::counts(store, *kind, most).await?;
        let walk = mirror::walk(store, *kind).await?;
        let filled = walk.as_ref().and_then(|walk| walk.filled_at);
        let round = walk.as_ref().map(|walk| walk.round_at);
        table.add_row(vec![
            kind.code().to_owned(),
            if rows == most { format!("{rows} or more (--exact)") } else { rows.to_string() },
            waiting.to_string(),
            filled.map_or_else(|| "looks around silently".to_owned(), show::time),
            round.map(show::time).unwrap_or_default(),
        ]);
        kinds.push(json!({
            "kind": kind.code(), "rows": rows, "rows_is_all": rows < most, "waiting": waiting,
            "filled_at": filled.map(|at| at.to_string()), "round_at": round.map(|at| at.to_string()),
        }));
    }
    if args.json {
        show::json(&json!({ "kinds": kinds }));
    } else {
        println!("{table}");
    }
    Ok(())
}
