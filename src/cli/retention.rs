//! `hookbridge retention`

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::SignedDuration;
use serde_json::json;

use super::show;
use crate::app::{open_store, retention};
use crate::clock::Clock;
use crate::config::Config;
use crate::metrics::Metrics;
use crate::retention::{Keep, Retention, Round};
use crate::stop::pair;
use crate::store::prune::{COUNT_MAX, Kind, Standing, rows, standing};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Prune now all that is old, instead of waiting for the service to do it
    #[arg(long)]
    run: bool,
    /// For programs
    #[arg(long)]
    json: bool,
}

pub async fn run(args: Args, config: &Config) -> anyhow::Result<()> {
    let store = open_store(config)?;
    let retention = retention(config, &store, &Clock::system(), &Arc::new(Metrics::default()));
    let pruned = if args.run { Some(prune(&retention).await?) } else { None };
    let mut all = Vec::new();
    for kind in Kind::ALL {
        all.push(standing(&store, kind, retention.keep.before(kind, retention.clock.now())).await?);
    }
    let rows = rows(&store).await?;
    if args.json {
        let kinds: Vec<_> = all
            .iter()
            .map(|one| {
                let mut json = as_json(one, &retention, pruned.as_ref());
                json["setting"] = Keep::key(one.kind).into();
                json["rows"] = rows.get(&one.kind).copied().unwrap_or(0).into();
                json
            })
            .collect();
        show::json(&json!({ "kinds": kinds }));
    } else {
        print(&all, &rows, &retention, pruned.as_ref());
    }
    store.database().clone().close().await;
    Ok(())
}

async fn prune(retention: &Retention) -> anyhow::Result<BTreeMap<Kind, u64>> {
    let (_stopper, stop) = pair();
    match retention.round(&stop).await? {
        Round::Pruned(rows) => Ok(rows),
        Round::NotOurTurn => anyhow::bail!("another instance is pruning at this moment: nothing to do here"),
        Round::ClockOff(seconds) => anyhow::bail!(
            "nothing was pruned: the database's clock is {seconds} s ahead of ours; correct the clocks first"
        ),
    }
}

fn print(all: &[Standing], rows: &BTreeMap<Kind, u64>, retention: &Retention, pruned: Option<&BTreeMap<Kind, u64>>) {
    let mut table =
        show::table(&["kind", "kept", "setting", "rows, roughly", "oldest", "overdue", "pruned so far", "last"]);
    for one in all {
        let days = |kept: SignedDuration| format!("{} days", kept.as_hours() / 24);
        let overdue = if one.overdue >= COUNT_MAX { format!("over {COUNT_MAX}") } else { one.overdue.to_string() };
        table.add_row(vec![
            one.kind.code().to_owned(),
            retention.keep.of(one.kind).map_or("for ever".to_owned(), days),
            Keep::key(one.kind).unwrap_or_default().to_owned(),
            rows.get(&one.kind).copied().unwrap_or(0).to_string(),
            one.oldest.map(show::time).unwrap_or_default(),
            overdue,
            one.pruned_rows.to_string(),
            one.pruned_at.map(show::time).unwrap_or_default(),
        ]);
    }
    println!("{table}");
    if let Some(rows) = pruned {
        println!("{} rows pruned now", rows.values().sum::<u64>());
    }
}

fn as_json(one: &Standing, retention: &Retention, pruned: Option<&BTreeMap<Kind, u64>>) -> serde_json::Value {
    json!({
        "kind": one.kind.code(),
        "kept_days": retention.keep.of(one.kind).map(|kept| kept.as_hours() / 24),
        "oldest": one.oldest.map(|at| at.to_string()),
        "overdue_rows": one.overdue,
        "pruned_rows": one.pruned_rows,
        "pruned_at": one.pruned_at.map(|at| at.to_string()),
        "pruned_now": pruned.map(|rows| rows.get(&one.kind).copied().unwrap_or(0)),
    })
}
