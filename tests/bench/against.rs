//! Owns: this tree's `hookbridge serve` beside that of an older commit: two programs on the same MariaDB, in alternating
//! rounds, asked for the same work. The ratio of their medians is the figure.

mod program;
mod work;

use crate::Scale;
use crate::home::Home;
use crate::report::{Report, Target};
use program::Program;
use work::{Figure, Work};

/// What every later version is held against.
pub const BASELINE: &str = "a975a69";
/// Nothing may become slower by more than this.
const AT_LEAST: f64 = 0.97;

pub async fn measure(home: &Home, commit: &str, scale: Scale, report: &mut Report) -> anyhow::Result<()> {
    let programs = [Program::of_commit(commit)?, Program::ours()];
    let works = [
        Work::Road { receipts: false },
        Work::Road { receipts: true },
        Work::Ingest { connections: 1 },
        Work::Ingest { connections: 64 },
        Work::Ingest { connections: 256 },
        Work::Decisions { rule: "upgrade" },
        Work::Decisions { rule: "cancellation" },
        Work::Idle,
    ];
    for work in works {
        let mut both: [Vec<Vec<Figure>>; 2] = Default::default();
        // One round more than elsewhere, and the order turns: single rounds of the whole road spread widely.
        for round in 0..=scale.rounds {
            let mut order = [0, 1];
            order.rotate_left((round % 2) as usize);
            for side in order {
                let figures = work.run(home, &programs[side], scale).await?;
                crate::say(&format!("{work}: {}: {}", programs[side].name, work::line(&figures)));
                both[side].push(figures);
            }
        }
        let [theirs, ours] = both.map(|rounds| work::medians(&rounds));
        for (old, new) in theirs.into_iter().zip(ours) {
            let ratio = if old.less_is_better { old.value / new.value } else { new.value / old.value };
            let from =
                format!("{:.2} against {:.2} {}, medians of {}", new.value, old.value, old.unit, scale.rounds + 1);
            let target = if old.compared { Target::AtLeast(AT_LEAST) } else { Target::None };
            report.add(&format!("{work}, {}, as good as {commit}", old.name), ratio, "x", target, from);
        }
    }
    Ok(())
}
