//! `hookbridge admin`

use std::io::{IsTerminal as _, Read as _, Write as _};

use anyhow::Context as _;
use secrecy::SecretString;
use serde_json::json;

use super::show;
use crate::admin::{AdminError, Desk, people, token};
use crate::app::desk_at_the_command_line;
use crate::config::Config;
use crate::domain::admin::{Role, Who};
use crate::domain::locale::Locale;
use crate::http::admin::words;

#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Make an administrator; the password is asked, or read from a pipe
    Create {
        name: String,
        #[arg(long, default_value = "administrator", value_parser = role)]
        role: Role,
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
    Password { name: String },
    /// Give another role
    Role {
        name: String,
        #[arg(value_parser = role)]
        role: Role,
    },
    /// Let nobody in by this account
    Disable { name: String },
    /// Let him in again
    Enable { name: String },
    /// Take the second factor away, e.g. because the phone is lost
    DropFactor { name: String },
    /// Tokens of programs that use the API
    #[command(subcommand)]
    Token(TokenCommand),
}

#[derive(Debug, clap::Subcommand)]
pub enum TokenCommand {
    /// Make a token; it is printed once
    Create {
        name: String,
        #[arg(long, default_value = "viewer", value_parser = role)]
        role: Role,
        /// Valid for so many days; without it, until ended
        #[arg(long)]
        days: Option<u32>,
    },
    List {
        #[arg(long)]
        json: bool,
    },
    End {
        id: u64,
    },
}

fn role(text: &str) -> Result<Role, String> {
    Role::parse(text).ok_or_else(|| "viewer, operator or administrator".to_owned())
}

pub async fn run(command: Command, config: &Config) -> anyhow::Result<()> {
    let desk = desk_at_the_command_line(config).await?;
    let result = act(command, &desk, &super::who()).await;
    desk.store.database().clone().close().await;
    desk.billing.database().clone().close().await;
    result
}

async fn act(command: Command, desk: &Desk, who: &Who) -> anyhow::Result<()> {
    match command {
        Command::Create { name, role, no_password } => {
            let password = if no_password { None } else { Some(ask_password()?) };
            people::create(desk, who, &name, role, password.as_ref()).await.map_err(plain)?;
            println!("{name} is there, with the role {role}");
        }
        Command::List { json } => list(desk, json).await?,
        Command::Password { name } => {
            let account = people::named(desk, &name).await?;
            people::set_password(desk, who, &account, &ask_password()?, b"").await.map_err(plain)?;
            println!("the password of {name} is set, his sessions ended");
        }
        Command::Role { name, role } => {
            people::set_role(desk, who, &people::named(desk, &name).await?, role).await.map_err(plain)?;
            println!("{name} has the role {role}");
        }
        Command::Disable { name } => {
            people::set_disabled(desk, who, &people::named(desk, &name).await?, true).await.map_err(plain)?;
            println!("{name} is disabled");
        }
        Command::Enable { name } => {
            people::set_disabled(desk, who, &people::named(desk, &name).await?, false).await.map_err(plain)?;
            println!("{name} may log in again");
        }
        Command::DropFactor { name } => {
            people::drop_factor(desk, who, &people::named(desk, &name).await?).await.map_err(plain)?;
            println!("{name} has no second factor any more");
        }
        Command::Token(command) => tokens(command, desk, who).await?,
    }
    Ok(())
}

async fn list(desk: &Desk, as_json: bool) -> anyhow::Result<()> {
    let all = people::all(desk).await?;
    if as_json {
        show::json(
            &all.iter()
                .map(|one| {
                    json!({
                        "name": one.name, "role": one.role.code(), "second_factor": one.totp_sealed.is_some(),
                        "password": one.password_hash.is_some(), "disabled": one.disabled_at.is_some(),
                        "created_at": one.created_at.to_string(), "created_by": one.created_by,
                    })
                })
                .collect(),
        );
        return Ok(());
    }
    let mut table = show::table(&["name", "role", "second factor", "since", "state"]);
    for one in &all {
        table.add_row(vec![
            one.name.clone(),
            one.role.to_string(),
            if one.totp_sealed.is_some() { "yes" } else { "no" }.to_owned(),
            show::time(one.created_at),
            if one.disabled_at.is_some() { "disabled" } else { "active" }.to_owned(),
        ]);
    }
    println!("{table}");
    Ok(())
}

async fn tokens(command: TokenCommand, desk: &Desk, who: &Who) -> anyhow::Result<()> {
    match command {
        TokenCommand::Create { name, role, days } => {
            let until = days.map(|days| desk.now() + jiff::SignedDuration::from_hours(i64::from(days) * 24));
            let token = token::create(desk, who, &name, role, until).await.map_err(plain)?;
            println!("{}", secrecy::ExposeSecret::expose_secret(&token));
        }
        TokenCommand::List { json } => {
            let all = token::all(desk, who).await?;
            if json {
                show::json(
                    &all.iter()
                        .map(|one| {
                            json!({
                                "id": one.id, "name": one.name, "role": one.role.code(),
                                "made_at": one.made_at.to_string(), "made_by": one.made_by,
                                "used_at": one.used_at.map(|at| at.to_string()),
                                "until": one.until.map(|at| at.to_string()),
                                "ended_at": one.ended_at.map(|at| at.to_string()),
                            })
                        })
                        .collect(),
                );
            } else {
                let mut table = show::table(&["id", "name", "role", "made", "used", "state"]);
                for one in &all {
                    let over = one.ended_at.is_some() || one.until.is_some_and(|until| until <= desk.now());
                    table.add_row(vec![
                        one.id.to_string(),
                        one.name.clone(),
                        one.role.to_string(),
                        show::time(one.made_at),
                        one.used_at.map(show::time).unwrap_or_default(),
                        if over { "over" } else { "valid" }.to_owned(),
                    ]);
                }
                println!("{table}");
            }
        }
        TokenCommand::End { id } => {
            token::end(desk, who, id).await?;
            println!("token {id} is over");
        }
    }
    Ok(())
}

/// What is wrong, in English words instead of the page's keys.
fn plain(error: AdminError) -> anyhow::Error {
    match error {
        AdminError::Invalid(mistakes) => {
            let all: Vec<String> =
                mistakes.iter().map(|one| format!("{}: {}", one.field, words::text(Locale::En, &one.text))).collect();
            anyhow::anyhow!(all.join("\n"))
        }
        AdminError::Conflict(text) => anyhow::anyhow!(words::text(Locale::En, &text).to_owned()),
        other => other.into(),
    }
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
