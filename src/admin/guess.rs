//! Owns: how slowly somebody may guess: passwords, codes of the second factor, recovery codes, at the log-in and inside a session.
//! Three counters stand before each try. One of the account and the address (a browser that was in before has its own instead, so
//! that strangers cannot keep it out: OWASP's device cookies); one of the account from everywhere; one of the address for all
//! accounts. A try is counted before it is looked at, and given back if it was right.

use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;
use tokio::sync::Semaphore;

use super::login::Visitor;
use super::{AdminError, Desk};
use crate::domain::admin::name_key;
use crate::signature::{hex, sha256};
use crate::store::Tx;
use crate::store::throttle::{self, Past};

/// Wrong tries of one account from one address, or in one browser, before it must wait.
const FREE: u32 = 5;
/// Wrong tries from one address before it must wait: an office has many people.
const FREE_ADDRESS: u32 = 20;
/// Wrong passwords of one account from all addresses together before all but known browsers must wait.
const FREE_ACCOUNT: u32 = 20;
/// The same of codes: whoever types one knows the password.
const FREE_CODES: u32 = 10;
/// The wait doubles from a second up to this.
const WAIT_MAX: SignedDuration = SignedDuration::from_mins(15);
/// Strangers who guess passwords keep no one out for longer than this.
const WAIT_MAX_ACCOUNT: SignedDuration = SignedDuration::from_mins(1);
/// Failures older than this are forgotten.
pub const FORGOTTEN: SignedDuration = SignedDuration::from_hours(24);

/// Counting takes a connection, and waits for locks when many try at once: a flood of log-ins must not take all connections.
static AT_ONCE: Semaphore = Semaphore::const_new(2);

/// Whose secret is guessed.
#[derive(Clone, Copy, Debug)]
pub enum Whose<'a> {
    Account(u64),
    /// Nobody has this name: it is counted all the same, so that nobody learns which names there are.
    Nobody(&'a str),
}

/// What is guessed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Secret {
    /// A password, by somebody who is not in.
    Password,
    /// A code, or anything by somebody who knows the password or holds a session.
    Code,
}

/// One try that was counted.
#[derive(Debug)]
pub struct Try {
    past: Vec<Past>,
    address: String,
    at: Timestamp,
}

/// It is too early for another try.
#[derive(Debug, thiserror::Error)]
pub enum GuessError {
    #[error("too many wrong tries: wait {0} s")]
    Wait(i64),
    #[error(transparent)]
    Admin(#[from] AdminError),
}

impl From<crate::store::StoreError> for GuessError {
    fn from(error: crate::store::StoreError) -> Self {
        Self::Admin(error.into())
    }
}

/// Counts a try before it is made.
///
/// # Errors
/// It must wait; the database.
pub async fn begin(desk: &Desk, whose: Whose<'_>, secret: Secret, visitor: &Visitor) -> Result<Try, GuessError> {
    let now = desk.now();
    let subject = subject(whose);
    let address = format!("address:{}", short(&network(&visitor.address)));
    let mut subjects = match (whose, &visitor.device) {
        (Whose::Account(id), Some(cookie)) if known_device(desk, id, cookie).is_some() => {
            let device = known_device(desk, id, cookie).unwrap_or_default();
            vec![address.clone(), format!("{subject}@device-{}", short(&device))]
        }
        _ => vec![address.clone(), format!("{subject}@{}", short(&network(&visitor.address))), subject.clone()],
    };
    subjects.sort();
    let wait = |past: &Past| {
        let (free, most) = if past.subject == address {
            (FREE_ADDRESS, WAIT_MAX)
        } else if past.subject != subject {
            (FREE, WAIT_MAX)
        } else if secret == Secret::Password {
            (FREE_ACCOUNT, WAIT_MAX_ACCOUNT)
        } else {
            (FREE_CODES, WAIT_MAX)
        };
        left(past, free, most, now)
    };
    let turn = AT_ONCE.acquire().await.map_err(|e| AdminError::Internal(e.to_string()))?;
    let taken = throttle::take(&desk.store, &subjects, now, now - FORGOTTEN, wait).await?;
    drop(turn);
    match taken {
        Ok(past) => Ok(Try { past, address, at: now }),
        Err(left) => Err(GuessError::Wait(left.as_secs() + 1)),
    }
}

/// How much longer a counter must wait.
fn left(past: &Past, free: u32, most: SignedDuration, now: Timestamp) -> Option<SignedDuration> {
    let over = past.failures.checked_sub(free)?;
    let wait = SignedDuration::from_secs(1_i64 << over.min(10)).min(most);
    Some(wait - now.duration_since(past.last_at)).filter(SignedDuration::is_positive)
}

impl Try {
    /// It was right: the account begins anew. The address only gets this one back, or a thief with an account of their own
    /// could guess on for ever.
    ///
    /// # Errors
    /// The database.
    pub async fn right(self, desk: &Desk) -> Result<(), AdminError> {
        for past in &self.past {
            if past.subject == self.address {
                throttle::give_back(&desk.store, past, self.at).await?;
            } else {
                throttle::forget(&desk.store, &past.subject).await?;
            }
        }
        Ok(())
    }

