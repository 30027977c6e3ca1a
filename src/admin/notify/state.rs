//! Owns: how the channels stand, for people, and trying one.

use uuid::Uuid;

use super::tell::send;
use super::{Matter, Writer, staff};
use crate::admin::overview::state;
use crate::admin::{AdminError, Desk};
use crate::domain::admin::{Role, Who};
use crate::domain::notice::Notice;
use crate::notify::{Channel, Failure};
use crate::store::notice::{self, ChannelState};

/// How a channel stands.
#[derive(Clone, Debug)]
pub struct Standing {
    pub channel: Channel,
    pub is_on: bool,
    /// Who is reached: addresses as they are, phones masked, of a webhook its shape.
    pub to: Vec<String>,
    pub state: ChannelState,
    /// What it knows of needs.
    pub told: Vec<Notice>,
    /// The number that would carry a notice now; only by WhatsApp.
    pub number: Option<String>,
}

/// All channels.
///
/// # Errors
/// The role, or the database.
pub async fn all(desk: &Desk, who: &Who) -> Result<Vec<Standing>, AdminError> {
    desk.require(who, Role::Viewer)?;
    let config = &desk.config.notify;
    let states = notice::channels(&desk.store).await?;
    let mut all = Vec::new();
    for channel in Channel::ALL.iter().copied() {
        let is_on = channel.is_on(config);
        let number = if channel == Channel::WhatsApp && is_on {
            let view = desk.view();
            let overview = state(&view).await?;
            staff::number(&view, &overview).map(str::to_owned)
        } else {
            None
        };
        let known = states.iter().find(|one| one.channel == channel.code()).cloned();
        all.push(Standing {
            channel,
            is_on,
            to: to(desk, channel),
            state: known.unwrap_or_default(),
            told: notice::of(&desk.store, channel.code()).await?,
            number,
        });
    }
    Ok(all)
}

fn to(desk: &Desk, channel: Channel) -> Vec<String> {
    let config = &desk.config.notify;
    match channel {
        Channel::Email => config.email.to.clone(),
        Channel::Webhook if channel.is_on(config) => vec![config.webhook.shape.clone()],
        Channel::Webhook => Vec::new(),
        Channel::WhatsApp => {
            let phones = config.whatsapp.to.iter();
            phones.filter_map(|one| Some(crate::domain::phone::E164::trusted(one)?.masked())).collect()
        }
    }
}

/// Sends a notice by `channel` that says that it is a test. Returns the number that carries it, by WhatsApp.
///
/// # Errors
/// The role; the channel is off; the notice did not go out (a conflict that says why); the database.
pub async fn test(desk: &Desk, who: &Who, channel: Channel, writer: &dyn Writer) -> Result<Option<String>, AdminError> {
    desk.require(who, Role::Operator)?;
    if !channel.is_on(&desk.config.notify) {
        return Err(AdminError::Conflict("notices.is_off".to_owned()));
    }
    desk.note(who, "notice.test", channel.code(), None).await?;
    let letter = writer.letter(Uuid::now_v7(), desk.now(), &Matter::Test { by: &who.name });
    let view = desk.view();
    let (result, number) = if channel == Channel::WhatsApp {
        let overview = state(&view).await?;
        let number = staff::number(&view, &overview).map(str::to_owned);
        (staff::queue(&view, &letter, &overview).await?, number)
    } else {
        (send(&desk.config.notify, channel, &letter).await, None)
    };
    result.map_err(|Failure { detail, .. }| AdminError::Conflict(detail))?;
    Ok(number)
}

/// The channel of that name.
///
/// # Errors
/// There is none.
pub fn channel_named(name: &str) -> Result<Channel, AdminError> {
    Channel::parse(name).ok_or(AdminError::NotFound("channel"))
}
