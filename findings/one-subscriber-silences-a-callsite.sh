#!/usr/bin/env bash
# tracing-core 0.1.36: while a process has one subscriber, set for a thread, a log line that another thread reaches first is off
# for good: also for the subscriber, in its own thread. With a second subscriber alive, whoever it listens to, the line arrives.
# Hurts: tests that run side by side and look for log lines, each with a subscriber of its own thread. They fail by chance.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
mkdir src
cat > Cargo.toml <<'T'
[package]
name = "finding"
version = "0.0.0"
edition = "2021"
[dependencies]
tracing = { version = "=0.1.44", default-features = false, features = ["std"] }
tracing-core = "=0.1.36"
T
cat > src/main.rs <<'T'
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;
use tracing::span::{Attributes, Id, Record};
use tracing::{Dispatch, Event, Metadata, Subscriber};

struct Counts(Arc<AtomicUsize>);

impl Subscriber for Counts {
    fn enabled(&self, _: &Metadata<'_>) -> bool { true }
    fn new_span(&self, _: &Attributes<'_>) -> Id { Id::from_u64(1) }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, _: &Event<'_>) { self.0.fetch_add(1, Ordering::SeqCst); }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

fn line() { tracing::info!("a line"); }

fn main() {
    let second = std::env::args().nth(1).map(|_| Dispatch::new(Counts(Arc::default())));
    let seen = Arc::new(AtomicUsize::new(0));
    let dispatch = Dispatch::new(Counts(seen.clone()));
    // Another thread, without a subscriber, reaches the line first.
    std::thread::spawn(line).join().unwrap();
    tracing::dispatcher::with_default(&dispatch, || (0..3).for_each(|_| line()));
    drop(second);
    println!("{}", seen.load(Ordering::SeqCst));
}
T
cargo build --quiet 2>&1
one=$(target/debug/finding) two=$(target/debug/finding second)
echo "tracing-core 0.1.36, three lines in the subscriber's thread after one in another: seen $one with one subscriber, $two with two"
[ "$one" = 0 ] && [ "$two" = 3 ]
