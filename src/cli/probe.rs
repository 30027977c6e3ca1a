//! `hookbridge probe`: what the stub's probe of the first day found, point by point, and what to set.

use std::collections::BTreeMap;

use anyhow::Context as _;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::show;
use crate::app::open_store;
use crate::clock::Clock;
use crate::config::Config;
use crate::domain::probe::{POINTS, Point, Seen, sum};
use crate::store::probe::notes;

/// What is looked at without `--since`.
const LOOKED_AT: SignedDuration = SignedDuration::from_hours(7 * 24);

#[derive(Debug, clap::Args)]
pub struct Args {
    /// From this moment on, as 2026-11-25T10:00:00Z; without it the last 7 days
    #[arg(long)]
    since: Option<Timestamp>,
    #[arg(long)]
    json: bool,
}

pub async fn run(args: Args, config: &Config) -> anyhow::Result<()> {
    let store = open_store(config)?;
    let since = args.since.unwrap_or_else(|| crate::domain::time::earlier(Clock::system().now(), LOOKED_AT));
    let notes = notes(&store, since).await.context("the database")?;
    store.database().clone().close().await;
    let (hooks, zones) = sum(&notes);
    if args.json {
        let points: Vec<Value> = POINTS.iter().map(|point| point_json(point, &hooks)).collect();
        show::json(&json!({ "notes": notes.len(), "zones": zones, "points": points }));
        return Ok(());
    }
    if notes.is_empty() {
        println!(
            "The probe noted nothing. On the platform's host: php hookbridge/tool.php probe --minutes 60, then do"
        );
        println!("what docs/FIRST-DAY.md says.\n");
    }
    for point in &POINTS {
        println!("{:>2}  {}", point.number, point.question);
        if point.number == 16 {
            for zone in &zones {
                println!("    seen: {zone}");
            }
        }
        let mut heard = !zones.is_empty() && point.number == 16;
        for (hook, seen) in seen_of(point, &hooks) {
            heard = true;
            print_hook(hook, seen);
        }
        if !heard {
            println!("    not seen: {}", point.act);
        }
        println!("    then: {}\n", point.then);
    }
    Ok(())
}

fn seen_of<'a>(point: &Point, hooks: &'a BTreeMap<String, Seen>) -> Vec<(&'a String, &'a Seen)> {
    point.hooks.iter().filter_map(|hook| hooks.get_key_value(*hook)).collect()
}

fn print_hook(hook: &str, seen: &Seen) {
    println!("    seen: {hook}, {} times", seen.times);
    for (what, all) in [
        ("by", &seen.by),
        ("keys", &seen.keys),
        ("rows then", &seen.states),
        ("says", &seen.words),
        ("order", &seen.processes),
    ] {
        for one in all {
            println!("          {what}: {one}");
        }
    }
}

fn point_json(point: &Point, hooks: &BTreeMap<String, Seen>) -> Value {
    let seen: Vec<Value> = seen_of(point, hooks)
        .into_iter()
        .map(|(hook, seen)| {
            json!({ "hook": hook, "times": seen.times, "by": seen.by, "keys": seen.keys, "states": seen.states,
                "words": seen.words, "processes": seen.processes })
        })
        .collect();
    json!({ "number": point.number, "question": point.question, "act": point.act, "then": point.then, "seen": seen })
}
