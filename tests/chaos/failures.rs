//! Owns: what fails that is nobody's hand on a cable: our own code (a panic at any step, in any task), the log that cannot be
//! written, and a database that is set otherwise than the bridge thinks: read-only after a failover, other defaults of a session.

use std::sync::Arc;

use hookbridge::demo::accounts::BRIDGE;
use hookbridge::road::Step;
use mysql_async::prelude::Queryable as _;

use crate::control::{Log, Signal, Trap};
use crate::dice::Dice;
use crate::faults::{Counts, Over, pause};
use crate::ground::Ground;
use crate::instance::Instance;

/// Marks of one step that are let pass at most.
const NTH_MAX: u64 = 12;
/// How a server may be set that the bridge did not expect, and as it was.
const SETTINGS: [(&str, &str); 5] = [
    ("autocommit = 0", "autocommit = 1"),
    ("completion_type = 'CHAIN'", "completion_type = 'NO_CHAIN'"),
    ("sql_safe_updates = 1", "sql_safe_updates = 0"),
    ("sql_select_limit = 1", "sql_select_limit = DEFAULT"),
    ("sql_mode = 'ANSI,ORACLE'", "sql_mode = DEFAULT"),
];

/// The bridge's own code fails: a panic in the thread that comes to a step, a task's next turn among them.
pub async fn panics(mut dice: Dice, bridge: Arc<Instance>, counts: Arc<Counts>, mut over: Over) -> anyhow::Result<()> {
    // Before the tasks there is nothing that could catch it: the process ends, which is a kill like others.
    let steps: Vec<Step> =
        Step::ALL.iter().copied().filter(|step| !matches!(step, Step::Starting | Step::Listening)).collect();
    while pause(&mut over, dice.between(200, 1_500)).await {
        let step = if dice.percent(30) { Step::Turning } else { *dice.pick(&steps) };
        bridge.control.arm(Trap::Own, step, u32::try_from(dice.between(1, NTH_MAX))?, Signal::Panic);
        let going = pause(&mut over, dice.between(300, 1_500)).await;
        bridge.control.disarm(Trap::Own);
        if bridge.control.take_snapped(Trap::Own).is_some() {
            counts.add("panic of our own code", 1);
        }
        if !going {
            break;
        }
    }
    Ok(())
}

/// The log's disk is full, or nobody reads it.
pub async fn logs(mut dice: Dice, bridge: Arc<Instance>, counts: Arc<Counts>, mut over: Over) -> anyhow::Result<()> {
    while pause(&mut over, dice.between(1_500, 6_000)).await {
        let (fault, name) =
            if dice.percent(50) { (Log::Full, "log's disk full") } else { (Log::Stalled, "log's reader stalled") };
        bridge.control.set_log(fault);
        counts.add(name, 1);
        let going = pause(&mut over, dice.between(300, 3_000)).await;
        bridge.control.set_log(Log::Written);
        if !going {
            break;
        }
    }
    Ok(())
}

/// The server of our schema is set otherwise for a while; connections that are open feel it when they are made anew.
pub async fn settings(mut dice: Dice, ground: Arc<Ground>, counts: Arc<Counts>, mut over: Over) -> anyhow::Result<()> {
    while pause(&mut over, dice.between(2_000, 6_000)).await {
        let (set, reset, name) = if dice.percent(40) {
            ("read_only = 1", "read_only = 0", "database read-only for a while")
        } else {
            let (set, reset) = *dice.pick(&SETTINGS);
            (set, reset, "defaults of sessions changed for a while")
        };
        // The server may be down just now, by another fault.
        if put(&ground, set, true).await.is_ok() {
            counts.add(name, 1);
        }
        let going = pause(&mut over, dice.between(300, 2_500)).await;
        while put(&ground, reset, set != "read_only = 1").await.is_err() && pause(&mut over, 200).await {}
        if !going {
            break;
        }
    }
    // Whatever a server that came up late has missed.
    for (_, reset) in SETTINGS.into_iter().chain([("", "read_only = 0")]) {
        let _ = put(&ground, reset, false).await;
    }
    Ok(())
}

/// Sets it, and ends the connections of the bridges if they are to feel it at once.
async fn put(ground: &Ground, setting: &str, at_once: bool) -> anyhow::Result<()> {
    let mut root = ground.own.root("").await?;
    root.query_drop(format!("SET GLOBAL {setting}")).await?;
    root.disconnect().await?;
    if at_once {
        ground.own.kill_connections(BRIDGE).await?;
    }
    Ok(())
}
