//! `hookbridge schedule`: what alerts by date would go out in the next 14 days.

use jiff::civil::Date;

use super::desk::{Failure, at_the_desk};
use super::show;
use crate::admin::{Desk, ahead, shape};
use crate::config::Config;
use crate::domain::admin::Who;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// One hookpoint only
    #[arg(long)]
    hookpoint: Option<String>,
    /// The rows of that hookpoint on this day, and what would become of each
    #[arg(long, requires = "hookpoint")]
    day: Option<Date>,
    /// For programs
    #[arg(long)]
    json: bool,
}

pub async fn run(args: Args, config: &Config) -> anyhow::Result<()> {
    at_the_desk(config, async |desk, who| match (&args.hookpoint, args.day) {
        (Some(name), Some(day)) => rows(&args, desk, who, name, day).await,
        _ => steps(&args, desk, who).await,
    })
    .await
}

async fn steps(args: &Args, desk: &Desk, who: &Who) -> Result<(), Failure> {
    let all = ahead::steps(desk, who, args.hookpoint.as_deref()).await?;
    if args.json {
        show::json(&shape::ahead(&all));
        return Ok(());
    }
    if !all.sweep_runs {
        eprintln!("`sweep.enabled` is false: nobody reads the dates of the platform's rows.");
    }
    let mut table = show::table(&["day", "hookpoint", "on", "step", "rows"]);
    for step in &all.steps {
        let is_on = if step.enabled { "on" } else { "off" };
        let days = format!("{:+} d from {}", step.days, step.of);
        table.add_row([&step.on.to_string(), step.hookpoint.as_str(), is_on, &days, &step.rows.to_string()]);
    }
    println!("{table}");
    Ok(())
}

async fn rows(args: &Args, desk: &Desk, who: &Who, name: &str, day: Date) -> Result<(), Failure> {
    let (all, more) = ahead::rows(desk, who, name, day).await?;
    if args.json {
        show::json(&shape::ahead_rows(&all, more));
        return Ok(());
    }
    let mut table = show::table(&["moment", "about", "client", "step", "would get it"]);
    for row in &all {
        let outcome = match row.outcome {
            Ok(people) => people.to_string(),
            Err(reason) => reason.code().to_owned(),
        };
        let client = row.client.map_or_else(|| "-".to_owned(), |client| client.to_string());
        let days = format!("{:+} d from {}", row.days, row.of);
        table.add_row([show::time(row.at), row.subject.to_string(), client, days, outcome]);
    }
    println!("{table}");
    if more {
        println!("There are more: of each step the first {} are shown.", ahead::ROWS_MAX);
    }
    Ok(())
}
