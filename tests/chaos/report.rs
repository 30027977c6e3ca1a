//! Owns: the tables at the end, and the same as JSON.

use std::collections::BTreeMap;

use hookbridge::road::Step;
use serde_json::{Value, json};

use crate::check::Verdict;
use crate::drain::Left;
use crate::ground::Ground;
use crate::instance::Death;
use crate::restore::Restored;

/// Where the panics are that a run asks for.
const ASKED_FOR: &str = "src/road.rs";
/// Findings shown of each kind.
const SHOWN: usize = 12;

/// Everything that a run has to tell.
pub struct Report {
    pub seed: u64,
    pub seconds: u64,
    pub instances: usize,
    pub faults: BTreeMap<&'static str, u64>,
    pub deaths: Vec<Death>,
    pub left: Left,
    pub restored: Restored,
    pub verdict: Verdict,
    /// Lines of the bridges' logs that no bridge may write.
    pub panics: Vec<String>,
    pub noises: Vec<String>,
    pub php: (u64, u64),
    pub slowest_us: u64,
    pub rejected: usize,
    pub most_per_second: usize,
    pub receipts_given_up: u64,
}

impl Report {
    pub fn kills(&self) -> usize {
        self.deaths.iter().filter(|death| !matches!(death, Death::Itself(_))).count()
    }

    pub fn steps_struck(&self) -> usize {
        Step::ALL.iter().filter(|step| self.at(**step) > 0).count()
    }

    /// Kills right at this mark.
    fn at(&self, step: Step) -> usize {
        self.deaths.iter().filter(|death| **death == Death::At(step)).count()
    }

    /// Kills at any moment after this mark and before the next.
    fn after(&self, step: Step) -> usize {
        self.deaths.iter().filter(|death| **death == Death::After(Some(step))).count()
    }

    /// What must be nothing, with the reason why it is not.
    fn failures(&self) -> Vec<(String, Vec<String>)> {
        let mut all: Vec<(String, Vec<String>)> =
            self.verdict.findings().map(|(name, found)| (name.to_owned(), found.clone())).collect();
        all.push(("panics".to_owned(), self.panics.clone()));
        all.push(("the stub was not silent".to_owned(), self.noises.clone()));
        let unstruck = Step::ALL.iter().filter(|step| self.at(**step) == 0).map(|step| step.code().to_owned());
        all.push(("steps without a kill".to_owned(), unstruck.collect()));
        if !self.left.nothing() {
            all.push(("left in the queues".to_owned(), vec![self.left.to_string()]));
        }
        if !self.restored.is_good() {
            all.push(("after a restore".to_owned(), vec![format!("{:?}", self.restored)]));
        }
        if self.receipts_given_up > 0 {
            all.push(("receipts that the provider gave up".to_owned(), vec![self.receipts_given_up.to_string()]));
        }
        if self.rejected > 0 {
            all.push(("refused for good at the door".to_owned(), vec![format!("{} files", self.rejected)]));
        }
        all.retain(|(_, found)| !found.is_empty());
        all
    }

    pub fn is_good(&self) -> bool {
        self.verdict.is_good() && self.failures().is_empty()
    }

    pub fn print(&self) {
        let mut steps = table(&["step of the road", "killed right there", "killed later, before the next"]);
        for step in Step::ALL {
            steps.add_row([step.code().to_owned(), self.at(*step).to_string(), self.after(*step).to_string()]);
        }
        println!("{steps}\n");
        let mut faults = table(&["what was done to it", "times"]);
        for (name, times) in &self.faults {
            faults.add_row([(*name).to_owned(), times.to_string()]);
        }
        println!("{faults}\n");
        let mut rows = table(&["result", "count", "must be", "ok"]);
        for (name, count, must) in self.rows() {
            let ok = must.map_or("", |must| if must == count { "yes" } else { "NO" });
            rows.add_row([
                name,
                count.to_string(),
                must.map(|must| must.to_string()).unwrap_or_default(),
                ok.to_owned(),
            ]);
        }
        println!("{rows}");
        for (name, found) in self.failures() {
            println!("\n{name}:");
            found.iter().take(SHOWN).for_each(|one| println!("  {one}"));
            if found.len() > SHOWN {
                println!("  and {} more", found.len() - SHOWN);
            }
        }
    }

