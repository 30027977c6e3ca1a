//! Several instances on one database, as real processes: they share the work, one of them sends, and whatever becomes of it
//! the limits hold, nothing is lost and nothing goes out twice.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use hookbridge::app::open_store;
use hookbridge::clock::Clock;
use hookbridge::config::load;
use hookbridge::demo::data::Size;
use hookbridge::demo::stage::variables;
use hookbridge::domain::ids::MessageId;
use hookbridge::domain::reason::Reason;
use hookbridge::store::unknown;
use mysql_async::prelude::Queryable as _;

use crate::support::database::{TestDb, connect};
use crate::support::fleet::{Fleet, Instance};
use crate::support::poll::until;

/// What the tests need to be quick: a short lease, small batches, and a policy for what was never sent. And headroom: a test
/// machine may keep a packet for a tenth of a second.
pub const QUICK: [(&str, &str); 8] = [
    ("SENDERS__MAIN__RATE_HEADROOM_PERCENT", "10"),
    ("DISPATCH__LEASE_MS", "2000"),
    ("DISPATCH__UNKNOWN_WAIT_S", "6"),
    ("DISPATCH__UNKNOWN_STATUS", "send_again"),
    ("DISPATCH__UNKNOWN_NOTICE", "send_again"),
    ("PROCESS__BATCH", "10"),
    ("PROCESS__LEASE_MS", "4000"),
    ("SENDERS__MAIN__RECIPIENTS_PER_DAY", "0"),
];

/// A billing database full of invoices that are owed, and an empty schema of ours.
pub struct Ground {
    pub db: TestDb,
    pub invoices: Vec<u64>,
}

impl Ground {
    pub async fn new(events: usize) -> Self {
        let db = TestDb::with_sample(Size::DEMO, Clock::system().now()).await;
        let mut platform = db.platform().await;
        platform
            .query_drop(
                "UPDATE tblinvoices SET status = 'Unpaid', credit = 0, total = subtotal + tax + tax2 \
                 WHERE status <> 'Unpaid'; UPDATE tblaccounts SET amountin = amountin / 2; UPDATE tblclients SET status = 'Active'",
            )
            .await
            .expect("everybody owes");
        let sql = format!("SELECT id FROM tblinvoices WHERE total > 0 ORDER BY id DESC LIMIT {events}");
        let invoices: Vec<u64> = platform.query(sql).await.expect("invoices");
        assert_eq!(invoices.len(), events);
        Self { db, invoices }
    }

    async fn instance(&self, fleet: &Fleet) -> Instance {
        fleet.start(&self.db.bridge_url(), &self.db.reader_url()).await
    }
}

/// A number out of our schema.
pub async fn count(own_url: &str, sql: &str) -> u64 {
    connect(own_url).await.query_first(sql).await.expect("the statement").expect("a row")
}

pub async fn owner_fence(own_url: &str) -> u64 {
    count(own_url, "SELECT COALESCE((SELECT MAX(fence) FROM lease WHERE owner IS NOT NULL), 0)").await
}

