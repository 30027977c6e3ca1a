//! Owns: what operators do about one event.

mod process_again;

pub use process_again::ProcessAgain;

const AREA: &str = "events";
