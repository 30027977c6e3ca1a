//! `hookbridge templates`

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use serde_json::{Value, json};

use super::desk::{Failure, at_the_desk};
use super::{show, submit};
use crate::admin::difference::Change;
use crate::admin::templates::check::Finding;
use crate::admin::templates::preview::Of;
use crate::admin::templates::provider::{at_provider, creation, submit as submit_one};
use crate::admin::templates::versions::steps;
use crate::admin::templates::{Key, Saving, back, list, one, save, trial};
use crate::admin::{AdminError, Desk};
use crate::catalogue::Catalogue;
use crate::domain::admin::Who;
use crate::http::api::templates::{finding, findings, list_json, preview_json, reach_json, step_json, text_json};
use crate::provider_texts::definitions;
use crate::render::Templates;
use crate::render::template::Source;
use crate::whatsapp::{check, creation_json};

#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// The JSON that creates all built-in texts at the provider: one object per text and language
    Export {
        /// Base of the client area, for the buttons
        #[arg(long, default_value = "https://example.com/")]
        system_url: String,
    },
    /// Check texts: without a name, all built-in ones against the provider's rules; with one, the text in force or the one in a
    /// file, also against what the provider has
    Check {
        #[arg(requires = "language")]
        alert: Option<String>,
        /// `es_AR`, `es`, `en` or `pt_BR`
        language: Option<String>,
        #[arg(long, requires = "alert")]
        file: Option<PathBuf>,
        #[arg(long, requires = "alert")]
        json: bool,
    },
    /// All texts in force, and how they stand at the provider
    List {
        #[arg(long)]
        json: bool,
    },
    /// One text, as `set` takes it; with `--json` also its values, findings, and how it stands at the provider
    Show {
        #[command(flatten)]
        which: Which,
        #[arg(long)]
        json: bool,
    },
    /// Save a text out of a file (TOML, as `show` prints it): it is in force at once
    Set {
        #[command(flatten)]
        which: Which,
        file: PathBuf,
        /// For whoever reads it later
        #[arg(long, default_value = "")]
        note: String,
        /// The version that it was made from (0: none); without it, whatever is newest
        #[arg(long)]
        based_on: Option<u64>,
        #[arg(long)]
        json: bool,
    },
    /// The versions of a text, and what each changed
    History {
        #[command(flatten)]
        which: Which,
        #[arg(long)]
        json: bool,
    },
    /// Go back to an older version, or to what is built in
    RollBack {
        #[command(flatten)]
        which: Which,
        /// A version's number, or `built-in`
        version: String,
        #[arg(long, default_value = "")]
        note: String,
    },
    /// A text as a phone would show it
    Preview {
        #[command(flatten)]
        which: Which,
        /// This one instead of the text in force
        #[arg(long)]
        file: Option<PathBuf>,
        /// With the newest record instead of an example
        #[arg(long, conflicts_with_all = ["record", "client"])]
        newest: bool,
        /// With the record of this number
        #[arg(long, conflicts_with = "client")]
        record: Option<u64>,
        /// With the newest record of this client
        #[arg(long)]
        client: Option<u64>,
        #[arg(long)]
        json: bool,
    },
    /// Whom a text reaches
    Reach {
        #[command(flatten)]
        which: Which,
        #[arg(long)]
        json: bool,
    },
    /// Send the text in force, filled with an example, to a number
    Test {
        #[command(flatten)]
        which: Which,
        to: String,
        #[arg(long)]
        json: bool,
    },
    /// Make the text in force at the provider, or replace its wording there; with `--all`, every text that is missing or reads
    /// otherwise there
    Submit {
        #[arg(required_unless_present = "all")]
        alert: Option<String>,
        /// `es_AR`, `es`, `en` or `pt_BR`
        #[arg(required_unless_present = "all")]
        language: Option<String>,
        /// All texts of all alerts that are switched on
        #[arg(long, conflicts_with_all = ["alert", "dry_run"])]
        all: bool,
        /// With `--all`: how long to wait for the provider's review, in seconds
        #[arg(long, default_value_t = 600, requires = "all", value_name = "SECONDS")]
        wait: u64,
        /// Only print the JSON of the call, for those who do it by hand
        #[arg(long)]
        dry_run: bool,
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, clap::Args)]
pub struct Which {
    alert: String,
    /// `es_AR`, `es`, `en` or `pt_BR`
    language: String,
}

impl Which {
    fn key(&self) -> Result<Key, AdminError> {
        Key::read(&self.alert, &self.language)
    }
}

