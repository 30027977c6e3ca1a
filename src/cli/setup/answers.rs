//! Owns: the eight answers of `hookbridge setup`, from a file or asked one by one. A secret is typed unseen.

use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail, ensure};
use secrecy::SecretString;
use serde::Deserialize;

/// What only the company knows. The file has the same names.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answers {
    /// The platform's database.
    pub platform_database: String,
    /// Zone of the platform's server, an IANA name.
    pub timezone: String,
    /// The bridge's own schema.
    #[serde(default = "schema")]
    pub schema: String,
    /// Where the provider and administrators reach the bridge, `https://…`.
    pub public_url: String,
    pub phone_number_id: String,
    pub waba_id: String,
    pub token: SecretString,
    pub app_secret: SecretString,
}

fn schema() -> String {
    "hookbridge".to_owned()
}

impl Answers {
    pub fn read(file: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
        // The parser's own words would show the line, which may hold a secret.
        let answers: Self = toml::from_str(&text).map_err(|error| {
            let line = error.span().map_or(0, |span| text[..span.start].lines().count().max(1));
            anyhow::anyhow!("{}: line {line}: {}", file.display(), error.message())
        })?;
        answers.checked()
    }

    /// Asks at the terminal. `platforms`: databases that look like the platform's.
    pub fn ask(platforms: &[String]) -> anyhow::Result<Self> {
        ensure!(
            std::io::stdin().is_terminal(),
            "nobody is at the terminal: write the answers into a file, --answers FILE"
        );
        let one = (platforms.len() == 1).then(|| platforms[0].clone());
        if platforms.len() > 1 {
            println!("Databases that look like the platform's: {}", platforms.join(", "));
        }
        Self {
            platform_database: question(1, "The platform's database", one.as_deref())?,
            timezone: question(2, "Time zone of the platform's server", zone_of_machine().as_deref())?,
            schema: question(3, "Name of the bridge's own schema", Some(&schema()))?,
            public_url: question(4, "Address at which Meta will reach the bridge (https://…)", None)?,
            phone_number_id: question(5, "Meta: phone number id", None)?,
            waba_id: question(6, "Meta: WhatsApp business account id", None)?,
            token: unseen(7, "Meta: token of the system user")?,
            app_secret: unseen(8, "Meta: app secret")?,
        }
        .checked()
    }

    fn checked(self) -> anyhow::Result<Self> {
        let digits = |text: &str| !text.is_empty() && text.len() <= 32 && text.bytes().all(|b| b.is_ascii_digit());
        ensure!(
            digits(&self.phone_number_id),
            "phone_number_id: Meta's id has digits only; it is not the phone number"
        );
        ensure!(digits(&self.waba_id), "waba_id: Meta's id has digits only");
        ensure!(self.public_url.starts_with("https://"), "public_url must begin with https://");
        if jiff::tz::TimeZone::get(&self.timezone).is_err() {
            bail!("timezone: `{}` is no IANA name, such as America/Argentina/Buenos_Aires", self.timezone);
        }
        let plain = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') && !text.is_empty();
        ensure!(plain(&self.schema), "schema: letters, digits and _ only");
        Ok(self)
    }
}

/// As `/etc/localtime` points into the zones.
fn zone_of_machine() -> Option<String> {
    let target = std::fs::read_link("/etc/localtime").ok()?;
    target.to_str()?.split_once("zoneinfo/").map(|(_, name)| name.to_owned())
}

fn question(number: u8, text: &str, usual: Option<&str>) -> anyhow::Result<String> {
    let hint = usual.map(|usual| format!(" [{usual}]")).unwrap_or_default();
    loop {
        print!("{number}/8 {text}{hint}: ");
        std::io::stdout().flush()?;
        let answer = line()?;
        match (answer.is_empty(), usual) {
            (false, _) => return Ok(answer),
            (true, Some(usual)) => return Ok(usual.to_owned()),
            (true, None) => {}
        }
    }
}

fn unseen(number: u8, text: &str) -> anyhow::Result<SecretString> {
    loop {
        print!("{number}/8 {text} (not shown): ");
        std::io::stdout().flush()?;
        echo(false);
        let answer = line();
        echo(true);
        println!();
        let answer = answer?;
        if !answer.is_empty() {
            return Ok(answer.into());
        }
    }
}

fn echo(on: bool) {
    let _ = Command::new("stty").arg(if on { "echo" } else { "-echo" }).stdin(Stdio::inherit()).status();
}

fn line() -> anyhow::Result<String> {
    let mut text = String::new();
    ensure!(std::io::stdin().lock().read_line(&mut text)? > 0, "the answers ended before the questions did");
    Ok(text.trim().to_owned())
}
