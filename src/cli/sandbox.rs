//! `hookbridge sandbox`: only the stand-in provider.

use std::net::SocketAddr;

use crate::clock::Clock;
use crate::demo::stage::{Secrets, provider};
use crate::sandbox::SandboxConfig;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Where to listen; keep it on loopback, its control paths ask for no password
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Where receipts are posted, e.g. `http://127.0.0.1:8466/v1/receipts/main`
    #[arg(long)]
    callback_url: Option<String>,
}

pub async fn run(args: Args) -> anyhow::Result<()> {
    let secrets = Secrets::new()?;
    let mut config = SandboxConfig::new(Clock::system());
    config.listen = args.listen;
    config.callback_url = args.callback_url;
    let (number, waba) = (config.phone_numbers[0].id.clone(), config.waba_id.clone());
    let sandbox = provider(config, &secrets).await?;
    println!("stand-in provider and its phones: {}", sandbox.url());
    println!("settings of a sender that uses it (good for this run only):");
    println!("  base_url = \"{}\"\n  phone_number_id = \"{number}\"\n  waba_id = \"{waba}\"", sandbox.url());
    println!("  token = \"{}\"\n  app_secret = \"{}\"", secrets.token, secrets.app_secret);
    println!("  verify_token = \"{}\"", secrets.verify_token);
    println!("Ctrl-C ends it.");
    tokio::signal::ctrl_c().await?;
    sandbox.stop().await;
    Ok(())
}
