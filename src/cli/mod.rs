//! Owns: the command line. One file per command; colours and tables on a terminal, plain text or `--json` in a pipe.

mod admin;
mod audit;
mod backup_check;
mod clients;
mod complete;
mod config;
mod consent;
mod decisions;
#[cfg(feature = "demo")]
mod demo;
mod desk;
mod doctor;
mod events;
mod find;
mod holds;
mod hookpoints;
mod lanes;
mod messages;
mod migrate;
mod missed;
mod notices;
mod notify;
mod phones;
mod platform_rows;
mod probe;
mod ready;
mod replies;
mod restored;
mod retention;
#[cfg(feature = "demo")]
mod sandbox;
mod schedule;
mod serve;
mod setup;
mod show;
mod sources;
mod status;
mod stub;
mod submit;
mod sweep;
mod templates;
mod why;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};

use crate::config::{Config, load};
use crate::telemetry;

/// How long the end of the process waits for what hangs.
const END_MAX: Duration = Duration::from_secs(1);

/// The configuration without `--config` and `HOOKBRIDGE_CONFIG`.
const USUAL: &str = "/etc/hookbridge/hookbridge.toml";
/// What a shell sees of a command whose reader went away: 128 and the number of SIGPIPE.
const READER_LEFT: i32 = 141;

/// Carries a billing platform's hooks to WhatsApp: signed in, durable, paced, each alert to the right person once.
#[derive(Debug, Parser)]
#[command(name = "hookbridge", version, max_term_width = 110)]
struct Cli {
    /// Configuration file (TOML); without it /etc/hookbridge/hookbridge.toml, if there is one. Every key can also come from the environment: `HOOKBRIDGE__SECTION__KEY`.
    #[arg(long, env = "HOOKBRIDGE_CONFIG", global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the service
    Serve(serve::Args),
    /// First installation: eight questions, then accounts, configuration and schema
    Setup(setup::Args),
    /// Bring the bridge's own schema up to date
    Migrate(migrate::Args),
    /// Check everything that the service needs, and explain what is missing
    Doctor(doctor::Args),
    /// Try it all on this machine: private database, sample billing data, stand-in provider
    #[cfg(feature = "demo")]
    Demo(demo::Args),
    /// Run only the stand-in for the provider's API
    #[cfg(feature = "demo")]
    Sandbox(sandbox::Args),
    /// Is all well? What needs you, the queues, the numbers, and what became of alerts
    Status(status::Args),
    /// Find a client, an invoice, a domain, a ticket, a message … by whatever is at hand
    Find(find::Args),
    /// Events: what came in, and what came of it
    #[command(subcommand)]
    Events(events::Command),
    /// Messages: their states, attempts and receipts
    #[command(subcommand)]
    Messages(messages::Command),
    /// Why did this client get nothing? A line for each event of those days and each recipient
    Why(why::Args),
    /// Held alerts: more than usual, they wait for your word
    #[command(subcommand)]
    Holds(holds::Command),
    /// The schema was restored from an older dump: say so, and answer what is held because of it
    Restored {
        #[command(subcommand)]
        command: Option<restored::Command>,
    },
    /// Is this schema, or a copy of it that was read in from a dump, all that a restore needs?
    BackupCheck(backup_check::Args),
    /// Decisions of the company's rules: list, show, ask what would be said, make exceptions
    #[command(subcommand)]
    Decisions(decisions::Command),
    /// Hookpoints: what leads to an alert, and the stub's manifest
    #[command(subcommand)]
    Hookpoints(hookpoints::Command),
    /// Texts: list, change, check, preview, test; and the JSON that creates them at the provider
    #[command(subcommand)]
    Templates(templates::Command),
    /// Administrators of the page and tokens of the API
    #[command(subcommand)]
    Admin(admin::Command),
    /// Sending numbers: how they stand, pause, resume, pace
    #[command(subcommand)]
    Lanes(lanes::Command),
    /// Notices to administrators: how the channels stand, a test, the text for WhatsApp
    #[command(subcommand)]
    Notify(notify::Command),
    /// Platforms that send events, and their secrets: list, rotate, end
    #[command(subcommand)]
    Sources(sources::Command),
    /// What the stub's probe of the first day found, point by point, and what to set
    Probe(probe::Args),
    /// History: how much there is, what is overdue; prune it now
    Retention(retention::Args),
    /// Phone numbers: how a text is read; numbers that clients gave up
    #[command(subcommand)]
    Phones(phones::Command),
    /// Audits of the platform's data: who cannot be alerted, and whose number was read with an assumption
    #[command(subcommand)]
    Audit(audit::Command),
    /// What clients answered, newest first; `seen` notes that it was read
    Replies(replies::Args),
    /// Whether somebody may be written to, and what was asked for
    #[command(subcommand)]
    Consent(consent::Command),
    /// One client's data: export it, erase it
    #[command(subcommand)]
    Clients(clients::Command),
    /// What alerts by date would go out in the next 14 days
    Schedule(schedule::Args),
    /// The sweep: what it remembers of the platform's rows; make it forget
    Sweep(sweep::Args),
    /// Settings: defaults, what is in force, a new secret
    Config(config::Args),
    /// The PHP stub: install it into a platform's folder, take it out
    #[command(subcommand)]
    Stub(stub::Command),
    /// Shell completions and manual pages
    Complete(complete::Args),
}

