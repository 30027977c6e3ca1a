//! `hookbridge stub`: puts the PHP stub into a platform's folder with the owners and modes that it needs, and takes it out again.

mod users;

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::Command as Process;

use anyhow::{Context as _, bail, ensure};
use rust_embed::RustEmbed;
use secrecy::ExposeSecret as _;

use crate::config::Config;
use users::{User, named, of_cron, of_processes};

/// The stub's own files, as they are in this version.
#[derive(RustEmbed)]
#[folder = "php-hooks/"]
struct Files;

/// Where settings with secrets lie, outside of what the web server shows.
const SETTINGS: &str = "/etc/hookbridge-stub";

#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Copy the stub into the platform's `includes/hooks`, and write its settings and its spool folder for PHP's user
    Install(Install),
    /// Take the stub out of the platform's `includes/hooks`; settings and waiting events stay
    Remove {
        /// The platform's folder: the one with `configuration.php`
        platform: PathBuf,
    },
}

#[derive(Debug, clap::Args)]
pub struct Install {
    /// The platform's folder: the one with `configuration.php`
    platform: PathBuf,
    /// The user that PHP runs as; without it, the one that php-fpm, Apache or `LiteSpeed` run as at this moment
    #[arg(long)]
    user: Option<String>,
    /// Which of the configured sources this platform is; without it, the only one
    #[arg(long)]
    source: Option<String>,
    /// Where PHP reaches the bridge; without it, `server.listen` of the configuration
    #[arg(long)]
    url: Option<String>,
    /// Where events wait for the bridge; without it, `/var/spool/hookbridge-SOURCE`
    #[arg(long)]
    spool: Option<PathBuf>,
    /// Keep the settings in the stub's folder, for PHP that may read nothing outside of the platform (`open_basedir`)
    #[arg(long)]
    settings_inside: bool,
    /// Only say what would be done
    #[arg(long)]
    dry_run: bool,
}

pub fn run(command: Command, config: impl FnOnce() -> anyhow::Result<Config>) -> anyhow::Result<()> {
    match command {
        Command::Install(args) => install(&args, &config()?),
        Command::Remove { platform } => remove(&platform),
    }
}

fn install(args: &Install, config: &Config) -> anyhow::Result<()> {
    let hooks = hooks_of(&args.platform)?;
    let passwd = fs::read_to_string("/etc/passwd").context("cannot read /etc/passwd")?;
    let user = user(args, &passwd)?;
    let source = source(args, config)?;
    let url = args.url.clone().unwrap_or_else(|| format!("http://{}", config.server.listen));
    let spool = args.spool.clone().unwrap_or_else(|| PathBuf::from(format!("/var/spool/hookbridge-{source}")));
    let settings = if args.settings_inside {
        hooks.join("hookbridge/config.php")
    } else {
        Path::new(SETTINGS).join(format!("{source}.php"))
    };
    println!("PHP's user     {}", user.name);
    println!("stub           {}", hooks.join("hookbridge").display());
    println!("settings       {} ({}, 0400)", settings.display(), user.name);
    println!("spool          {} ({}, 0700)", spool.display(), user.name);
    println!("bridge         {url}, source {source}");
    warn_of_cron(&args.platform, &user);
    if args.dry_run {
        return Ok(());
    }
    copy(&hooks)?;
    folder(&spool, 0o700, Some(&user))?;
    let secret = config.sources[&source].secrets.first().context("the source has no secret")?;
    let text = settings_text(&url, &source, secret.expose_secret(), &spool);
    if args.settings_inside {
        write(&settings, &text, 0o400, Some(&user))?;
    } else {
        // Others may pass through it and see nothing.
        folder(Path::new(SETTINGS), 0o711, None)?;
        write(&settings, &text, 0o400, Some(&user))?;
        let pointer = format!(
            "<?php\n// The settings hold a secret, so they lie outside of what the web server shows.\nreturn require {};\n",
            php(&settings.to_string_lossy())
        );
        write(&hooks.join("hookbridge/config.php"), &pointer, 0o644, None)?;
    }
    can(&user, "-r", &settings)?;
    can(&user, "-w", &spool)?;
    say_how_it_is(&user, &hooks);
    println!(
        "\nThe stub is installed. Log in to the platform's admin area once: if something is missing, the activity log says so."
    );
    println!("Web servers other than Apache also need to refuse {}/ to visitors.", hooks.display());
    Ok(())
}

fn remove(platform: &Path) -> anyhow::Result<()> {
    let hooks = hooks_of(platform)?;
    let (file, folder) = (hooks.join("hookbridge.php"), hooks.join("hookbridge"));
    ensure!(file.exists() || folder.exists(), "there is no stub in {}", hooks.display());
    // The one file that the platform loads goes first.
    for path in [&file, &folder] {
        let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
        match removed {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("cannot remove {}", path.display()));
            }
            _ => println!("removed {}", path.display()),
        }
    }
    println!("Settings ({SETTINGS}) and events that wait (/var/spool/hookbridge-*) stay: remove them by hand.");
    Ok(())
}

fn hooks_of(platform: &Path) -> anyhow::Result<PathBuf> {
    let platform = platform.canonicalize().with_context(|| format!("there is no folder {}", platform.display()))?;
    let hooks = platform.join("includes/hooks");
    ensure!(
        hooks.is_dir() && platform.join("configuration.php").exists(),
        "{} is not the platform's folder: it has no configuration.php or no includes/hooks",
        platform.display()
    );
    Ok(hooks)
}

