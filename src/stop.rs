//! Owns: telling everybody that the service is to stop: finish what is in flight, take nothing new.

use tokio::sync::watch;

/// Held by whoever decides. Dropping it stops, too.
#[derive(Debug)]
pub struct Stopper(watch::Sender<bool>);

/// Held by whoever works.
#[derive(Clone, Debug)]
pub struct Stop(watch::Receiver<bool>);

/// A pair of both.
#[must_use]
pub fn pair() -> (Stopper, Stop) {
    let (sender, receiver) = watch::channel(false);
    (Stopper(sender), Stop(receiver))
}

impl Stopper {
    pub fn stop(&self) {
        let _ = self.0.send(true);
    }
}

impl Stop {
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        *self.0.borrow()
    }

    /// Returns when it is time to stop.
    pub async fn stopped(&mut self) {
        // An error means that the stopper was dropped, which is a stop as well.
        let _ = self.0.wait_for(|stopped| *stopped).await;
    }
}
