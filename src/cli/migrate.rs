//! `hookbridge migrate`

use crate::app::open_store;
use crate::clock::Clock;
use crate::config::Config;
use crate::store::migrate;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only say what would be applied
    #[arg(long)]
    pub(super) check: bool,
}

pub async fn run(args: Args, config: &Config) -> anyhow::Result<()> {
    let store = open_store(config)?;
    let (names, word) = if args.check {
        (migrate::pending(&store).await?, "would apply")
    } else {
        (migrate::run(&store, Clock::system().now()).await?, "applied")
    };
    if names.is_empty() {
        println!("the schema is up to date");
    }
    for name in names {
        println!("{word} {name}");
    }
    store.database().clone().close().await;
    Ok(())
}
