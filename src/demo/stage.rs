//! Owns: everything that a bridge needs, private and on this machine: both databases, the stand-in provider with our
//! texts, a configuration that joins them.

use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Opts};
use secrecy::SecretString;
use tokio::net::TcpListener;

use super::accounts::{self, BRIDGE, READER};
use super::data::{self, Size};
use super::mariadb::{Options, PrivateMariaDb};
use super::schema::{self, Release};
use crate::app::{App, Workers};
use crate::catalogue::Catalogue;
use crate::clock::Clock;
use crate::config::{Config, load};
use crate::domain::admin::{Role, Who};
use crate::ops::people::CreateAdministrator;
use crate::ops::{Code, change};
use crate::provider_texts::definitions;
use crate::render::Templates;
use crate::sandbox::{Sandbox, SandboxConfig};
use crate::store::{Store, migrate};
use crate::whatsapp::creation_json;

/// The source's name in configuration and stub.
pub const SOURCE: &str = "billing";
/// How long the first sweep may take, and how often the demo looks whether it has ended.
const PATIENCE: Duration = Duration::from_mins(1);
const LOOK: Duration = Duration::from_millis(50);
const BILLING: &str = "billing";
const OWN: &str = "hookbridge";

/// Secrets that hold for one run.
#[derive(Debug)]
pub struct Secrets {
    pub stub: String,
    pub token: String,
    pub app_secret: String,
    pub verify_token: String,
    /// `admin.key`.
    pub admin: String,
}

impl Secrets {
    /// Fresh ones.
    ///
    /// # Errors
    /// The machine has no randomness.
    pub fn new() -> anyhow::Result<Self> {
        let random = || -> anyhow::Result<String> {
            let mut bytes = [0_u8; 32];
            getrandom::fill(&mut bytes).map_err(|e| anyhow::anyhow!("no randomness: {e}"))?;
            Ok(STANDARD.encode(bytes))
        };
        Ok(Self {
            stub: format!("whsec_{}", random()?),
            token: random()?,
            app_secret: random()?,
            verify_token: random()?,
            admin: format!("whsec_{}", random()?),
        })
    }
}

/// The configuration as variables of the environment, as an administrator could set them.
#[must_use]
pub fn variables(own_url: &str, billing_url: &str, provider_url: &str, secrets: &Secrets) -> Vec<(String, String)> {
    let number = SandboxConfig::new(Clock::system());
    [
        ("SERVER__LISTEN", "127.0.0.1:0"),
        ("ADMIN__KEY", secrets.admin.as_str()),
        ("DATABASE__URL", own_url),
        ("BILLING__URL", billing_url),
        ("BILLING__TIMEZONE", data::PLATFORM_ZONE),
        ("SOURCES__BILLING__SECRETS", secrets.stub.as_str()),
        ("SENDERS__MAIN__BASE_URL", provider_url),
        ("SENDERS__MAIN__PHONE_NUMBER_ID", number.phone_numbers[0].id.as_str()),
        ("SENDERS__MAIN__WABA_ID", number.waba_id.as_str()),
        ("SENDERS__MAIN__TOKEN", secrets.token.as_str()),
        ("SENDERS__MAIN__APP_SECRET", secrets.app_secret.as_str()),
        ("SENDERS__MAIN__VERIFY_TOKEN", secrets.verify_token.as_str()),
    ]
    .into_iter()
    .map(|(key, value)| (format!("HOOKBRIDGE__{key}"), value.to_owned()))
    .collect()
}

/// A stand-in with this run's secrets, before any text was approved.
///
/// # Errors
/// It cannot listen.
pub async fn provider_without_texts(mut config: SandboxConfig, secrets: &Secrets) -> anyhow::Result<Sandbox> {
    config.access_token = secrets.token.clone().into();
    config.app_secret = secrets.app_secret.clone().into();
    config.verify_token = secrets.verify_token.clone().into();
    Ok(Sandbox::start(config).await?)
}

/// A stand-in that knows our texts.
///
/// # Errors
/// It cannot listen, or refuses a text.
pub async fn provider(config: SandboxConfig, secrets: &Secrets) -> anyhow::Result<Sandbox> {
    let sandbox = provider_without_texts(config, secrets).await?;
    let templates = Templates::built_in().map_err(|mistakes| anyhow::anyhow!(mistakes.join("\n")))?;
    let catalogue = Catalogue::built_in(&std::collections::BTreeMap::new())?;
    for definition in definitions(&catalogue, &templates, data::SYSTEM_URL)? {
        let created = sandbox.add_template(&creation_json(&definition));
        created.map_err(|e| {
            anyhow::anyhow!("the stand-in refuses `{}` ({}): {e:?}", definition.name, definition.language)
        })?;
    }
    Ok(sandbox)
}

/// The demo's administrator.
pub const ADMINISTRATOR: &str = "demo";

