//! Owns: what people see of retention: how long each kind of history is kept, by which setting, and how it stands.

use jiff::SignedDuration;

use super::{AdminError, Desk};
use crate::domain::admin::{Role, Who};
use crate::retention::Keep;
use crate::store::prune::{Kind, Standing, rows, standing};

/// One kind of history.
#[derive(Clone, Debug)]
pub struct Kept {
    pub kind: Kind,
    /// The key of the configuration; `None`: it follows from something else.
    pub setting: Option<&'static str>,
    /// `None`: for ever.
    pub kept: Option<SignedDuration>,
    /// As the server estimates.
    pub rows: u64,
    pub standing: Standing,
}

/// Every kind.
///
/// # Errors
/// The role; the database.
pub async fn all(desk: &Desk, who: &Who) -> Result<Vec<Kept>, AdminError> {
    desk.require(who, Role::Viewer)?;
    let age_max = SignedDuration::from_hours(desk.config.alerts.event_age_max_h.into());
    let keep = Keep::new(&desk.config.retention, age_max);
    let counted = rows(&desk.store).await?;
    let mut all = Vec::with_capacity(Kind::ALL.len());
    for kind in Kind::ALL {
        all.push(Kept {
            kind,
            setting: Keep::key(kind),
            kept: keep.of(kind),
            rows: counted.get(&kind).copied().unwrap_or(0),
            standing: standing(&desk.store, kind, keep.before(kind, desk.now())).await?,
        });
    }
    Ok(all)
}
