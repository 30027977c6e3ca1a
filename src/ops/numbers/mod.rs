//! Owns: the operations on sending numbers: how each stands, pausing and resuming, its pace.

mod list;
mod pause;
mod resume;
mod set_pace;

pub use list::{ListNumbers, Numbers};
pub use pause::{PAUSE_MAX_MIN, PauseNumber, Paused};
pub use resume::ResumeNumber;
pub use set_pace::{Pace, SetPace};

use crate::admin::{AdminError, Desk};

const AREA: &str = "numbers";

/// The configured pace of a number that exists, in messages per second.
fn known(desk: &Desk, name: &str) -> Result<u32, AdminError> {
    desk.config.senders.get(name).map(|sender| sender.rate_per_s).ok_or(AdminError::NotFound("number"))
}

/// A number as the audit log calls it.
fn target(name: &str) -> String {
    format!("lane:{name}")
}