    /// The summary: name, count, and what the count must be, where it must be something.
    fn rows(&self) -> Vec<(String, usize, Option<usize>)> {
        let v = &self.verdict;
        let mut rows = vec![
            (
                "PHP processes (of them killed in a hook)".to_owned(),
                usize::try_from(self.php.0).unwrap_or_default(),
                None,
            ),
            ("  killed".to_owned(), usize::try_from(self.php.1).unwrap_or_default(), None),
            ("hooks fired to their end".to_owned(), v.hooks_fired, None),
            ("hooks whose PHP died inside: one event or none".to_owned(), v.hooks_cut_short, None),
            ("events stored".to_owned(), v.events, None),
            ("kills -9 of the bridge".to_owned(), self.kills(), None),
            ("steps of the road at which it was killed".to_owned(), self.steps_struck(), Some(Step::ALL.len())),
            ("alerts owed (one per act and recipient)".to_owned(), v.owed, None),
            ("  taken by the provider exactly once".to_owned(), v.once, None),
            ("  delivered, and known to be".to_owned(), v.delivered, None),
            ("  security alerts sent again after an unknown outcome".to_owned(), v.sent_again, None),
        ];
        for (reason, count) in &v.with_reason {
            rows.push((format!("  not sent: {reason}"), *count, None));
        }
        rows.push(("acts that had to lead to nothing, and say why".to_owned(), v.silent, None));
        rows.push(("most messages in one second at the provider".to_owned(), self.most_per_second, None));
        let of_dump = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
        let (queued, held) = (of_dump(self.restored.queued), of_dump(self.restored.held));
        rows.push(("queued in an older dump, and sent before it was put back".to_owned(), queued, None));
        rows.push(("  held for an operator".to_owned(), held, Some(queued)));
        rows.push(("  SENT AGAIN AFTER THE RESTORE".to_owned(), of_dump(self.restored.doubled), Some(0)));
        rows.extend(v.findings().map(|(name, found)| (name.to_uppercase(), found.len(), Some(0))));
        rows
    }

    pub fn json(&self) -> String {
        let steps: BTreeMap<&str, Value> = Step::ALL
            .iter()
            .map(|step| (step.code(), json!({ "killed_there": self.at(*step), "killed_after": self.after(*step) })))
            .collect();
        let rows: BTreeMap<String, usize> =
            self.rows().into_iter().map(|(name, count, _)| (name.trim().to_owned(), count)).collect();
        let failures: BTreeMap<String, Vec<String>> = self.failures().into_iter().collect();
        format!(
            "{:#}\n",
            json!({
                "seed": self.seed, "seconds": self.seconds, "instances": self.instances, "good": self.is_good(),
                "kills": self.kills(), "steps": steps, "faults": self.faults, "result": rows, "failures": failures,
                "slowest_hook_us": self.slowest_us,
            })
        )
    }
}

fn table(header: &[&str]) -> comfy_table::Table {
    let mut table = comfy_table::Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    table.set_header(header.to_vec());
    table
}

/// Lines of the logs that tell of a panic that nobody asked for.
pub fn panics(ground: &Ground) -> Vec<String> {
    let logs = ground.bridges.iter().filter_map(|bridge| std::fs::read_to_string(&bridge.log).ok());
    let is_own = |line: &str| line.contains("panic") && !line.contains(ASKED_FOR);
    logs.flat_map(|log| log.lines().filter(|line| is_own(line)).map(str::to_owned).collect::<Vec<_>>()).collect()
}