/// Reads the command line and runs it.
#[must_use]
pub fn run() -> ExitCode {
    end_with_the_reader();
    let cli = Cli::parse();
    // reqwest builds its TLS from the process-wide provider, and panics without one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&anyhow::anyhow!("no runtime: {error}")),
    };
    let code = runtime.block_on(dispatch(cli)).unwrap_or_else(|error| fail(&error));
    // Nothing that hangs (a file system, a reader of the log) may keep the process.
    runtime.shutdown_timeout(END_MAX);
    telemetry::flush();
    code
}

/// `hookbridge … | head` ends without a word when `head` has what it wants. Rust ignores SIGPIPE, so that printing panics.
fn end_with_the_reader() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let text = panic.payload_as_str().unwrap_or_default();
        if text.starts_with("failed printing to stdout") && text.contains("Broken pipe") {
            std::process::exit(READER_LEFT);
        }
        usual(panic);
    }));
}

/// Says why on standard error, if that takes it in time: a full disk or a reader that stalls must not keep the process.
fn fail(error: &anyhow::Error) -> ExitCode {
    telemetry::flush();
    let text = format!("hookbridge: {}", once(error));
    let (done, said) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let _ = writeln!(std::io::stderr(), "{text}");
        let _ = done.send(());
    });
    let _ = said.recv_timeout(END_MAX);
    ExitCode::FAILURE
}

/// An error with its causes, each said once: many of them repeat their cause in their own text.
fn once(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain().map(crate::sql::sentence) {
        if !text.contains(&cause) {
            let colon = if text.is_empty() { "" } else { ": " };
            text.push_str(colon);
            text.push_str(&cause);
        }
    }
    text
}

async fn dispatch(cli: Cli) -> anyhow::Result<ExitCode> {
    let file = match cli.config {
        Some(file) => Some(file),
        None => usual_file()?,
    };
    match cli.command {
        Command::Serve(args) => serve::run(args, file).await?,
        Command::Setup(args) => setup::run(args).await?,
        Command::Migrate(args) => migrate::run(args, &read(file.as_deref())?).await?,
        Command::Doctor(args) => return doctor::run(args, &read(file.as_deref())?).await,
        Command::Status(args) => return status::run(args, &read(file.as_deref())?).await,
        #[cfg(feature = "demo")]
        Command::Demo(args) => return Box::pin(demo::run(args)).await,
        #[cfg(feature = "demo")]
        Command::Sandbox(args) => sandbox::run(args).await?,
        Command::Find(args) => return find::run(args, &read(file.as_deref())?).await,
        Command::Events(command) => events::run(command, &read(file.as_deref())?).await?,
        Command::Messages(command) => messages::run(command, &read(file.as_deref())?).await?,
        Command::Why(args) => why::run(args, &read(file.as_deref())?).await?,
        Command::Probe(args) => probe::run(args, &read(file.as_deref())?).await?,
        Command::Sources(command) => sources::run(command, &read(file.as_deref())?).await?,
        Command::Holds(command) => holds::run(command, &read(file.as_deref())?).await?,
        Command::BackupCheck(args) => return backup_check::run(args, &read(file.as_deref())?).await,
        Command::Restored { command } => restored::run(command, &read(file.as_deref())?).await?,
        Command::Decisions(command) => decisions::run(command, &read(file.as_deref())?).await?,
        Command::Hookpoints(command) => hookpoints::run(command, file.as_deref()).await?,
        Command::Templates(command) => return templates::run(command, file.as_deref()).await,
        Command::Admin(command) => admin::run(command, &read(file.as_deref())?).await?,
        Command::Lanes(command) => lanes::run(command, &read(file.as_deref())?).await?,
        Command::Notify(command) => notify::run(command, &read(file.as_deref())?).await?,
        Command::Retention(args) => retention::run(args, &read(file.as_deref())?).await?,
        Command::Phones(command) => phones::run(command, read(file.as_deref())).await?,
        Command::Audit(command) => audit::run(command, &read(file.as_deref())?).await?,
        Command::Replies(args) => replies::run(args, &read(file.as_deref())?).await?,
        Command::Consent(command) => consent::run(command, &read(file.as_deref())?).await?,
        Command::Clients(command) => clients::run(command, &read(file.as_deref())?).await?,
        Command::Schedule(args) => schedule::run(args, &read(file.as_deref())?).await?,
        Command::Sweep(args) => sweep::run(args, &read(file.as_deref())?).await?,
        Command::Config(args) => config::run(&args, file.as_deref())?,
        Command::Stub(command) => stub::run(command, || read(file.as_deref()))?,
        Command::Complete(args) => complete::run(&args)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Where the package puts the configuration, if it is there.
fn usual_file() -> anyhow::Result<Option<PathBuf>> {
    let path = Path::new(USUAL);
    match std::fs::File::open(path) {
        Ok(_) => Ok(Some(path.to_owned())),
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
            anyhow::bail!("{USUAL} is not readable for this user: run the command with sudo, or say --config FILE")
        }
        Err(_) => Ok(None),
    }
}

fn read(file: Option<&Path>) -> anyhow::Result<Config> {
    Ok(load(file, std::env::vars())?)
}

/// Who acts at the command line: the user of the machine.
fn who() -> crate::domain::admin::Who {
    let user = std::env::var("SUDO_USER").or_else(|_| std::env::var("USER")).unwrap_or_else(|_| "root".to_owned());
    crate::domain::admin::Who::at_the_command_line(&user)
}
