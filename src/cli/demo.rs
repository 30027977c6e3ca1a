//! `hookbridge demo`: the whole road on this machine.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use secrecy::ExposeSecret as _;
use serde_json::json;

use super::show;
use crate::demo::data::Size;
use crate::demo::scenes::{Shown, play};
use crate::demo::schema::Release;
use crate::demo::script::{Act, acts, rows};
use crate::demo::stage::{ADMINISTRATOR, SOURCE, Stage};
use crate::demo::stub::{Stub, StubSettings};
use crate::store::trail::{self, EventTrail, MessageTrail};

/// How long the alerts may take altogether. The provider's 6 seconds between two messages to one person are the most of it.
const PATIENCE: Duration = Duration::from_secs(90);
/// How often the demo looks.
const LOOK: Duration = Duration::from_millis(200);

#[derive(Debug, clap::Args)]
pub struct Args {
    /// End when all is delivered, instead of staying up
    #[arg(long)]
    once: bool,
    /// Write what happened to this file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Sample clients
    #[arg(long, default_value_t = Size::DEMO.clients)]
    clients: u32,
    /// The platform's release: its tables and rows
    #[arg(long, default_value = Release::NAMES[0], value_parser = Release::NAMES)]
    platform: String,
}

pub async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let say = |what: &str| eprintln!("[demo] {what}");
    let dir = tempfile::Builder::new().prefix("hookbridge-demo-").tempdir().context("a temporary directory")?;
    let release = Release::parse(&args.platform).context("a release of the platform")?;
    let stage = Stage::build(dir.path(), args.clients, release, say).await?;
    let url = stage.url();
    let settings = StubSettings {
        url: &url,
        source: SOURCE,
        secret: &stage.secrets.stub,
        connect_timeout_ms: 150,
        total_timeout_ms: 400,
    };
    let stub = Stub::install(&dir.path().join("platform"), &settings)?.of(release);
    stub.rows(&rows(release))?;
    say("letting the sweep look around, so that it knows later what changed");
    stage.looked_around().await?;
    say("firing every hookpoint through the stub, by php");
    let acts = acts();
    for act in &acts {
        if !act.lines.is_empty() {
            stub.fire(&act.lines).await?;
        }
        if let Some(sql) = &act.sql {
            stage.platform(sql).await?;
        }
    }
    say("moving a service to another client, which no hook tells of: the sweep finds it");
    stage.sweep().await?;
    say("waiting for the receipts (two messages to one person keep 6 seconds between them)");
    let (events, messages) = watch(&stage, &acts).await?;
    let missing = missing(&acts, &messages);
    print(&events, &messages);
    say("asking the company's rules, each at the hook where the platform honours an answer");
    let scenes = play(&stub, &stage.app).await?;
    print_scenes(&scenes);
    if let Some(file) = &args.json {
        std::fs::write(file, report(&events, &messages, &scenes))
            .with_context(|| format!("cannot write {}", file.display()))?;
        say(&format!("written: {}", file.display()));
    }
    if missing.is_empty() {
        say("all hookpoints delivered");
    } else {
        say(&format!("NOT delivered: {}", missing.join(", ")));
    }
    if !args.once {
        println!(
            "\nadministrators     {url}/admin   name {ADMINISTRATOR}, password {}",
            stage.password.expose_secret()
        );
        println!("bridge             {url}   (/healthz, /readyz, /metrics)");
        println!("clients' phones    {}", stage.sandbox_url);
        println!("database socket    {}", stage.server.socket().display());
        println!("Ctrl-C ends everything.");
        tokio::signal::ctrl_c().await?;
    }
    say("stopping");
    stage.end().await;
    Ok(if missing.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Looks until every message has come to its end.
async fn watch(stage: &Stage, acts: &[Act]) -> anyhow::Result<(Vec<EventTrail>, Vec<MessageTrail>)> {
    let started = tokio::time::Instant::now();
    let progress = indicatif::ProgressBar::new(acts.iter().filter(|act| act.hookpoint.is_some()).count() as u64);
    progress.set_style(
        indicatif::ProgressStyle::with_template("[demo] {bar:30} {pos}/{len} hookpoints delivered {elapsed}")
            .unwrap_or_else(|_| indicatif::ProgressStyle::default_bar()),
    );
    loop {
        let filter = trail::MessageFilter { limit: 500, ..trail::MessageFilter::default() };
        let mut messages = trail::messages(&stage.app.store, &filter).await?;
        messages.reverse();
        let lines = trail::events(&stage.app.store, None, None, 500).await?;
        let done = acts.iter().filter(|act| act.hookpoint.is_some()).count() - missing(acts, &messages).len();
        progress.set_position(done as u64);
        let settled = messages.iter().all(|m| !matches!(m.standing(), "queued" | "sending" | "accepted" | "sent"))
            && lines.iter().all(|(_, _, _, state)| state != "received");
        let all = missing(acts, &messages).is_empty();
        if (settled && all) || started.elapsed() > PATIENCE {
            progress.finish_and_clear();
            let mut events = Vec::new();
            for (id, ..) in lines.iter().rev() {
                let id = crate::domain::ids::EventId::parse(id).context("an id of ours")?;
                events.extend(trail::event(&stage.app.store, &id).await?);
            }
            return Ok((events, messages));
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Hookpoints without a delivered message.
fn missing(acts: &[Act], messages: &[MessageTrail]) -> Vec<&'static str> {
    let delivered = |hookpoint: &str| {
        messages.iter().any(|m| m.hookpoint == hookpoint && matches!(m.standing(), "delivered" | "read"))
    };
    acts.iter().filter_map(|act| act.hookpoint).filter(|hookpoint| !delivered(hookpoint)).collect()
}

fn print(events: &[EventTrail], messages: &[MessageTrail]) {
    let mut table = show::table(&["hookpoint", "client", "to", "language", "text", "state"]);
    for m in messages {
        table.add_row(vec![
            m.hookpoint.clone(),
            m.client_id.to_string(),
            m.to.masked(),
            m.language.clone(),
            m.text.replace("\n\n", "\n"),
            show::state(m.standing()),
        ]);
    }
    println!("{table}");
    let mut table = show::table(&["hook", "not sent because", "detail"]);
    for (hook, skip) in events.iter().flat_map(|event| event.skips.iter().map(move |skip| (&event.hook, skip))) {
        table.add_row(vec![hook.clone(), skip.reason.clone(), skip.detail.clone().unwrap_or_default()]);
    }
    println!("{table}");
}

fn print_scenes(scenes: &[Shown]) {
    let mut table = show::table(&["rule", "scene", "answer", "what the platform gets"]);
    for one in scenes {
        table.add_row(vec![one.rule.to_string(), one.scene.to_owned(), show::state(&one.answer), one.effect.clone()]);
    }
    println!("{table}");
}

fn report(events: &[EventTrail], messages: &[MessageTrail], scenes: &[Shown]) -> String {
    let alerts: Vec<_> = messages
        .iter()
        .map(|m| {
            json!({
                "hookpoint": m.hookpoint, "client_id": m.client_id, "to_masked": m.to.masked(), "language": m.language,
                "template": m.template, "text": m.text, "state": m.standing(),
            })
        })
        .collect();
    let skipped: Vec<_> = events
        .iter()
        .flat_map(|event| event.skips.iter().map(|skip| json!({ "hook": event.hook, "reason": skip.reason })))
        .collect();
    let decisions: Vec<_> = scenes
        .iter()
        .map(|one| json!({ "rule": one.rule.code(), "scene": one.scene, "decision": one.answer, "effect": one.effect }))
        .collect();
    format!("{:#}\n", json!({ "alerts": alerts, "skipped": skipped, "decisions": decisions }))
}