/// A running demo.
#[expect(missing_debug_implementations, reason = "a stand-in has nothing to show")]
pub struct Stage {
    pub server: PrivateMariaDb,
    pub app: App,
    pub secrets: Secrets,
    pub sandbox_url: String,
    /// Of [`ADMINISTRATOR`], for this run.
    pub password: SecretString,
    sandbox: Option<Sandbox>,
}

impl Stage {
    /// Builds it up below `dir`; `say` hears about each step.
    ///
    /// # Errors
    /// Whatever part does not start, in words.
    pub async fn build(dir: &Path, clients: u32, release: Release, say: impl Fn(&str)) -> anyhow::Result<Self> {
        let clock = Clock::system();
        say("starting a private MariaDB (own directory, own socket)");
        let server = PrivateMariaDb::start(dir.join("mariadb"), Options::default()).await?;
        let mut root = Conn::new(Opts::from_url(&server.admin_url())?).await?;
        accounts::create(&mut root).await?;
        say("making the platform's tables and sample clients");
        schema::create_billing(&mut root, BILLING, release).await?;
        data::load(&server.url_for("root", BILLING), Size { clients }, clock.now(), release).await?;
        root.query_drop(format!("CREATE DATABASE {OWN} CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci")).await?;
        accounts::grant(&mut root, BILLING, OWN).await?;
        root.disconnect().await?;
        let secrets = Secrets::new()?;
        say("starting the stand-in for the provider, with our texts");
        let sandbox = provider(SandboxConfig::new(clock.clone()), &secrets).await?;
        let own = server.url_for(BRIDGE, OWN);
        let reader = server.url_for(READER, BILLING);
        let config = load(None, variables(&own, &reader, &sandbox.url(), &secrets))?;
        say("bringing the bridge's own schema up to date");
        migrate::run(&open(&config)?, clock.now()).await?;
        say("starting the bridge, with a billing account that can only read");
        let listener = TcpListener::bind(config.server.listen).await.context("a free port")?;
        let app = App::start(config, clock, listener, Workers::Running).await?;
        sandbox.set_callback_url(Some(format!("http://{}/v1/receipts/main", app.address)));
        anyhow::ensure!(
            sandbox.verify_callback().await,
            "the bridge did not answer the provider's check of its address"
        );
        say("making an administrator for the page");
        let password = administrator(&app).await?;
        Ok(Self { server, app, secrets, sandbox_url: sandbox.url(), password, sandbox: Some(sandbox) })
    }

    /// Where the bridge listens.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.app.address)
    }

    /// Changes rows of the platform, as it does itself.
    ///
    /// # Errors
    /// The database.
    pub async fn platform(&self, sql: &str) -> anyhow::Result<()> {
        self.as_root(BILLING, sql).await
    }

    /// Waits until the bridge has looked around among the platform's rows for the first time.
    ///
    /// # Errors
    /// It takes too long.
    pub async fn looked_around(&self) -> anyhow::Result<()> {
        let looked = async {
            while self.app.metrics.sweep_finished_seconds.get() == 0 {
                tokio::time::sleep(LOOK).await;
            }
        };
        tokio::time::timeout(PATIENCE, looked).await.context("the sweep did not end its first round")
    }

    /// Lets the bridge sweep once more at once: nobody watches a demo for `sweep.every_min`.
    ///
    /// # Errors
    /// A database.
    pub async fn sweep(&self) -> anyhow::Result<()> {
        self.as_root(OWN, "UPDATE sweep_turn SET next_at = '1970-01-01'").await?;
        self.app.sweep().await.map(drop)
    }

    async fn as_root(&self, database: &str, sql: &str) -> anyhow::Result<()> {
        let mut root = Conn::new(Opts::from_url(&self.server.url_for("root", database))?).await?;
        root.query_drop(sql).await?;
        Ok(root.disconnect().await?)
    }

    /// Ends everything in order.
    pub async fn end(mut self) {
        self.app.stop().await;
        if let Some(sandbox) = self.sandbox.take() {
            sandbox.stop().await;
        }
        self.server.stop();
    }
}

/// Makes the demo's administrator, with a password that holds for this run.
async fn administrator(app: &App) -> anyhow::Result<SecretString> {
    let desk = app.desk.as_ref().context("the demo has a key")?;
    let mut bytes = [0_u8; 9];
    getrandom::fill(&mut bytes).map_err(|e| anyhow::anyhow!("no randomness: {e}"))?;
    let password = SecretString::from(format!("hb-{}", URL_SAFE_NO_PAD.encode(bytes)));
    let who = Who::at_the_command_line("setup");
    let (name, role) = (ADMINISTRATOR.to_owned(), Code(Role::Administrator));
    change(desk, &who, CreateAdministrator { name, role, password: Some(password.clone()) }).await?;
    Ok(password)
}

fn open(config: &Config) -> anyhow::Result<Store> {
    crate::app::open_store(config)
}
