//! `hookbridge setup`: from eight answers to a configuration, a schema and two database accounts. It shows what it is going to
//! write and writes nothing else.

mod answers;

use std::io::{IsTerminal as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use secrecy::ExposeSecret as _;

use super::{doctor, migrate};
use crate::app::accounts::{Administrator, NewAccount, Statement};
use crate::config::load;
use answers::Answers;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The eight answers in a file (TOML: `platform_database`, timezone, schema, `public_url`, `phone_number_id`, `waba_id`, token,
    /// `app_secret`) instead of at the terminal
    #[arg(long, value_name = "FILE")]
    answers: Option<PathBuf>,
    /// Somebody who may make accounts at the database server
    #[arg(long, value_name = "URL", default_value = "mysql://root@localhost/?socket=/run/mysqld/mysqld.sock")]
    administrator: String,
    /// Where settings and secrets are written
    #[arg(long, value_name = "FOLDER", default_value = "/etc/hookbridge")]
    folder: PathBuf,
    /// Do not ask before writing
    #[arg(long)]
    yes: bool,
    /// Only show what would be written
    #[arg(long)]
    dry_run: bool,
}

/// A file that is to be written.
struct NewFile {
    name: &'static str,
    text: String,
    secret: bool,
}

pub async fn run(args: Args) -> anyhow::Result<()> {
    let settings = args.folder.join("hookbridge.toml");
    ensure!(!settings.exists(), "{} is there already: change it, or move it away first", settings.display());
    let mut administrator = Administrator::connect(&args.administrator).await.context(
        "no administrator of the database server (run this as root on its machine, or say --administrator URL)",
    )?;
    let answers = match &args.answers {
        Some(file) => Answers::read(file)?,
        None => Answers::ask(&administrator.platforms().await?)?,
    };
    let platforms = administrator.platforms().await?;
    ensure!(
        platforms.contains(&answers.platform_database),
        "`{}` does not hold the platform's tables; databases that do: {}",
        answers.platform_database,
        if platforms.is_empty() { "none".to_owned() } else { platforms.join(", ") }
    );
    let host = administrator.host().await?;
    let account = |name: String| anyhow::Ok(NewAccount { name: format!("{name}@{host}"), password: random_hex(24)? });
    let (own, reader) = (account(answers.schema.clone())?, account(format!("{}_reader", answers.schema))?);
    let plan = administrator.plan(&answers.schema, &own, &reader, &answers.platform_database).await?;
    let server = where_it_is(&args.administrator);
    let files = files(&answers, &own, &reader, &server, &args.folder)?;
    check(&answers, &files)?;
    show(&plan, &files, &args.folder);
    if args.dry_run || !(args.yes || confirmed()?) {
        println!("nothing was written");
        return administrator.end().await;
    }
    administrator.run(&plan).await?;
    administrator.end().await?;
    for file in &files {
        write(&args.folder, file)?;
    }
    let config = load(Some(&settings), std::env::vars())?;
    migrate::run(migrate::Args { check: false }, &config).await?;
    doctor::run(doctor::Args::default(), &config).await?;
    println!();
    println!("Next:");
    println!("  hookbridge templates submit --all");
    println!("  hookbridge stub install /var/www/whmcs");
    println!("  systemctl enable --now hookbridge");
    println!("Webhook for Meta (field `messages`): {}/v1/receipts/main", answers.public_url.trim_end_matches('/'));
    println!("with the verify token that {} holds.", args.folder.join("verify_token").display());
    Ok(())
}

fn files(
    answers: &Answers,
    own: &NewAccount,
    reader: &NewAccount,
    server: &str,
    folder: &Path,
) -> anyhow::Result<Vec<NewFile>> {
    let at = |name: &str| toml::Value::from(folder.join(name).to_string_lossy().into_owned()).to_string();
    let url = |account: &NewAccount, database: &str| {
        let name = account.name.split('@').next().unwrap_or_default();
        let (host, options) = server.split_once('?').map_or((server, ""), |(host, options)| (host, options));
        let options = if options.is_empty() { String::new() } else { format!("?{options}") };
        format!("mysql://{name}:{}@{host}/{database}{options}\n", account.password)
    };
    let text = |value: &str| toml::Value::from(value).to_string();
    let settings = format!(
        "# Written by `hookbridge setup`. Every key with its default: hookbridge config --defaults\n\n\
         [admin]\nkey_file = {}\n# Single sign-on from the platform, with billing.admin_url: sso_secret_file = {}\n\n[database]\nurl_file = {}\n\n[billing]\nurl_file = {}\ntimezone = {}\n\n\
         [sources.billing]\nsecrets_file = {}\n\n[senders.main]\nphone_number_id = {}\nwaba_id = {}\ntoken_file = {}\n\
         app_secret_file = {}\nverify_token_file = {}\n",
        at("admin_key"),
        at("sso_secret"),
        at("database_url"),
        at("billing_url"),
        text(&answers.timezone),
        at("stub_secrets"),
        text(&answers.phone_number_id),
        text(&answers.waba_id),
        at("token"),
        at("app_secret"),
        at("verify_token"),
    );
    let secret = |name, text| NewFile { name, text, secret: true };
    let mut files = vec![
        secret("database_url", url(own, &answers.schema)),
        secret("billing_url", url(reader, &answers.platform_database)),
        secret("token", format!("{}\n", answers.token.expose_secret())),
        secret("app_secret", format!("{}\n", answers.app_secret.expose_secret())),
    ];
    // The package made these; a secret that is there is never replaced.
    for name in ["stub_secrets", "admin_key", "sso_secret"] {
        if !folder.join(name).exists() {
            files.push(secret(name, format!("{}\n", super::config::new_secret()?)));
        }
    }
    if !folder.join("verify_token").exists() {
        files.push(secret("verify_token", format!("{}\n", random_hex(24)?)));
    }
    // Last: a service that waits for it finds everything.
    files.push(NewFile { name: "hookbridge.toml", text: settings, secret: false });
    Ok(files)
}

/// What `serve` would say of these settings, before anything is written.
fn check(answers: &Answers, files: &[NewFile]) -> anyhow::Result<()> {
    const KEYS: [(&str, &str); 6] = [
        ("DATABASE__URL", "database_url"),
        ("BILLING__URL", "billing_url"),
        ("SENDERS__MAIN__TOKEN", "token"),
        ("SENDERS__MAIN__APP_SECRET", "app_secret"),
        ("SENDERS__MAIN__VERIFY_TOKEN", "verify_token"),
        ("SOURCES__BILLING__SECRETS", "stub_secrets"),
    ];
    let new = |name: &str| files.iter().find(|file| file.name == name).map(|file| file.text.trim().to_owned());
    // A secret that is there already was good enough for the package that made it.
    let value = |name: &str| new(name).map_or_else(super::config::new_secret, Ok);
    let mut settings = vec![
        ("HOOKBRIDGE__BILLING__TIMEZONE".to_owned(), answers.timezone.clone()),
        ("HOOKBRIDGE__SENDERS__MAIN__PHONE_NUMBER_ID".to_owned(), answers.phone_number_id.clone()),
        ("HOOKBRIDGE__SENDERS__MAIN__WABA_ID".to_owned(), answers.waba_id.clone()),
    ];
    for (key, name) in KEYS {
        settings.push((format!("HOOKBRIDGE__{key}"), value(name)?));
    }
    load(None, settings)?;
    Ok(())
}

/// The part of the administrator's URL that says where the server is: `host:port`, with the socket if there is one.
fn where_it_is(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let (place, options) = rest.split_once('?').unwrap_or((rest, ""));
    let host = place.rsplit_once('@').map_or(place, |(_, host)| host).split('/').next().unwrap_or("localhost");
    let socket = options.split('&').find(|option| option.starts_with("socket="));
    socket.map_or_else(|| host.to_owned(), |socket| format!("{host}?{socket}"))
}

fn show(plan: &[Statement], files: &[NewFile], folder: &Path) {
    println!("At the database server:");
    for one in plan {
        println!("  {};", one.shown);
    }
    for file in files {
        let path = folder.join(file.name);
        if file.secret {
            println!("\n{}: a secret (not shown)", path.display());
        } else {
            println!("\n{}:", path.display());
            for line in file.text.lines() {
                println!("  {line}");
            }
        }
    }
}

fn confirmed() -> anyhow::Result<bool> {
    ensure!(std::io::stdin().is_terminal(), "nobody is at the terminal to confirm it: say --yes");
    print!("\nWrite all of this? [y/N] ");
    std::io::stdout().flush()?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes" | "s" | "si" | "sí"))
}

/// Readable for root and the service's group, which is the folder's; written by root alone.
fn write(folder: &Path, file: &NewFile) -> anyhow::Result<()> {
    let path = folder.join(file.name);
    let what = || format!("cannot write {}", path.display());
    let group = std::fs::metadata(folder).with_context(what)?.gid();
    let other = folder.join(format!(".{}.new", file.name));
    let _ = std::fs::remove_file(&other);
    let mut new =
        std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&other).with_context(what)?;
    new.write_all(file.text.as_bytes()).with_context(what)?;
    chown(&other, None, Some(group)).with_context(what)?;
    new.set_permissions(std::fs::Permissions::from_mode(0o640)).with_context(what)?;
    std::fs::rename(&other, &path).with_context(what)
}

fn random_hex(bytes: usize) -> anyhow::Result<String> {
    let mut random = vec![0_u8; bytes];
    getrandom::fill(&mut random).map_err(|error| anyhow::anyhow!("no randomness: {error}"))?;
    Ok(crate::signature::hex(&random))
}
