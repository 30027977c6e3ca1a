//! Owns: what goes wrong in a run, and when. Each kind of fault has its own task and its own dice, and goes on until the
//! flag falls. What was done is counted.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::Context as _;
use hookbridge::demo::accounts::{BRIDGE, READER};
use hookbridge::sandbox::{ErrorData, Fault, Trouble};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::control::{Log, Trap};
use crate::dice::Dice;
use crate::failures;
use crate::ground::Ground;
use crate::instance::Instance;
use crate::kills;

/// A database that must be recovered takes longest.
const END_MAX: Duration = Duration::from_secs(90);
/// The clock is never set further off than this, in hours: beyond it events and messages are too old, rightly.
const CLOCK_H_MAX: i64 = 6;

/// What was done, by name.
#[derive(Debug, Default)]
pub struct Counts(Mutex<BTreeMap<&'static str, u64>>);

impl Counts {
    pub fn add(&self, name: &'static str, count: u64) {
        *self.0.lock().expect("no holder panics").entry(name).or_default() += count;
    }

    pub fn all(&self) -> BTreeMap<&'static str, u64> {
        self.0.lock().expect("no holder panics").clone()
    }
}

/// All faults of a run.
pub struct Faults {
    pub counts: Arc<Counts>,
    going: watch::Sender<bool>,
    tasks: JoinSet<anyhow::Result<()>>,
}

impl Faults {
    pub fn begin(seed: u64, ground: &Arc<Ground>) -> Self {
        let counts = Arc::new(Counts::default());
        let (going, over) = watch::channel(false);
        let mut tasks = JoinSet::new();
        for bridge in &ground.bridges {
            let dice = Dice::new(seed, &format!("clock of {}", bridge.name));
            tasks.spawn(clock(dice, bridge.clone(), counts.clone(), over.clone()));
        }
        tasks.spawn(kills::at_the_door(Dice::new(seed, "door"), ground.clone(), counts.clone(), over.clone()));
        tasks.spawn(kills::while_sending(Dice::new(seed, "sending"), ground.clone(), counts.clone(), over.clone()));
        tasks.spawn(databases(Dice::new(seed, "databases"), ground.clone(), counts.clone(), over.clone()));
        tasks.spawn(provider(Dice::new(seed, "provider"), ground.clone(), counts.clone(), over.clone()));
        for bridge in &ground.bridges {
            let dice = |what: &str| Dice::new(seed, &format!("{what} of {}", bridge.name));
            tasks.spawn(failures::panics(dice("panics"), bridge.clone(), counts.clone(), over.clone()));
            tasks.spawn(failures::logs(dice("log"), bridge.clone(), counts.clone(), over.clone()));
        }
        tasks.spawn(failures::settings(Dice::new(seed, "settings"), ground.clone(), counts.clone(), over.clone()));
        tasks.spawn(network(Dice::new(seed, "network"), ground.clone(), counts.clone(), over));
        Self { counts, going, tasks }
    }

    /// Ends all of them and waits until what each had begun is made good.
    pub async fn end(mut self, ground: &Ground) -> anyhow::Result<Arc<Counts>> {
        self.going.send_replace(true);
        let made_good = async {
            while let Some(task) = self.tasks.join_next().await {
                task??;
            }
            anyhow::Ok(())
        };
        tokio::time::timeout(END_MAX, made_good).await.context("a fault does not end")??;
        for valve in [&ground.own.valve, &ground.billing.valve, &ground.front] {
            valve.calm();
        }
        for bridge in &ground.bridges {
            bridge.control.disarm(Trap::Door);
            bridge.control.disarm(Trap::Sending);
            bridge.control.disarm(Trap::Own);
            bridge.control.set_log(Log::Written);
            bridge.control.set_clock(0);
        }
        for server in [&ground.own, &ground.billing] {
            if server.revive().await? {
                self.counts.add("database ended by itself", 1);
            }
        }
        Ok(self.counts)
    }
}

pub type Over = watch::Receiver<bool>;

/// Waits; `false` when it is over.
pub async fn pause(over: &mut Over, ms: u64) -> bool {
    let waited = tokio::time::timeout(Duration::from_millis(ms), over.wait_for(|over| *over)).await;
    waited.is_err()
}

