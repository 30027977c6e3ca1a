//! Owns: when a bridge dies: at each step of the road in turn, and at moments of chance between; and when it is only
//! stopped for a while, which is worse, because it does not know.

use std::sync::Arc;
use std::time::{Duration, Instant};

use hookbridge::road::Step;
use hookbridge::sandbox::{Fault, Trouble};

use crate::control::{Signal, Trap};
use crate::dice::Dice;
use crate::faults::{Counts, Over, pause};
use crate::ground::Ground;
use crate::instance::{Death, Instance};
use crate::progress::Progress;

/// How long a step at the door may let wait for its mark before the process is killed anyway.
const DOOR_PATIENCE: Duration = Duration::from_millis(2_500);
/// Sending needs an owner of the lease, and messages: longer.
const SENDING_PATIENCE: Duration = Duration::from_secs(8);
/// Marks of one step that are let pass at most.
const NTH_MAX: u64 = 5;
/// The same for a sender that is to be in full swing.
const NTH_BUSY: u64 = 40;
/// How often traps are looked at.
const LOOK_MS: u64 = 4;
/// Tries to strike at a step that chance left out.
const TRIES: u32 = 4;

fn is_once(step: Step) -> bool {
    matches!(step, Step::Starting | Step::Listening)
}

fn is_sending(step: Step) -> bool {
    (Step::Peeked..=Step::Settled).contains(&step)
}

/// Half of `steps` in an order of chance, first those at which nobody died yet.
fn some(steps: &mut [Step], dice: &mut Dice, ground: &Ground) -> Vec<Step> {
    dice.shuffle(steps);
    let deaths: Vec<Death> = ground.bridges.iter().flat_map(|bridge| bridge.deaths()).collect();
    steps.sort_by_key(|step| deaths.contains(&Death::At(*step)));
    steps[..steps.len().div_ceil(2)].to_vec()
}

/// Kills one bridge after the other where events, facts and receipts come through.
pub async fn at_the_door(
    mut dice: Dice,
    ground: Arc<Ground>,
    counts: Arc<Counts>,
    mut over: Over,
) -> anyhow::Result<()> {
    let mut steps: Vec<Step> = Step::ALL.iter().copied().filter(|step| !is_sending(*step)).collect();
    loop {
        for step in some(&mut steps, &mut dice, &ground) {
            let bridge = dice.pick(&ground.bridges).clone();
            if !bridge.listens().await || !pause(&mut over, dice.between(50, 1_200)).await {
                return Ok(());
            }
            if dice.percent(15) {
                counts.add("kill -9 at a moment of chance", 1);
                bridge.kill_and_wait().await;
            } else {
                bridge.kill_at(step, u32::try_from(dice.between(1, NTH_MAX))?, DOOR_PATIENCE).await;
            }
        }
    }
}

/// Sets the same trap for all bridges: whichever sends walks into it.
pub async fn while_sending(
    mut dice: Dice,
    ground: Arc<Ground>,
    counts: Arc<Counts>,
    mut over: Over,
) -> anyhow::Result<()> {
    let mut steps: Vec<Step> = Step::ALL.iter().copied().filter(|step| is_sending(*step)).collect();
    loop {
        for step in some(&mut steps, &mut dice, &ground) {
            let most = if dice.percent(30) { NTH_BUSY } else { NTH_MAX };
            let (nth, what, time) = (dice.between(1, most), dice.between(0, 9), dice.between(300, 5_000));
            if !pause(&mut over, dice.between(50, 2_000)).await {
                return Ok(());
            }
            match what {
                0 => accepted_and_killed(&ground, &counts, &mut over).await?,
                1 | 2 => {
                    let time = Duration::from_millis(time);
                    if let Some(bridge) = trap(&ground, step, nth, Signal::Stop, &mut over).await? {
                        counts.add("bridge stopped for a while while it was sending (SIGSTOP)", 1);
                        bridge.sleep(time).await;
                    }
                }
                _ => {
                    trap(&ground, step, nth, Signal::Kill, &mut over).await?;
                }
            }
        }
    }
}

/// The steps that chance left out: one after the other on a quiet road, an act at a time.
pub async fn where_nobody_died_yet(ground: &Ground, progress: &Progress) -> anyhow::Result<()> {
    let (_going, mut over) = tokio::sync::watch::channel(false);
    for step in Step::ALL.iter().copied() {
        for _ in 0..TRIES {
            if ground.bridges.iter().any(|bridge| bridge.struck(step) > 0) {
                break;
            }
            progress.say("the steps that are left", ground);
            for bridge in &ground.bridges {
                bridge.listens().await;
            }
            if is_once(step) {
                ground.bridges[0].kill_at(step, 1, DOOR_PATIENCE).await;
                continue;
            }
            let (struck, fired) =
                tokio::join!(trap(ground, step, 1, Signal::Kill, &mut over), ground.platform.fire_one());
            if !fired? && struck?.is_none() {
                break;
            }
        }
    }
    Ok(())
}

/// Waits until a bridge is struck at `step`; `None` when none was.
async fn trap(
    ground: &Ground,
    step: Step,
    nth: u64,
    signal: Signal,
    over: &mut Over,
) -> anyhow::Result<Option<Arc<Instance>>> {
    let before: Vec<u64> = ground.bridges.iter().map(|bridge| bridge.struck(step)).collect();
    for bridge in &ground.bridges {
        bridge.control.arm(Trap::Sending, step, u32::try_from(nth)?, signal);
    }
    let started = Instant::now();
    let mut found = None;
    while found.is_none() && started.elapsed() < SENDING_PATIENCE && pause(over, LOOK_MS).await {
        found = ground.bridges.iter().zip(&before).find_map(|(bridge, before)| {
            match signal {
                Signal::Kill => bridge.struck(step) > *before,
                Signal::Stop | Signal::Panic => bridge.control.take_snapped(Trap::Sending).is_some(),
            }
            .then(|| bridge.clone())
        });
    }
    for bridge in &ground.bridges {
        bridge.control.disarm(Trap::Sending);
        // Two may have walked into it.
        let other = found.as_ref().is_none_or(|found| found.name != bridge.name);
        if signal == Signal::Stop && other {
            bridge.go_on();
        }
    }
    Ok(found)
}

/// The provider takes a message and is slow to say so; meanwhile the power fails for all bridges.
async fn accepted_and_killed(ground: &Ground, counts: &Counts, over: &mut Over) -> anyhow::Result<()> {
    let before = ground.sandbox.stats().accepted;
    ground.sandbox.fault(Fault::next(Trouble::AnswerLate { ms: 400 }).times(3));
    let started = Instant::now();
    while started.elapsed() < SENDING_PATIENCE && pause(over, LOOK_MS).await {
        if ground.sandbox.stats().accepted > before {
            counts.add("power cut right after the provider took a message", 1);
            for bridge in &ground.bridges {
                bridge.kill();
            }
            return Ok(());
        }
    }
    Ok(())
}
