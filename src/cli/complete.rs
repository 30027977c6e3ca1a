//! `hookbridge complete`: completions for shells, and manual pages, both out of the same description of the command line.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::CommandFactory as _;
use clap_complete::Shell;

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
pub struct Args {
    /// Print completions for this shell
    #[arg(value_enum)]
    shell: Option<Shell>,
    /// Write a manual page for each command into this folder
    #[arg(long, value_name = "FOLDER")]
    man: Option<PathBuf>,
}

pub fn run(args: &Args) -> anyhow::Result<()> {
    let mut command = super::Cli::command();
    if let Some(shell) = args.shell {
        clap_complete::generate(shell, &mut command, "hookbridge", &mut std::io::stdout());
    }
    if let Some(folder) = &args.man {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        clap_mangen::generate_to(command, folder)
            .with_context(|| format!("cannot write manual pages into {}", folder.display()))?;
    }
    Ok(())
}
