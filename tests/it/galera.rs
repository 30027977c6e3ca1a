//! The same on a Galera cluster: an instance on each node, a node killed under load.

use std::time::Instant;

use crate::fleet::{Ground, QUICK, all_told_once, count, owner_fence};
use crate::support::fleet::Fleet;
use crate::support::galera::Cluster;
use crate::support::poll::until;
use crate::support::turn::turn;

const EVENTS: usize = 300;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn instances_on_two_nodes_of_a_cluster_lose_nothing_and_say_nothing_twice_when_a_node_is_killed() {
    let _turn = turn().await;
    let (mut cluster, ground) = tokio::join!(Cluster::start(), Ground::new(EVENTS));
    cluster.create("own").await;
    let url = |node: usize| cluster.node(node).url_for("hb_bridge", "own");
    let (first_url, second_url) = (url(0), url(1));
    let mut settings = QUICK.to_vec();
    settings.extend([("SENDERS__MAIN__RATE_PER_S", "60"), ("SENDERS__MAIN__PAIR_INTERVAL_S", "0")]);
    let fleet = Fleet::new(&settings, |config| {
        config.rates.throughput_per_s = Some(60);
        config.rates.pair_gap_ms = None;
        config.rates.recipients_per_24h = None;
    })
    .await;
    let reader = ground.db.reader_url();
    // The first one owns the sending, and its node will die.
    let mut first = fleet.start(&first_url, &reader).await;
    until("the first one owns the sending", 10, async || owner_fence(&second_url).await == 1).await;
    let second = fleet.start(&second_url, &reader).await;
    let firing = async {
        for (number, some) in ground.invoices.chunks(30).enumerate() {
            let enough = number as u64 * 30;
            until("the others are sent", 60, async || fleet.sandbox.stats().accepted + 60 > enough).await;
            fleet.fire(some).await;
        }
    };
    let killing = async {
        until("some are sent", 30, async || fleet.sandbox.stats().accepted >= 80).await;
        assert_eq!(second.wire.last(), None, "the second one waits for its turn");
        cluster.kill(0);
        let killed = Instant::now();
        // It cannot store any more, and says so to whoever asks (`/readyz`).
        fleet.front.remove(first.address);
        until("the second one sends", 30, async || second.wire.since(killed) > 0).await;
        eprintln!("the second instance sent {:?} after the node was killed", killed.elapsed());
    };
    tokio::join!(firing, killing);
    all_told_once(&fleet, &second_url, EVENTS, 40).await;
    assert_eq!(fleet.sandbox.stats().refused, std::collections::BTreeMap::new());
    assert!(count(&second_url, "SELECT COUNT(*) FROM message").await > 0);
    first.kill().await;
}
