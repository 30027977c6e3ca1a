//! `hookbridge admin`

use std::io::{IsTerminal as _, Read as _, Write as _};

use anyhow::Context as _;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;

use super::desk::{Failure, with_the_key};
use super::show;
use crate::admin::log::{self, Format};
use crate::admin::{Desk, people};
use crate::config::Config;
use crate::domain::admin::Who;
use crate::ops::people::{
    CreateAdministrator, DisableAdministrator, DropFactor, EnableAdministrator, ListAdministrators, RenewCodes,
    SetPassword, SetRole, UnlockAdministrator,
};
use crate::ops::tokens::{CreateToken, EndToken, ListTokens};
use crate::ops::{change, read};
use crate::store::audit::Filter;

#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Make an administrator; the password is asked, or read from a pipe
    Create {
        #[command(flatten)]
        create: CreateAdministrator,
        /// Without a password: nobody can log in with it until one is set
        #[arg(long)]
        no_password: bool,
    },
    /// Who administrates
    List {
        #[arg(long)]
        json: bool,
    },
    /// Set a password; all sessions of the account end
    Password(SetPassword),
    /// Give another role
    Role(SetRole),
    /// Let nobody in by this account
    Disable(DisableAdministrator),
    /// Enable the account again
    Enable(EnableAdministrator),
    /// Take the second factor away, e.g. because the phone is lost
    DropFactor(DropFactor),
    /// Forget the wrong tries of an account, so that its person need not wait
    Unlock(UnlockAdministrator),
    /// Make ten new recovery codes for an account with a second factor; they are printed once
    RecoveryCodes {
        #[command(flatten)]
        renew: RenewCodes,
        #[arg(long)]
        json: bool,
    },
    /// Tokens of programs that use the API
    #[command(subcommand)]
    Token(TokenCommand),
    /// Who did what, the newest first
    Log(Log),
}

#[derive(Debug, clap::Args)]
pub struct Log {
    /// Whose actions: a name as the list shows it
    #[arg(long)]
    actor: Option<String>,
    /// Which actions, e.g. `message.resend`
    #[arg(long)]
    action: Option<String>,
    /// What they were done to
    #[arg(long)]
    target: Option<String>,
    /// Those before this number
    #[arg(long, value_name = "ID")]
    before: Option<u64>,
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..))]
    limit: u16,
    #[arg(long)]
    json: bool,
    /// All that fit, at most 10,000, for spreadsheets
    #[arg(long, conflicts_with = "json")]
    csv: bool,
}

#[derive(Debug, clap::Subcommand)]
pub enum TokenCommand {
    /// Make a token; it is printed once
    Create {
        #[command(flatten)]
        create: CreateToken,
        #[arg(long)]
        json: bool,
    },
    /// Tokens, without what they are
    List {
        #[arg(long)]
        json: bool,
    },
    /// End a token now
    End(EndToken),
}

pub async fn run(command: Command, config: &Config) -> anyhow::Result<()> {
    with_the_key(config, async |desk, who| act(command, desk, who).await).await
}

async fn act(command: Command, desk: &Desk, who: &Who) -> Result<(), Failure> {
    match command {
        Command::Create { mut create, no_password } => {
            create.password = if no_password { None } else { Some(ask_password()?) };
            let (name, role) = (create.name.clone(), create.role);
            change(desk, who, create).await?;
            println!("{name} is there, with the role {role}");
        }
        Command::List { json } => list(desk, who, json).await?,
        Command::Password(mut set) => {
            let name = set.name.clone();
            // Before somebody types a password in vain.
            people::named(desk, &name).await?;
            set.password = ask_password()?;
            change(desk, who, set).await?;
            println!("the password of {name} is set, the account's sessions ended");
        }
        Command::Role(set) => {
            let (name, role) = (set.name.clone(), set.role);
            change(desk, who, set).await?;
            println!("{name} has the role {role}");
        }
        Command::Disable(disable) => {
            let name = disable.name.clone();
            change(desk, who, disable).await?;
            println!("{name} is disabled");
        }
        Command::Enable(enable) => {
            let name = enable.name.clone();
            change(desk, who, enable).await?;
            println!("{name} may log in again");
        }
        Command::DropFactor(drop) => {
            let name = drop.name.clone();
            change(desk, who, drop).await?;
            println!("{name} has no second factor any more");
        }
        Command::Unlock(unlock) => {
            let name = unlock.name.clone();
            change(desk, who, unlock).await?;
            println!("{name} need not wait any longer");
        }
        Command::RecoveryCodes { renew, json } => {
            let made = change(desk, who, renew).await?;
            let codes: Vec<&str> = made.codes.iter().map(SecretString::expose_secret).collect();
            if json { show::output(&made) } else { println!("{}", codes.join("\n")) }
        }
        Command::Token(command) => tokens(command, desk, who).await?,
        Command::Log(wishes) => deeds(wishes, desk).await?,
    }
    Ok(())
}