/// Every event led to its messages and every message to one at the provider, whoever did it.
pub async fn all_told_once(fleet: &Fleet, own_url: &str, events: usize, seconds: u64) {
    // One after the other: an event leaves the inbox together with its messages' coming into the outbox, and a single statement
    // that counts both may look at the one before that moment and at the other after it.
    until("all is processed and sent", seconds, async || {
        count(own_url, "SELECT COUNT(*) FROM inbox").await == 0
            && count(own_url, "SELECT COUNT(*) FROM outbox").await == 0
    })
    .await;
    assert_eq!(count(own_url, "SELECT COUNT(*) FROM event").await, events as u64);
    let mut own = connect(own_url).await;
    let sql = "SELECT LOWER(HEX(id)), state FROM message";
    let messages: BTreeMap<String, String> = own.query(sql).await.expect("messages").into_iter().collect();
    let taken: Vec<String> = fleet.taken().into_iter().map(|(id, ..)| id.replace('-', "")).collect();
    let once: BTreeSet<&String> = taken.iter().collect();
    assert_eq!(once.len(), taken.len(), "a message reached the provider twice");
    let unsent: Vec<_> = messages.iter().filter(|(_, state)| *state != "sent").collect();
    assert!(unsent.is_empty(), "messages that were not sent: {unsent:?}");
    assert_eq!(once, messages.keys().collect::<BTreeSet<_>>(), "what we know as sent and what the provider has");
    assert!(messages.len() >= events * 9 / 10, "{} messages of {events} events", messages.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_sender_is_replaced_within_seconds_and_every_limit_holds_across_the_change() {
    const RATE: usize = 40;
    const DAY: usize = 120;
    let ground = Ground::new(300).await;
    let mut settings = QUICK.to_vec();
    settings.extend([
        ("SENDERS__MAIN__RATE_PER_S", "40"),
        ("SENDERS__MAIN__PAIR_INTERVAL_S", "2"),
        ("SENDERS__MAIN__RECIPIENTS_PER_DAY", "120"),
    ]);
    // The stand-in refuses what is over any of the three, so a refusal is a proof against us.
    let fleet = Fleet::new(&settings, |config| {
        config.rates.throughput_per_s = u32::try_from(RATE).ok();
        config.rates.pair_gap_ms = Some(2_000);
        config.rates.pair_burst = 1;
        config.rates.recipients_per_24h = u32::try_from(DAY).ok();
    })
    .await;
    let url = ground.db.bridge_url();
    let mut instances = Vec::new();
    for _ in 0..3 {
        instances.push(ground.instance(&fleet).await);
    }
    let firing = async { fleet.fire(&ground.invoices).await };
    let killing = async {
        for (number, after) in [40, 80].into_iter().enumerate() {
            until("some are sent", 20, async || fleet.sandbox.stats().accepted >= after).await;
            let sender = (0..instances.len()).max_by_key(|i| instances[*i].wire.last()).expect("one sends");
            let mut dead = instances.remove(sender);
            let before = owner_fence(&url).await;
            dead.kill().await;
            let killed = Instant::now();
            until("another one sends", 10, async || instances.iter().any(|one| one.wire.since(killed) > 0)).await;
            eprintln!("kill {number}: replaced after {:?}", killed.elapsed());
            assert!(owner_fence(&url).await > before);
            fleet.front.remove(dead.address);
            instances.push(ground.instance(&fleet).await);
        }
    };
    tokio::join!(firing, killing);
    // To those who have a place in the day's count.
    let waits = "SELECT COUNT(*) FROM outbox o JOIN contacted c ON c.recipient = o.recipient";
    until("what may go has gone", 30, async || {
        count(&url, "SELECT COUNT(*) FROM inbox").await == 0 && count(&url, waits).await == 0
    })
    .await;
    let stats = fleet.sandbox.stats();
    assert_eq!(stats.refused, BTreeMap::new(), "the provider had to refuse");
    assert_eq!(stats.opaque_doubles, 0);
    assert!(stats.most_per_second.values().all(|most| *most <= RATE), "{:?}", stats.most_per_second);
    let people: BTreeSet<String> = fleet.taken().into_iter().map(|(_, to, _)| to).collect();
    assert_eq!(people.len(), DAY, "the day's places are used, and no more");
    assert_eq!(count(&url, "SELECT COUNT(*) FROM event").await, 300);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sender_paused_between_its_claim_and_its_request_sends_nothing_but_what_it_was_writing_when_it_wakes_up_without_the_lease()
 {
    let ground = Ground::new(500).await;
    let mut settings = QUICK.to_vec();
    settings.extend([("SENDERS__MAIN__RATE_PER_S", "100"), ("SENDERS__MAIN__PAIR_INTERVAL_S", "0")]);
    // However long the machine takes: what is unknown stays so until this test says otherwise.
    settings.push(("DISPATCH__UNKNOWN_WAIT_S", "3600"));
    let fleet = Fleet::new(&settings, |config| {
        config.rates.throughput_per_s = Some(100);
        config.rates.pair_gap_ms = None;
        config.rates.recipients_per_24h = None;
    })
    .await;
    let url = ground.db.bridge_url();
    let mut sleeper = ground.instance(&fleet).await;
    until("the first one owns the sending", 10, async || owner_fence(&url).await == 1).await;
    let other = ground.instance(&fleet).await;
    // A few at a time, so that there is always something to send.
    let fire = async {
        for (number, some) in ground.invoices.chunks(50).enumerate() {
            until("the others are sent", 60, async || fleet.sandbox.stats().accepted + 60 > number as u64 * 50).await;
            fleet.fire(some).await;
        }
    };
    let pause = pause_at_the_worst_moment(&fleet, &url, &mut sleeper, &other);
    let ((), woken) = tokio::join!(fire, pause);
    // What was stopped in the very moment between the last look and the write leaves when it wakes. It is counted, and its receipt
    // settles it; what else it had claimed it does not send.
    let late = || sleeper.wire.since(woken);
    until("all is processed, and what is left is unknown", 60, async || {
        count(&url, "SELECT COUNT(*) FROM inbox").await == 0
            && count(&url, "SELECT COUNT(*) FROM outbox WHERE state <> 'unknown'").await == 0
    })
    .await;
    until("what left late is counted", 30, async || sleeper.without_lease(&fleet).await >= late() as u64).await;
    eprintln!("{} left late, {} counted", late(), sleeper.without_lease(&fleet).await);
    until("receipts settle what the provider has", 30, async || {
        let taken: BTreeSet<String> = fleet.taken().into_iter().map(|(id, ..)| id.replace('-', "")).collect();
        of_unknown_outcome(&url).await.iter().all(|id| !taken.contains(&id.0.as_simple().to_string()))
    })
    .await;
    send_again(&fleet, &ground.db, &of_unknown_outcome(&url).await).await;
    all_told_once(&fleet, &url, 500, 60).await;
    assert_eq!(owner_fence(&url).await, 2, "and it did not take it back");
    assert_eq!(fleet.sandbox.stats().refused, BTreeMap::new());
}

/// Messages are taken, in the database, and their requests have not left. Returns when it was woken up.
async fn pause_at_the_worst_moment(fleet: &Fleet, url: &str, sleeper: &mut Instance, other: &Instance) -> Instant {
    let mut caught = Vec::new();
    for _ in 0..400 {
        sleeper.comes_to("taken", 10).await;
        sleeper.signal("-STOP");
        until("it stands still", 10, async || sleeper.is_stopped()).await;
        let taken: BTreeSet<String> = fleet.taken().into_iter().map(|(id, ..)| id.replace('-', "")).collect();
        let mut own = connect(url).await;
        let sql = "SELECT LOWER(HEX(message_id)) FROM outbox WHERE state = 'sending'";
        let sending: Vec<String> = own.query(sql).await.expect("the queue");
        caught = sending.into_iter().filter(|id| !taken.contains(id)).collect();
        if !caught.is_empty() {
            break;
        }
        sleeper.signal("-CONT");
    }
    assert!(!caught.is_empty(), "the worst moment was never hit");
    let stopped = Instant::now();
    until("the other one sends", 12, async || other.wire.since(stopped) > 0).await;
    eprintln!("{} messages caught; replaced after {:?}", caught.len(), stopped.elapsed());
    assert_eq!(owner_fence(url).await, 2);
    let woken = Instant::now();
    sleeper.signal("-CONT");
    woken
}

/// Messages of unknown outcome.
async fn of_unknown_outcome(url: &str) -> Vec<MessageId> {
    let sql = "SELECT message_id FROM outbox WHERE state = 'unknown'";
    let ids: Vec<Vec<u8>> = connect(url).await.query(sql).await.expect("the queue");
    ids.iter().map(|id| MessageId(uuid::Uuid::from_slice(id).expect("an id"))).collect()
}

/// What an operator does who knows that they never left.
async fn send_again(fleet: &Fleet, db: &TestDb, ids: &[MessageId]) {
    let settings = variables(&db.bridge_url(), &db.reader_url(), "http://127.0.0.1:9", &fleet.secrets);
    let store = open_store(&load(None, settings).expect("the settings are complete")).expect("a pool");
    let now = Clock::system().now();
    let again = unknown::send_again(&store, ids, Reason::SentAgainByOperator, now).await.expect("queued");
    assert_eq!(again, ids.len() as u64);
    store.database().clone().close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rolling_restart_under_load_loses_nothing_and_says_nothing_twice() {
    let ground = Ground::new(400).await;
    let mut settings = QUICK.to_vec();
    settings.extend([("SENDERS__MAIN__RATE_PER_S", "80"), ("SENDERS__MAIN__PAIR_INTERVAL_S", "0")]);
    let fleet = Fleet::new(&settings, |config| {
        config.rates.throughput_per_s = Some(80);
        config.rates.pair_gap_ms = None;
        config.rates.recipients_per_24h = None;
    })
    .await;
    let url = ground.db.bridge_url();
    let mut old = vec![ground.instance(&fleet).await, ground.instance(&fleet).await];
    let mut fresh = Vec::new();
    let firing = async {
        for (number, some) in ground.invoices.chunks(40).enumerate() {
            until("the others are sent", 60, async || fleet.sandbox.stats().accepted + 60 > number as u64 * 40).await;
            fleet.fire(some).await;
        }
    };
    let rolling = async {
        for before in [80, 200] {
            until("some are sent", 20, async || fleet.sandbox.stats().accepted >= before).await;
            fresh.push(ground.instance(&fleet).await);
            let mut one = old.remove(0);
            fleet.front.remove(one.address);
            one.stop().await;
            let stopped = Instant::now();
            until("the sending goes on", 10, async || old.iter().chain(&fresh).any(|one| one.wire.since(stopped) > 0))
                .await;
            eprintln!("the sending went on after {:?}", stopped.elapsed());
        }
    };
    tokio::join!(firing, rolling);
    all_told_once(&fleet, &url, 400, 30).await;
    let unknown = count(&url, "SELECT COUNT(*) FROM attempt WHERE outcome = 'unknown' OR cause IS NOT NULL").await;
    assert_eq!(unknown, 0, "a stop left somebody in doubt");
    assert_eq!(fleet.sandbox.stats().refused, BTreeMap::new());
    for one in &fresh {
        assert!(one.stored_and_processed(&fleet).await, "an instance took no part in the work");
    }
}
