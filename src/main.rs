//! The `hookbridge` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    hookbridge::cli::run()
}
