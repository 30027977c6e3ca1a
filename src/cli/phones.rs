//! `hookbridge phones`

use std::io::{BufRead as _, Write as _};

use serde_json::json;

use super::desk::{Failure, at_the_desk};
use super::show;
use crate::admin::number::{given_up, note, unmark};
use crate::config::Config;
use crate::domain::phone::{Explained, Tried, Written, explain};
use crate::http::api::phones::{explained_json, given_json};

#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// How a text is read as a number: each reading that was tried, why this one, what WhatsApp would be sent
    Read {
        /// As it stands at the platform, e.g. '+54.11 2345-6789'
        #[arg(required_unless_present = "lines", conflicts_with = "lines")]
        text: Option<String>,
        /// The client's country, ISO 3166 alpha-2
        #[arg(long, default_value = "")]
        country: String,
        /// The company's country; as configured (`billing.default_country`) if left out
        #[arg(long)]
        company: Option<String>,
        /// Reads lines `COUNTRY<tab>TEXT` from stdin and writes a JSON object for each
        #[arg(long)]
        lines: bool,
        #[arg(long)]
        json: bool,
    },
    /// Numbers that clients gave up, as the provider reported: nothing is sent to them
    Moved {
        #[arg(long)]
        json: bool,
    },
    /// Take note of a number that was given up: it stays marked and needs nobody any more
    Noted { phone: String },
    /// The number belongs to a client again: write to it
    Unmark {
        phone: String,
        /// How you know; it is kept with your name
        #[arg(long)]
        why: String,
    },
}

pub async fn run(command: Command, config: anyhow::Result<Config>) -> anyhow::Result<()> {
    match command {
        Command::Read { text, country, company, lines, json } => {
            // A text can be read before anything is set up.
            let config =
                config.inspect_err(|_| eprintln!("no usable configuration: read with the default policy")).ok();
            let policy = config.as_ref().map(|config| config.alerts.phone_policy()).unwrap_or_default();
            let configured =
                || config.as_ref().map(|config| config.billing.default_country.clone()).unwrap_or_default();
            let company = company.unwrap_or_else(configured);
            let read = |text: &str, country: &str| explain(text, country, &company, &policy);
            if lines {
                return read_lines(&company, read);
            }
            let explained = read(&text.unwrap_or_default(), &country);
            if json {
                show::json(&explained_json(&explained, &country, &company));
            } else {
                print(&explained);
            }
            Ok(())
        }
        Command::Moved { json } => {
            at_the_desk(&config?, async |desk, who| {
                let all = given_up(desk, who).await?;
                if json {
                    show::json(&json!({ "items": all.iter().map(|one| given_json(one, true)).collect::<Vec<_>>() }));
                    return Ok(());
                }
                let mut table = show::table(&["old number", "new number", "since", "noted", "clients"]);
                for one in &all {
                    table.add_row(vec![
                        one.moved.from.as_str().to_owned(),
                        one.moved.to.as_ref().map(|to| to.as_str().to_owned()).unwrap_or_default(),
                        show::time(one.moved.at),
                        if one.moved.noted { "yes" } else { "no" }.to_owned(),
                        one.clients.iter().map(u64::to_string).collect::<Vec<_>>().join(", "),
                    ]);
                }
                println!("{table}");
                Ok(())
            })
            .await
        }
        Command::Noted { phone } => {
            at_the_desk(&config?, async |desk, who| Ok::<_, Failure>(note(desk, who, &phone).await?)).await
        }
        Command::Unmark { phone, why } => {
            at_the_desk(&config?, async |desk, who| Ok::<_, Failure>(unmark(desk, who, &phone, &why).await?)).await
        }
    }
}

fn read_lines(company: &str, read: impl Fn(&str, &str) -> Explained) -> anyhow::Result<()> {
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for (number, line) in std::io::stdin().lock().lines().enumerate() {
        let line = line?;
        let (country, text) = line
            .split_once('\t')
            .ok_or_else(|| anyhow::anyhow!("line {}: no tab between country and text", number + 1))?;
        writeln!(out, "{}", explained_json(&read(text, country), country, company))?;
    }
    Ok(out.flush()?)
}

fn print(one: &Explained) {
    let mut table = show::table(&["written", "read as", "country", "number", "kind", ""]);
    for number in &one.numbers {
        for tried in &number.tried {
            table.add_row(row(number, tried));
        }
        if let Some(flaw) = number.flaw {
            table.add_row(vec![number.digits.clone(), String::new(), String::new(), String::new(), flaw.to_string()]);
        }
    }
    println!("{table}");
    match &one.result {
        Ok(phone) => {
            println!("WhatsApp is sent: {}", phone.e164.as_str());
            match phone.assumed() {
                None => println!("Certain: no other reading is a valid mobile."),
                Some(guess) => println!("Assumed: {}.", guess.text()),
            }
        }
        Err(error) => println!("Nothing is sent ({}): {error}.", error.reason()),
    }
}

fn row(number: &Written, tried: &Tried) -> Vec<String> {
    let (found, kind) = match &tried.number {
        Ok(found) => (found.as_str().to_owned(), if tried.mobile { "mobile" } else { "other" }.to_owned()),
        Err(error) => (String::new(), error.to_string()),
    };
    let mark = if tried.chosen && number.chosen { "<- taken" } else { "" };
    vec![
        number.digits.clone(),
        tried.how.text().to_owned(),
        tried.country.clone().unwrap_or_default(),
        found,
        kind,
        mark.to_owned(),
    ]
}
