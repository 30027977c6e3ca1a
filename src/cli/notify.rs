//! `hookbridge notify`: notices to administrators.

use serde_json::json;

use super::desk::{Failure, at_the_desk};
use super::show;
use crate::admin::notify::{self, submit_text, text_at_provider};
use crate::admin::{AdminError, Desk};
use crate::config::Config;
use crate::domain::admin::Who;
use crate::http::admin::notices::Pen;
use crate::http::api::notices::channel;
use crate::notify::Channel;
use crate::provider_texts::notice_definition;
use crate::render::notice::NAME;
use crate::whatsapp::creation_json;

#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// How each channel stands: to whom, the last notice, the last error, what was sent
    Show {
        /// For programs
        #[arg(long)]
        json: bool,
    },
    /// Send a test by one channel, or by all that are set up
    Test {
        /// email, webhook or whatsapp
        channel: Option<String>,
    },
    /// The text that WhatsApp needs: print the JSON that makes it at the provider, or make it there
    Text {
        /// Make it at the provider, in the language of the notices
        #[arg(long)]
        submit: bool,
    },
}

pub async fn run(command: Command, config: &Config) -> anyhow::Result<()> {
    at_the_desk(config, async |desk, who| match command {
        Command::Show { json } => show(desk, who, json).await,
        Command::Test { channel } => test(desk, who, channel.as_deref()).await,
        Command::Text { submit } => text(desk, who, submit).await,
    })
    .await
}

async fn show(desk: &Desk, who: &Who, json: bool) -> Result<(), Failure> {
    let all = notify::all(desk, who).await?;
    if json {
        show::json(&json!({ "items": all.iter().map(channel).collect::<Vec<_>>() }));
        return Ok(());
    }
    let mut table = show::table(&["channel", "to", "last sent", "sent", "failures", "error"]);
    for one in all.iter().filter(|one| one.is_on) {
        table.add_row(vec![
            one.channel.code().to_owned(),
            one.to.join("\n"),
            one.state.sent_at.map_or_else(|| "never".to_owned(), show::time),
            one.state.sent.to_string(),
            one.state.failures.to_string(),
            one.state.error.as_deref().map(show::written).unwrap_or_default(),
        ]);
    }
    let off: Vec<&str> = all.iter().filter(|one| !one.is_on).map(|one| one.channel.code()).collect();
    if off.len() < all.len() {
        println!("{table}");
    }
    if !off.is_empty() {
        println!("not set up: {} (docs/ADMIN.md, \"Notices\")", off.join(", "));
    }
    for (one, sent) in all.iter().flat_map(|one| one.told.iter().map(move |sent| (one, sent))) {
        let at = sent.notified_at.map_or_else(|| "not yet".to_owned(), show::time);
        println!("{} sent {at}: {}", one.channel, show::written(&sent.says));
    }
    Ok(())
}

async fn test(desk: &Desk, who: &Who, name: Option<&str>) -> Result<(), Failure> {
    let wanted: Vec<Channel> = match name {
        Some(name) => {
            let list = Channel::ALL.iter().map(|one| one.code()).collect::<Vec<_>>().join(", ");
            vec![Channel::parse(name).ok_or_else(|| anyhow::anyhow!("no channel `{name}`: choose one of {list}"))?]
        }
        None => Channel::ALL.iter().copied().filter(|one| one.is_on(&desk.config.notify)).collect(),
    };
    if wanted.is_empty() {
        return Err(anyhow::anyhow!("no channel is set up: see [notify] in `hookbridge config --defaults`").into());
    }
    let pen = Pen::of(&desk.config);
    let mut failed = Vec::new();
    for channel in wanted {
        match notify::test(desk, who, channel, &pen).await {
            Ok(None) => println!("{channel}: sent"),
            Ok(Some(number)) => println!("{channel}: queued for number `{number}`; the running service sends it"),
            Err(AdminError::Conflict(why)) => failed.push(format!("{channel}: {}", super::desk::plain(&why))),
            Err(error) => return Err(error.into()),
        }
    }
    if failed.is_empty() { Ok(()) } else { Err(anyhow::anyhow!(failed.join("\n")).into()) }
}

async fn text(desk: &Desk, who: &Who, submit: bool) -> Result<(), Failure> {
    let locale = desk.config.notify.locale();
    if submit {
        println!("{NAME} ({locale}): {}", submit_text(desk, who, locale).await?);
        return Ok(());
    }
    show::json(&creation_json(&notice_definition(locale)));
    match text_at_provider(desk, locale).await {
        Ok(Some(state)) => eprintln!("at the provider: {state}"),
        Ok(None) => eprintln!("not at the provider yet: `hookbridge notify text --submit` makes it there"),
        Err(error) => eprintln!("whether the provider has it is not known: {error}"),
    }
    Ok(())
}
