//! Owns: reading bodies, with a limit on each: how large, how slow, and how much memory all large ones hold together.

use std::pin::pin;
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use futures_util::{Stream, StreamExt};
use tokio::sync::{Semaphore, SemaphorePermit};

/// A body up to this size is always read, in bytes: the number of connections bounds what they hold together.
const SMALL_BYTES: usize = 65_536;
/// What all larger bodies may hold beyond that, in KiB. Few clients could else fill the memory with webhooks that they
/// need not even sign, since a signature is checked over the whole.
const LARGE_KIB_MAX: usize = 65_536;

/// For the whole process, as its memory is.
static LARGE: Semaphore = Semaphore::const_new(LARGE_KIB_MAX);

/// Why a body was not read.
#[derive(Clone, Copy, Debug, thiserror::Error, PartialEq, Eq)]
pub enum BodyError {
    #[error("the body is larger than allowed")]
    TooLarge,
    #[error("the body did not arrive in time")]
    Timeout,
    #[error("the connection broke while the body was read")]
    Broken,
    #[error("too many large bodies are being read")]
    Crowded,
}

/// Reads a whole body of at most `bytes_max` bytes within `timeout`, whether or not it announces its length.
/// warp's own limit only looks at `content-length`, which a chunked body does not have.
///
/// # Errors
/// [`BodyError`]. What was read is thrown away.
pub async fn read_body<B: Buf, E>(
    stream: impl Stream<Item = Result<B, E>>,
    content_length: Option<u64>,
    bytes_max: usize,
    timeout: Duration,
) -> Result<Bytes, BodyError> {
    let announced = content_length.unwrap_or(0);
    if announced > bytes_max as u64 {
        return Err(BodyError::TooLarge);
    }
    let gather = async {
        let mut stream = pin!(stream);
        let announced = usize::try_from(announced).unwrap_or(0);
        let mut whole = BytesMut::with_capacity(announced.min(SMALL_BYTES));
        let mut held = None;
        while let Some(chunk) = stream.next().await {
            let mut chunk = chunk.map_err(|_| BodyError::Broken)?;
            if chunk.remaining() > bytes_max - whole.len() {
                return Err(BodyError::TooLarge);
            }
            hold(&mut held, whole.len(), chunk.remaining())?;
            while chunk.has_remaining() {
                let part = chunk.chunk();
                whole.extend_from_slice(part);
                let read = part.len();
                chunk.advance(read);
            }
        }
        let whole = whole.freeze();
        Ok(match held {
            None => whole,
            Some(held) => Bytes::from_owner(Held { whole, _held: held }),
        })
    };
    tokio::time::timeout(timeout, gather).await.unwrap_or(Err(BodyError::Timeout))
}

/// Takes what a chunk needs beyond a small body out of what is there for all.
fn hold(held: &mut Option<SemaphorePermit<'static>>, read: usize, more: usize) -> Result<(), BodyError> {
    let kib = |bytes: usize| bytes.saturating_sub(SMALL_BYTES).div_ceil(1024);
    let needed = u32::try_from(kib(read + more) - kib(read)).unwrap_or(u32::MAX);
    if needed == 0 {
        return Ok(());
    }
    let permit = LARGE.try_acquire_many(needed).map_err(|_| BodyError::Crowded)?;
    match held {
        None => *held = Some(permit),
        Some(held) => held.merge(permit),
    }
    Ok(())
}

/// Gives back what it held when the last reader of the body is done.
struct Held {
    whole: Bytes,
    _held: SemaphorePermit<'static>,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.whole
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use futures_util::stream;

    use super::*;

    #[tokio::test]
    async fn a_body_that_never_ends_times_out_and_an_announced_giant_is_not_read() {
        let slow = stream::pending::<Result<Bytes, Infallible>>();
        let error = read_body(slow, None, 8, Duration::from_millis(10)).await.unwrap_err();
        assert_eq!(error, BodyError::Timeout);
        let unread = stream::pending::<Result<Bytes, Infallible>>();
        let error = read_body(unread, Some(9), 8, Duration::from_mins(1)).await.unwrap_err();
        assert_eq!(error, BodyError::TooLarge);
        let broken = stream::iter([Ok(Bytes::from_static(b"ab")), Err(())]);
        assert_eq!(read_body(broken, None, 8, Duration::from_secs(1)).await.unwrap_err(), BodyError::Broken);
    }

    #[tokio::test]
    async fn large_bodies_share_a_bound_and_give_it_back() {
        const MIB: usize = 1 << 20;
        let body = |chunks: usize| stream::iter((0..chunks).map(|_| Ok::<_, Infallible>(Bytes::from(vec![0; MIB]))));
        let read = |chunks| read_body(body(chunks), None, 100 * MIB, Duration::from_secs(5));
        let first = read(40).await.unwrap();
        assert_eq!(first.len(), 40 * MIB);
        assert_eq!(read(40).await.unwrap_err(), BodyError::Crowded);
        assert_eq!(
            read_body(
                stream::iter([Ok::<_, Infallible>(Bytes::from_static(b"small"))]),
                None,
                9,
                Duration::from_secs(5)
            )
            .await
            .unwrap(),
            "small"
        );
        drop(first);
        assert_eq!(read(40).await.unwrap().len(), 40 * MIB);
    }
}