async fn deeds(wishes: Log, desk: &Desk) -> Result<(), Failure> {
    let Log { actor, action, target, before, limit, json, csv } = wishes;
    let filter = Filter { actor, action, target, before, limit: limit.into() };
    if csv {
        let all = log::export(desk, &filter, Format::Csv).await?;
        std::io::stdout().write_all(&all).context("cannot write")?;
        return Ok(());
    }
    let (entries, next) = log::list(desk, &filter).await?;
    if json {
        let items = entries.iter().map(log::as_json).collect::<Vec<_>>();
        show::json(&json!({ "items": items, "next": next.map(|id| id.to_string()) }));
        return Ok(());
    }
    let mut table = show::table(&["id", "when", "who", "by", "did", "to", "detail"]);
    for one in entries {
        let detail = one.detail.unwrap_or_default();
        let (id, at, via) = (one.id.to_string(), show::time(one.at), one.via.to_string());
        table.add_row(vec![id, at, one.actor, via, one.action, one.target, detail]);
    }
    println!("{table}");
    if let Some(next) = next {
        println!("There are more: --before {next}");
    }
    Ok(())
}

async fn list(desk: &Desk, who: &Who, as_json: bool) -> Result<(), Failure> {
    let all = read(desk, who, ListAdministrators {}).await?.items;
    if as_json {
        show::output(&all);
        return Ok(());
    }
    let mut table = show::table(&["name", "role", "second factor", "since", "state"]);
    for one in &all {
        table.add_row(vec![
            one.name.clone(),
            one.role.to_string(),
            if one.second_factor { "yes" } else { "no" }.to_owned(),
            show::time(one.created_at),
            if one.disabled { "disabled" } else { "active" }.to_owned(),
        ]);
    }
    println!("{table}");
    Ok(())
}

async fn tokens(command: TokenCommand, desk: &Desk, who: &Who) -> Result<(), Failure> {
    match command {
        TokenCommand::Create { create, json } => {
            let new = change(desk, who, create).await?;
            if json { show::output(&new) } else { println!("{}", new.token.expose_secret()) }
        }
        TokenCommand::List { json } => {
            let all = read(desk, who, ListTokens {}).await?.items;
            if json {
                show::output(&all);
            } else {
                let mut table = show::table(&["id", "name", "role", "made", "used", "state"]);
                for one in &all {
                    table.add_row(vec![
                        one.id.to_string(),
                        one.name.clone(),
                        one.role.to_string(),
                        show::time(one.made_at),
                        one.used_at.map(show::time).unwrap_or_default(),
                        if one.is_valid(desk.now()) { "valid" } else { "over" }.to_owned(),
                    ]);
                }
                println!("{table}");
            }
        }
        TokenCommand::End(end) => {
            let id = end.id;
            change(desk, who, end).await?;
            println!("token {id} is over");
        }
    }
    Ok(())
}

/// A password from a pipe (its first line), or asked twice on a terminal without showing it.
fn ask_password() -> anyhow::Result<SecretString> {
    let stdin = std::io::stdin();
    if !stdin.is_terminal() {
        let mut text = String::new();
        stdin.lock().take(4096).read_to_string(&mut text)?;
        return Ok(text.lines().next().unwrap_or_default().into());
    }
    let read = |label: &str| -> anyhow::Result<String> {
        eprint!("{label}: ");
        std::io::stderr().flush()?;
        let quiet = Quiet::start();
        let mut line = String::new();
        stdin.read_line(&mut line)?;
        drop(quiet);
        eprintln!();
        Ok(line.trim_end_matches(['\r', '\n']).to_owned())
    };
    let first = read("New password")?;
    anyhow::ensure!(first == read("Once more")?, "the two differ: nothing was changed");
    Ok(first.into())
}

/// The terminal does not show what is typed, until this is dropped.
struct Quiet;

impl Quiet {
    fn start() -> Self {
        let _ = std::process::Command::new("stty").arg("-echo").status();
        Self
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        let _ = std::process::Command::new("stty").arg("echo").status().context("stty");
    }
}