async fn clock(mut dice: Dice, bridge: Arc<Instance>, counts: Arc<Counts>, mut over: Over) -> anyhow::Result<()> {
    while pause(&mut over, dice.between(2_000, 7_000)).await {
        let ms = match dice.between(0, 3) {
            0 => i64::try_from(dice.between(1, 4_000))?,
            1 => i64::try_from(dice.between(20_000, 280_000))?,
            _ => i64::try_from(dice.between(301_000, 3_600_000 * CLOCK_H_MAX.unsigned_abs()))?,
        };
        bridge.control.set_clock(if dice.percent(50) { ms } else { -ms });
        counts.add("clock set ahead or back", 1);
        if !pause(&mut over, dice.between(300, 2_500)).await {
            return Ok(());
        }
        bridge.control.set_clock(0);
        counts.add("clock set right again", 1);
    }
    Ok(())
}

async fn databases(mut dice: Dice, ground: Arc<Ground>, counts: Arc<Counts>, mut over: Over) -> anyhow::Result<()> {
    while pause(&mut over, dice.between(800, 3_500)).await {
        let ours = dice.percent(70);
        let (server, user) = if ours { (&ground.own, BRIDGE) } else { (&ground.billing, READER) };
        let time = Duration::from_millis(dice.between(100, 1_800));
        match dice.between(0, 11) {
            0 => {
                counts.add("database stopped and started", 1);
                server.restart(false, time).await?;
            }
            1 => {
                counts.add("database killed and started", 1);
                server.restart(true, time).await?;
            }
            2 | 3 if ground.own.fill_disk(time).await? => {
                counts.add("disk of our schema full", 1);
                if ground.own.revive().await? {
                    counts.add("database ended by itself", 1);
                }
            }
            4 | 5 => counts.add("connections ended by the server", server.kill_connections(user).await.unwrap_or(0)),
            6 => {
                counts.add("database held up", 1);
                server.valve.hold(time);
            }
            7 => server.valve.cut(),
            _ => ground.own.valve.swallow(dice.between(1, 4)),
        }
    }
    Ok(())
}

/// The connections before the bridge: stub and provider come in here.
async fn network(mut dice: Dice, ground: Arc<Ground>, counts: Arc<Counts>, mut over: Over) -> anyhow::Result<()> {
    while pause(&mut over, dice.between(300, 1_500)).await {
        match dice.between(0, 5) {
            0 => ground.front.cut(),
            1 => {
                counts.add("front held up", 1);
                ground.front.hold(Duration::from_millis(dice.between(50, 900)));
            }
            _ => ground.front.swallow(dice.between(1, 5)),
        }
    }
    Ok(())
}

async fn provider(mut dice: Dice, ground: Arc<Ground>, counts: Arc<Counts>, mut over: Over) -> anyhow::Result<()> {
    let mut next = 0;
    while pause(&mut over, 10).await {
        // One message in four or so meets a trouble, whatever the pace.
        let accepted = ground.sandbox.stats().accepted;
        if accepted < next {
            continue;
        }
        let (name, trouble) = trouble(&mut dice);
        let times = dice.between(1, 3);
        next = accepted + times + dice.between(2, 10);
        counts.add(name, times);
        ground.sandbox.fault(Fault::next(trouble).times(u32::try_from(times)?));
    }
    ground.sandbox.forget_faults();
    Ok(())
}

fn trouble(dice: &mut Dice) -> (&'static str, Trouble) {
    let accepted = dice.percent(50);
    let error = |code, http_status| Trouble::Error {
        code,
        http_status: Some(http_status),
        subcode: None,
        error_data: ErrorData::default(),
        transient: None,
    };
    match dice.between(0, 16) {
        0 | 1 => ("provider answers late", Trouble::AnswerLate { ms: dice.between(50, 1_400) }),
        2 => ("provider answers after our timeout", Trouble::AnswerLate { ms: dice.between(1_600, 3_000) }),
        3 => ("provider never answers", Trouble::HangAfterAccept),
        4 | 5 => ("provider throttles (429)", error(*dice.pick(&[130_429, 131_056]), 429)),
        6 => ("provider fails (5xx)", error(*dice.pick(&[131_000, 131_016]), 503)),
        7 => ("provider's gateway fails (502)", Trouble::BadGateway { accepted }),
        8 => ("provider answers garbage", Trouble::Garbage { accepted }),
        9 => ("provider closes after reading", Trouble::CloseAfterReading { accepted }),
        10 => ("provider closes before reading", Trouble::CloseBeforeReading),
        11 => ("receipts late", Trouble::ReceiptsLate { ms: i64::try_from(dice.between(500, 8_000)).unwrap_or(500) }),
        12 => ("receipts doubled", Trouble::ReceiptsDoubled),
        13 => ("receipts out of order", Trouble::ReceiptsReordered),
        14 => ("receipts before the answer", Trouble::ReceiptsBeforeAnswer),
        15 => ("receipts never", Trouble::ReceiptsNever),
        _ => ("failed by receipt", Trouble::ReceiptFailed { code: 131_026 }),
    }
}