pub async fn run(command: Command, file: Option<&Path>) -> anyhow::Result<ExitCode> {
    match command {
        Command::Export { system_url } => {
            let (catalogue, templates) = built_in()?;
            show::json(&definitions(&catalogue, &templates, &system_url)?.iter().map(creation_json).collect());
            Ok(ExitCode::SUCCESS)
        }
        Command::Check { alert: None, .. } => check_built_in(),
        command => {
            let config = super::read(file)?;
            at_the_desk(&config, async |desk, who| act(command, desk, who).await).await
        }
    }
}

fn built_in() -> anyhow::Result<(Catalogue, Templates)> {
    let catalogue = Catalogue::built_in(&BTreeMap::new())?;
    let templates = Templates::built_in().map_err(|mistakes| anyhow::anyhow!(mistakes.join("\n")))?;
    Ok((catalogue, templates))
}

fn check_built_in() -> anyhow::Result<ExitCode> {
    let (catalogue, templates) = built_in()?;
    let mut bad = false;
    for definition in definitions(&catalogue, &templates, "https://example.com/")? {
        for problem in check(&definition) {
            bad = true;
            println!("{} ({}): {problem}", definition.name, definition.language);
        }
    }
    if !bad {
        println!("all texts keep the provider's rules");
    }
    Ok(if bad { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

async fn act(command: Command, desk: &Desk, who: &Who) -> Result<ExitCode, Failure> {
    match command {
        Command::Check { alert, language, file, json } => {
            let key = Key::read(&alert.unwrap_or_default(), &language.unwrap_or_default())?;
            return check_one(desk, &key, file.as_deref(), json).await;
        }
        Command::List { json: true } => show::json(&list_json(desk).await?["items"]),
        Command::List { json: false } => print_list(desk).await?,
        Command::Show { which, json: true } => show::json(&text_json(desk, &which.key()?).await?),
        Command::Show { which, json: false } => print!("{}", in_force(desk, &which.key()?).await?.to_toml()),
        Command::Set { which, file, note, based_on, json } => {
            let key = which.key()?;
            let based_on = match based_on {
                Some(version) => version,
                None => one(desk, &key).await?.1.based_on(),
            };
            let saved = save(desk, who, &key, &read(&file)?, Saving { based_on, note: &note }).await?;
            let version = saved.version;
            if json {
                show::json(&json!({ "version": version, "draft": saved.draft }));
            } else if saved.draft {
                println!(
                    "{} is saved as version {version}, a draft: the provider's template does not take its values. Make it \
                     there (`hookbridge templates submit`); it goes live by itself when it is approved",
                    key.name()
                );
            } else {
                println!(
                    "{} is saved as version {version}; running instances take it over within 2 seconds",
                    key.name()
                );
            }
        }
        Command::History { which, json } => history(desk, &which.key()?, json).await?,
        Command::RollBack { which, version, note } => {
            let key = which.key()?;
            let to = if version == "built-in" { None } else { Some(version.parse().context("a version is a number")?) };
            let based_on = one(desk, &key).await?.1.based_on();
            let new = back(desk, who, &key, to, Saving { based_on, note: &note }).await?.version;
            println!("{} is as in {version}, now version {new}", key.name());
        }
        Command::Preview { which, file, newest, record, client, json } => {
            let of = match (newest, record, client) {
                (true, ..) => Of::Newest,
                (_, Some(id), _) => Of::Record(id),
                (.., Some(id)) => Of::Client(id),
                _ => Of::Sample,
            };
            preview(desk, &which.key()?, file.as_deref(), of, json).await?;
        }
        Command::Reach { which, json } => reach(desk, &which.key()?, json).await?,
        Command::Test { which, to, json } => {
            let id = trial::send(desk, who, &which.key()?, &to).await?;
            if json {
                show::json(&json!({ "message": id.to_string() }));
            } else {
                println!("queued as {id}: `hookbridge messages show {id}` follows it");
            }
        }
        Command::Submit { all: true, wait, json, .. } => {
            return submit::all(desk, who, Duration::from_secs(wait), json).await;
        }
        Command::Submit { alert, language, dry_run, json, .. } => {
            let key = Key::read(&alert.unwrap_or_default(), &language.unwrap_or_default())?;
            if dry_run {
                show::json(&creation(desk, &key, &in_force(desk, &key).await?).await?);
                return Ok(ExitCode::SUCCESS);
            }
            let done = submit_one(desk, who, &key).await?;
            if json {
                show::json(&json!({ "created": done.created, "state": done.state, "category": done.category }));
            } else {
                let what = if done.created { "made" } else { "changed" };
                println!("{what} at the provider: {} {}", done.state, done.category);
            }
        }
        Command::Export { .. } => {}
    }
    Ok(ExitCode::SUCCESS)
}

fn read(file: &Path) -> anyhow::Result<Source> {
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    Source::read(&text).map_err(|error| anyhow::anyhow!("{}: {error}", file.display()))
}

async fn in_force(desk: &Desk, key: &Key) -> Result<Source, AdminError> {
    one(desk, key).await?.1.source.ok_or(AdminError::NotFound("text"))
}

async fn chosen(desk: &Desk, key: &Key, file: Option<&Path>) -> Result<Source, Failure> {
    Ok(match file {
        Some(file) => read(file)?,
        None => in_force(desk, key).await?,
    })
}

/// Fails if something keeps the text from being saved.
async fn check_one(desk: &Desk, key: &Key, file: Option<&Path>, json: bool) -> Result<ExitCode, Failure> {
    let found = findings(desk, key, &chosen(desk, key, file).await?).await?;
    if json {
        show::json(&found.iter().map(finding).collect());
    } else {
        print_findings(&found);
    }
    Ok(if found.iter().any(|one| one.blocks) { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn print_findings(found: &[Finding]) {
    for one in found {
        println!("{} {}: {}", show::state(if one.blocks { "failed" } else { "warn" }), one.field, one.text);
    }
    if found.is_empty() {
        println!("nothing is wrong with it");
    }
}

async fn print_list(desk: &Desk) -> Result<(), Failure> {
    let provider = at_provider(desk).await;
    let mut table =
        show::table(&["alert", "language", "origin", "version", "changed by", "at the provider", "state there"]);
    for (_, texts) in list(desk).await? {
        for text in &texts {
            let name = text.source.as_ref().map(|source| source.name.clone()).unwrap_or_default();
            let known = text.source.as_ref().and_then(|source| provider.1.known(&source.name, text.key.locale));
            table.add_row(vec![
                text.key.alert.to_string(),
                text.key.locale.to_string(),
                text.origin.code().to_owned(),
                text.version.as_ref().map(|one| one.id.to_string()).unwrap_or_default(),
                text.version.as_ref().map(|one| one.who.clone()).unwrap_or_default(),
                name,
                known.map_or_else(|| "-".to_owned(), |known| known.status.clone()),
            ]);
        }
    }
    println!("{table}");
    if let Some(error) = &provider.1.error {
        println!("What the provider has is not known: {error}");
    }
    Ok(())
}

async fn history(desk: &Desk, key: &Key, json: bool) -> Result<(), Failure> {
    one(desk, key).await?;
    let all = steps(desk, key).await?;
    if json {
        show::json(&Value::from(all.iter().map(step_json).collect::<Vec<_>>()));
        return Ok(());
    }
    if all.is_empty() {
        println!("Nobody changed it: it is as built in.");
    }
    for step in &all {
        let one = &step.version;
        let what = if one.content.is_some() { "saved" } else { "back to built in" };
        println!("version {}  {}  {}  {what}  {}", one.id, show::time(one.at), one.who, one.note);
        for line in &step.difference {
            match line.change {
                Change::Same => {}
                Change::Gone => println!("  - {}", line.text),
                Change::New => println!("  + {}", line.text),
            }
        }
    }
    Ok(())
}

async fn preview(desk: &Desk, key: &Key, file: Option<&Path>, of: Of, json: bool) -> Result<(), Failure> {
    let all = preview_json(desk, key, &chosen(desk, key, file).await?, of).await?;
    if json {
        show::json(&all);
        return Ok(());
    }
    let shown = &all["shown"];
    for text in [&shown["body"], &shown["footer"]].into_iter().filter_map(Value::as_str) {
        println!("{text}\n");
    }
    if let (Some(text), Some(url)) = (shown["button"]["text"].as_str(), shown["button"]["url"].as_str()) {
        println!("[{text}] {url}\n");
    }
    if let Some(subject) = all["subject"].as_str() {
        println!("about {subject} of client {}", all["client"]);
    }
    for one in all["findings"].as_array().into_iter().flatten() {
        println!("{}: {}", one["field"].as_str().unwrap_or_default(), one["text"].as_str().unwrap_or_default());
    }
    Ok(())
}

async fn reach(desk: &Desk, key: &Key, json: bool) -> Result<(), Failure> {
    let all = reach_json(desk, key).await?;
    if json {
        show::json(&all);
        return Ok(());
    }
    let number = |name: &str| all[name].as_u64().unwrap_or_default();
    println!("{} clients read {}, of {} in all", all["clients"], key.locale, all["all_clients"]);
    println!("{:>8}  can be reached", number("reachable"));
    println!("{:>8}  contacts of theirs get it as well", number("contacts"));
    println!("{:>8}  have no usable phone", number("unusable"));
    println!("{:>8}  opted out", number("opted_out"));
    if all["complete"] == false {
        println!("There was no time to count all: these are at least so many.");
    }
    Ok(())
}
