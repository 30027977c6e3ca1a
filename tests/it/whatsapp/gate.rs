//! The last look before a request leaves: what leaves is exactly what it let pass.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use hookbridge::domain::outcome::Outcome;
use hookbridge::whatsapp::Gate;

use super::provider::{Act, Provider, accepted, hello};

const TIMES: usize = 1_000;

/// Keeps the processors busy until dropped.
struct Load(Arc<AtomicBool>);

impl Load {
    fn start(threads: usize) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        for _ in 0..threads {
            let over = over.clone();
            std::thread::spawn(move || {
                while !over.load(Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
            });
        }
        Self(over)
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_leaves_is_exactly_what_the_last_look_let_pass_a_thousand_times_under_load() {
    let provider = Provider::always(|| Act::Answer(200, "", accepted("wamid.A"))).await;
    let gateway = provider.gateway();
    let _load = Load::start(2);
    let (mut passed, mut stopped) = (0, 0);
    for n in 0..TIMES {
        // The lease ends on another thread, at a moment of chance: before, during or after the attempt.
        let (lease, looks) = (Arc::new(AtomicBool::new(n % 10 != 0)), Arc::new(AtomicUsize::new(0)));
        let (ends, seen) = (lease.clone(), looks.clone());
        let ender = std::thread::spawn(move || {
            for _ in 0..(n * 7_919) % 60_000 {
                std::hint::spin_loop();
            }
            ends.store(false, Ordering::SeqCst);
        });
        let gate = Gate::new(move || {
            seen.fetch_add(1, Ordering::SeqCst);
            lease.load(Ordering::SeqCst)
        });
        match gateway.send(&hello(), gate).await {
            None => stopped += 1,
            Some(Outcome::Accepted { .. }) => passed += 1,
            Some(other) => panic!("{other:?}"),
        }
        ender.join().expect("no panic");
        assert_eq!(looks.load(Ordering::SeqCst), 1, "the body that leaves looks, once");
        assert_eq!(provider.requests().len(), passed, "left, and what the look let pass");
    }
    assert!(stopped >= TIMES / 10 && passed + stopped == TIMES, "{passed} left, {stopped} were stopped");
}