    /// It does not count, and what was before still does: it was right with another secret to come, or nobody could look.
    ///
    /// # Errors
    /// The database.
    pub async fn void(self, desk: &Desk) -> Result<(), AdminError> {
        for past in &self.past {
            throttle::give_back(&desk.store, past, self.at).await?;
        }
        Ok(())
    }
}

/// Forgets all wrong tries of an account.
///
/// # Errors
/// The database.
pub async fn unlock(tx: &mut Tx, account: u64) -> Result<(), AdminError> {
    Ok(throttle::forget_all(tx, &subject(Whose::Account(account))).await?)
}

fn subject(whose: Whose<'_>) -> String {
    match whose {
        Whose::Account(id) => format!("account:{id}"),
        Whose::Nobody(name) => format!("name:{}", short(&name_key(name))),
    }
}

/// Enough of a hash that nobody finds another text with it, and that it fits the column.
fn short(text: &str) -> String {
    hex(&sha256(text.as_bytes())[..16])
}

/// The network that somebody has to themselves: an IPv4 address; of IPv6 the first 64 bits, since the rest is theirs to choose.
fn network(address: &str) -> String {
    match address.parse::<IpAddr>().map(|ip| ip.to_canonical()) {
        Ok(IpAddr::V6(ip)) => format!("{:?}", &ip.segments()[..4]),
        Ok(IpAddr::V4(ip)) => ip.to_string(),
        Err(_) => address.to_owned(),
    }
}

/// What a browser keeps after somebody got in, to be known again.
///
/// # Errors
/// No randomness.
pub(super) fn device(desk: &Desk, account: u64) -> Result<SecretString, AdminError> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).map_err(|e| AdminError::Internal(e.to_string()))?;
    let device = format!("{account}.{}", hex(&bytes));
    Ok(format!("{device}.{}", signed(desk, &device)).into())
}

/// The device of a cookie, if we made it for this account.
fn known_device(desk: &Desk, account: u64, cookie: &SecretString) -> Option<String> {
    let (device, word) = cookie.expose_secret().rsplit_once('.')?;
    let ours = bool::from(signed(desk, device).as_bytes().ct_eq(word.as_bytes()));
    let whose = device.split_once('.')?.0.parse::<u64>().ok()?;
    (ours && whose == account).then(|| device.to_owned())
}

/// A cookie's value holds no comma: the signer's is `v1,…`.
fn signed(desk: &Desk, device: &str) -> String {
    hex(&sha256(desk.sealer.word("device", device).as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_network_is_one_subject() {
        assert_eq!(network("2001:db8:1:2::1"), network("2001:db8:1:2:ffff::9"));
        assert_ne!(network("2001:db8:1:2::1"), network("2001:db8:1:3::1"));
        assert_eq!(network("::ffff:192.0.2.1"), network("192.0.2.1"));
        assert_ne!(network("192.0.2.1"), network("192.0.2.2"));
    }

    #[test]
    fn a_wait_doubles_up_to_its_most() {
        let now: Timestamp = "2026-12-01T00:00:00Z".parse().expect("a time");
        let wait = |failures| {
            let past = Past { subject: String::new(), failures, last_at: now };
            left(&past, FREE, WAIT_MAX, now).map(|wait| wait.as_secs())
        };
        assert_eq!([wait(4), wait(5), wait(6), wait(10), wait(99)], [None, Some(1), Some(2), Some(32), Some(900)]);
    }
}
