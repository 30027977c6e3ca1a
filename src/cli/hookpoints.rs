//! `hookbridge hookpoints`

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde_json::{Value, json};

use super::desk::{Failure, with_the_key};
use super::show;
use crate::admin::hookpoints::change::{self, Saving};
use crate::admin::hookpoints::{self as operations, Line, check, trial};
use crate::admin::{AdminError, Desk};
use crate::catalogue::{Catalogue, hooks, manifest};
use crate::config::rules::RulesConfig;
use crate::domain::admin::Who;
use crate::domain::hookpoint::Hookpoint;
use crate::domain::locale::Locale;
use crate::http::api::hookpoints::{all_hooks, line_json, trial_json, version_json};

#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// All hookpoints: with a configuration as they are in force, else as they are built in
    List {
        #[arg(long)]
        json: bool,
    },
    /// The stub's manifest: which hooks it registers, which fields may leave PHP, where it asks the rules
    Manifest,
    /// One hookpoint's definition, as `set` takes it
    Show {
        name: String,
        #[arg(long)]
        json: bool,
    },
    /// Switch one on
    Enable { name: String },
    /// Switch one off
    Disable { name: String },
    /// Save a definition out of a file (TOML, one section); a name that is new makes a hookpoint
    Set {
        file: PathBuf,
        /// For whoever reads it later
        #[arg(long, default_value = "")]
        note: String,
        /// The version that it was made from; without it, whatever is newest
        #[arg(long)]
        based_on: Option<u64>,
    },
    /// The versions of one
    History {
        name: String,
        #[arg(long)]
        json: bool,
    },
    /// Go back to an older version
    RollBack { name: String, version: u64 },
    /// Go back to what is built in; one of your own is deleted
    BuiltIn { name: String },
    /// What it, or the definition in a file, would have made of the events of the last 7 days
    Try {
        name: String,
        #[arg(long)]
        file: Option<PathBuf>,
        #[arg(long)]
        json: bool,
    },
    /// The platform's documented hooks, and which can be used
    Hooks {
        #[arg(default_value = "")]
        search: String,
        #[arg(long)]
        json: bool,
    },
}

pub async fn run(command: Command, file: Option<&Path>) -> anyhow::Result<()> {
    match command {
        Command::Hooks { search, json } => {
            list_hooks(&search, json);
            Ok(())
        }
        Command::Manifest if !is_configured(file) => built_in(false, file, true),
        Command::List { json } if !is_configured(file) => built_in(json, file, false),
        command => {
            let config = super::read(file)?;
            with_the_key(&config, async |desk, who| act(command, desk, who).await).await
        }
    }
}

/// Whether there is a service's configuration, with a page: only then are there databases to look into.
fn is_configured(file: Option<&Path>) -> bool {
    super::read(file).is_ok_and(|config| !crate::config::section::is_empty(&config.admin.key))
}

/// As they are built in, with the changes of the configuration file if there is one.
fn built_in(json: bool, file: Option<&Path>, as_manifest: bool) -> anyhow::Result<()> {
    let config = file.map(|file| super::read(Some(file))).transpose()?;
    let (changes, rules) =
        config.map_or_else(|| (BTreeMap::new(), RulesConfig::built_in()), |c| (c.hookpoints, c.rules));
    let catalogue = Catalogue::built_in(&changes)?;
    if as_manifest {
        print!("{}", manifest::of(&catalogue, &rules).0);
        return Ok(());
    }
    let all: Vec<&Hookpoint> = catalogue.entries().map(|entry| &entry.hookpoint).collect();
    if json {
        show::json(&Value::from(all.iter().map(|h| short(h)).collect::<Vec<_>>()));
        return Ok(());
    }
    let mut table = show::table(&["hookpoint", "since", "class", "audience", "hooks", "title"]);
    for h in all {
        let hooks: Vec<&str> = h.triggers.iter().map(|t| t.hook.as_str()).collect();
        let title = h.title[&Locale::EsAr].clone();
        table.add_row(vec![
            h.id.to_string(),
            h.introduced.clone(),
            h.class.to_string(),
            h.audience.to_string(),
            hooks.join(", "),
            title,
        ]);
    }
    println!("{table}");
    Ok(())
}

fn short(h: &Hookpoint) -> Value {
    json!({
        "id": h.id.as_str(), "title": h.title[&Locale::EsAr], "introduced": h.introduced,
        "enabled": h.enabled, "class": h.class.code(), "audience": h.audience.code(),
        "hooks": h.triggers.iter().map(|t| &t.hook).collect::<Vec<_>>(),
    })
}