fn source(args: &Install, config: &Config) -> anyhow::Result<String> {
    let names: Vec<&str> = config.sources.keys().map(String::as_str).collect();
    match &args.source {
        Some(name) if config.sources.contains_key(name) => Ok(name.clone()),
        Some(name) => bail!("there is no source `{name}`: configured are {}", names.join(", ")),
        None if names.len() == 1 => Ok(names[0].to_owned()),
        None => bail!("say --source: configured are {}", names.join(", ")),
    }
}

fn user(args: &Install, passwd: &str) -> anyhow::Result<User> {
    if let Some(name) = &args.user {
        return named(passwd, name).with_context(|| format!("there is no user `{name}` on this machine"));
    }
    let running: Vec<User> = of_processes(Path::new("/proc"), passwd).into_iter().collect();
    match running.as_slice() {
        [one] => Ok(one.clone()),
        [] => bail!("no process of PHP is running: say --user, the user that the web server runs PHP as"),
        many => {
            let names: Vec<&str> = many.iter().map(|user| user.name.as_str()).collect();
            bail!("PHP runs as several users ({}): say --user, the one of this platform", names.join(", "))
        }
    }
}

/// What another user's cron writes, PHP's user cannot send.
fn warn_of_cron(platform: &Path, user: &User) {
    let platform = platform.canonicalize().unwrap_or_else(|_| platform.to_owned());
    let found = of_cron(&platform, Path::new("/etc"), Path::new("/var/spool/cron"));
    for other in found.iter().filter(|name| **name != user.name) {
        println!(
            "WARNING: the platform's cron runs as {other}, not as {}: it can neither read the settings nor send what waits. Move \
             the line to {}'s crontab: crontab -u {} -e",
            user.name, user.name, user.name
        );
    }
    if found.is_empty() {
        println!("note: no crontab runs {}/crons/cron.php; it must run as {}", platform.display(), user.name);
    }
}

fn copy(hooks: &Path) -> anyhow::Result<()> {
    // Never the settings of whoever built the program.
    let shipped =
        |name: &str| name == "hookbridge.php" || name.starts_with("hookbridge/") && name != "hookbridge/config.php";
    for name in Files::iter().filter(|name| shipped(name)) {
        let file = Files::get(&name).context("an embedded file")?;
        let path = hooks.join(&*name);
        folder(path.parent().unwrap_or(hooks), 0o755, None)?;
        write(&path, &String::from_utf8_lossy(&file.data), 0o644, None)?;
    }
    Ok(())
}

fn folder(path: &Path, mode: u32, owner: Option<&User>) -> anyhow::Result<()> {
    let what = || format!("cannot make {}", path.display());
    fs::create_dir_all(path).with_context(what)?;
    let about = fs::symlink_metadata(path).with_context(what)?;
    ensure!(about.is_dir(), "{} is not a folder", path.display());
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).with_context(what)?;
    give(path, owner)
}

/// Under another name first: nobody may see half a file, or a secret before its owner and mode are right.
fn write(path: &Path, text: &str, mode: u32, owner: Option<&User>) -> anyhow::Result<()> {
    let what = || format!("cannot write {}", path.display());
    let other = path.with_extension("new");
    let _ = fs::remove_file(&other);
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(mode).open(&other).with_context(what)?;
    file.write_all(text.as_bytes()).with_context(what)?;
    file.set_permissions(fs::Permissions::from_mode(mode)).with_context(what)?;
    give(&other, owner)?;
    fs::rename(&other, path).with_context(what)
}

fn give(path: &Path, owner: Option<&User>) -> anyhow::Result<()> {
    let Some(owner) = owner else { return Ok(()) };
    chown(path, Some(owner.uid), Some(owner.gid))
        .with_context(|| format!("cannot give {} to {}: run this as root", path.display(), owner.name))
}

/// A command that runs as `user`.
fn as_user(user: &User, program: &str) -> Process {
    if fs::metadata("/proc/self").is_ok_and(|about| about.uid() == user.uid) {
        return Process::new(program);
    }
    let mut command = Process::new("runuser");
    command.args(["-u", &user.name, "--", program]);
    command
}

/// Whether `user` can read or write `path`, asked as that user: folders above it count, too.
fn can(user: &User, how: &str, path: &Path) -> anyhow::Result<()> {
    let asked = as_user(user, "test").arg(how).arg(path).status().context("`runuser` does not start")?;
    let verb = if how == "-r" { "read" } else { "write" };
    ensure!(asked.success(), "{} cannot {verb} {}: look at the folders above it", user.name, path.display());
    Ok(())
}

/// What the stub itself says, run as PHP's user; only where there is a PHP for the command line.
fn say_how_it_is(user: &User, hooks: &Path) {
    let asked = as_user(user, "php").arg(hooks.join("hookbridge/tool.php")).arg("status").output();
    match asked {
        Ok(output) if !output.stdout.is_empty() => print!("\n{}", String::from_utf8_lossy(&output.stdout)),
        _ => println!(
            "\nnote: no PHP for the command line: `php hookbridge/tool.php status` shows later how the stub is"
        ),
    }
}

fn settings_text(url: &str, source: &str, secret: &str, spool: &Path) -> String {
    format!(
        "<?php\n// Written by `hookbridge stub install`. config.example.php beside the stub explains every key.\nreturn [\n    \
         'url' => {},\n    'source' => {},\n    'secret' => {},\n    'spool_dir' => {},\n];\n",
        php(url),
        php(source),
        php(secret),
        php(&spool.to_string_lossy())
    )
}

/// A text of PHP in single quotes.
fn php(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}
