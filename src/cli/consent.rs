//! `hookbridge consent`

use serde_json::json;

use super::desk::{Failure, at_the_desk};
use super::show;
use crate::admin::Desk;
use crate::admin::consent::{Standing, of_client, of_phone, set};
use crate::config::Config;
use crate::domain::admin::Who;
use crate::http::api::privacy::standing_json;

#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Whether a number, or a client and the client's contacts, may be written to
    Show {
        /// The number, as people write it
        #[arg(required_unless_present = "client", conflicts_with = "client")]
        phone: Option<String>,
        /// The numbers of this client and the client's contacts
        #[arg(long)]
        client: Option<u64>,
        #[arg(long)]
        json: bool,
    },
    /// Note that somebody wants no alerts any more (out), or wants them again (in)
    Set {
        phone: String,
        word: Wish,
        /// How the client asked for it; it is kept with your name
        #[arg(long)]
        why: String,
        #[arg(long)]
        json: bool,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Wish {
    Out,
    In,
}

pub async fn run(command: Command, config: &Config) -> anyhow::Result<()> {
    at_the_desk(config, async |desk, who| act(command, desk, who).await).await
}

async fn act(command: Command, desk: &Desk, who: &Who) -> Result<(), Failure> {
    let (found, as_json) = match command {
        Command::Show { phone: Some(phone), json, .. } => (vec![of_phone(desk, who, &phone).await?], json),
        Command::Show { client, json, .. } => (of_client(desk, who, client.unwrap_or_default()).await?, json),
        Command::Set { phone, word, why, json } => (vec![set(desk, who, &phone, word == Wish::Out, &why).await?], json),
    };
    if as_json {
        show::json(&json!({ "items": found.iter().map(|one| standing_json(one, true)).collect::<Vec<_>>() }));
    } else {
        print(&found);
    }
    Ok(())
}

fn print(found: &[Standing]) {
    let mut table = show::table(&["number", "of", "may be written to", "since", "how it is known"]);
    for one in found {
        let phone = match &one.phone {
            Ok(phone) => phone.as_str().to_owned(),
            Err(reason) => reason.code().to_owned(),
        };
        table.add_row(vec![
            phone,
            one.contact.map(|contact| format!("contact {contact}")).unwrap_or_default(),
            match (one.may_be_written_to(), one.refused.as_slice()) {
                (false, _) => "no".to_owned(),
                (true, []) => "yes".to_owned(),
                (true, refused) => {
                    let refused: Vec<&str> = refused.iter().map(|class| class.code()).collect();
                    format!("yes, but {}", refused.join(" and "))
                }
            },
            one.word().map(|word| show::time(word.said.at)).unwrap_or_default(),
            one.word().map(|word| word.evidence.clone()).unwrap_or_default(),
        ]);
    }
    println!("{table}");
}