async fn act(command: Command, desk: &Desk, who: &Who) -> Result<(), Failure> {
    match command {
        Command::Manifest => print!("{}", manifest::of(&desk.catalogue.load(), &desk.config.rules).0),
        Command::List { json } => list(desk, who, json).await?,
        Command::Show { name, json } => {
            let detail = operations::one(desk, who, &name).await?;
            if json {
                let mut all = line_json(&detail.line);
                all["definition"] = crate::catalogue::written::json(&detail.line.hookpoint);
                all["version"] = json!(detail.version);
                show::json(&all);
            } else {
                print!("{}", detail.text);
            }
        }
        Command::Enable { name } => {
            change::switch(desk, who, &name, true).await?;
            println!("{name} is on");
        }
        Command::Disable { name } => {
            change::switch(desk, who, &name, false).await?;
            println!("{name} is off");
        }
        Command::Set { file, note, based_on } => set(desk, who, &file, &note, based_on).await?,
        Command::History { name, json } => history(desk, who, &name, json).await?,
        Command::RollBack { name, version } => {
            change::roll_back(desk, who, &name, version, None).await?;
            println!("{name} is as in version {version}");
        }
        Command::BuiltIn { name } => {
            change::built_in(desk, who, &name, None).await?;
            println!("{name} is as built in, or deleted");
        }
        Command::Try { name, file, json } => try_it(desk, who, &name, file.as_deref(), json).await?,
        Command::Hooks { .. } => {}
    }
    Ok(())
}

async fn list(desk: &Desk, who: &Who, json: bool) -> Result<(), Failure> {
    let all = operations::all(desk, who).await?;
    for mistake in &all.left_out {
        eprintln!("left out: {mistake}");
    }
    if json {
        let row = |line: &Line| {
            let mut all = line_json(line);
            all["id"] = all["name"].clone();
            all
        };
        show::json(&Value::from(all.lines.iter().map(row).collect::<Vec<_>>()));
        return Ok(());
    }
    let mut table = show::table(&["hookpoint", "on", "origin", "class", "audience", "24 h", "7 d", "hooks", "title"]);
    for line in &all.lines {
        let h = &line.hookpoint;
        let hooks: Vec<&str> = h.triggers.iter().map(|t| t.hook.as_str()).collect();
        table.add_row(vec![
            h.id.to_string(),
            if line.enabled { "on" } else { "off" }.to_owned(),
            line.origin.to_string(),
            h.class.to_string(),
            h.audience.to_string(),
            line.day.to_string(),
            line.week.to_string(),
            hooks.join(", "),
            h.title[&Locale::EsAr].clone(),
        ]);
    }
    println!("{table}");
    Ok(())
}

async fn set(desk: &Desk, who: &Who, file: &Path, note: &str, based_on: Option<u64>) -> Result<(), Failure> {
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let name = text
        .lines()
        .find_map(|line| line.trim().strip_prefix('[')?.strip_suffix(']'))
        .context("the file holds no section like [invoice_created]")?
        .to_owned();
    let hookpoint = check::read(&name, &text)?;
    match operations::one(desk, who, &name).await {
        Ok(_) => change::save(desk, who, Saving { hookpoint, based_on, note }).await?,
        Err(AdminError::NotFound(_)) => change::create(desk, who, hookpoint, note).await?,
        Err(error) => return Err(error.into()),
    };
    println!("{name} is saved");
    Ok(())
}

async fn history(desk: &Desk, who: &Who, name: &str, json: bool) -> Result<(), Failure> {
    let detail = operations::one(desk, who, name).await?;
    if json {
        show::json(&Value::from(detail.versions.iter().map(version_json).collect::<Vec<_>>()));
        return Ok(());
    }
    let mut table = show::table(&["version", "when", "who", "what", "note"]);
    for version in &detail.versions {
        let what = if version.content.is_some() { "saved" } else { "back to built in" };
        table.add_row(vec![
            version.id.to_string(),
            show::time(version.at),
            version.who.clone(),
            what.to_owned(),
            version.note.clone(),
        ]);
    }
    println!("{table}");
    Ok(())
}

async fn try_it(desk: &Desk, who: &Who, name: &str, file: Option<&Path>, json: bool) -> Result<(), Failure> {
    let hookpoint = match file {
        Some(file) => check::read(
            name,
            &std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?,
        )?,
        None => operations::one(desk, who, name).await?.line.hookpoint,
    };
    check::whole(&hookpoint, &desk.catalogue.load())?;
    let trial = trial::run(desk, who, &hookpoint).await?;
    if json {
        show::json(&trial_json(&trial));
        return Ok(());
    }
    println!(
        "would have alerted for {} events ({} messages), not for {}",
        trial.fired(),
        trial.messages(),
        trial.skipped()
    );
    for (reason, n) in trial.reasons() {
        println!("{n:>6}  {reason}");
    }
    Ok(())
}

fn list_hooks(search: &str, json: bool) {
    if json {
        return show::json(&all_hooks(search)["items"]);
    }
    let mut table = show::table(&["hook", "group", "for alerts", "parameters"]);
    for hook in hooks::search(search) {
        let standing = match (hook.unfit, hook.mind) {
            (Some(why), _) => format!("no: {why}"),
            (None, Some(mind)) => format!("mind: {mind}"),
            (None, None) => "yes".to_owned(),
        };
        table.add_row(vec![hook.name.to_owned(), hook.group.to_owned(), standing, hook.parameters.join(" ")]);
    }
    println!("{table}");
}
