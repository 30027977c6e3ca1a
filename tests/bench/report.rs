//! Owns: the table at the end, and the same as JSON.

use serde_json::{Value, json};

/// What a figure must reach.
#[derive(Clone, Copy, Debug)]
pub enum Target {
    AtLeast(f64),
    AtMost(f64),
    /// Shown for its own sake.
    None,
}

#[derive(Debug)]
struct Figure {
    name: String,
    value: f64,
    unit: &'static str,
    target: Target,
    detail: String,
}

/// All figures of a run.
#[derive(Debug)]
pub struct Report {
    quick: bool,
    machine: String,
    figures: Vec<Figure>,
}

impl Figure {
    fn met(&self) -> Option<bool> {
        match self.target {
            Target::AtLeast(least) => Some(self.value >= least),
            Target::AtMost(most) => Some(self.value <= most),
            Target::None => None,
        }
    }

    fn target(&self) -> String {
        match self.target {
            Target::AtLeast(least) => format!(">= {least} {}", self.unit),
            Target::AtMost(most) => format!("<= {most} {}", self.unit),
            Target::None => String::new(),
        }
    }
}

impl Report {
    pub fn new(quick: bool) -> Self {
        Self { quick, machine: machine(), figures: Vec::new() }
    }

    pub fn add(&mut self, name: &str, value: f64, unit: &'static str, target: Target, detail: String) {
        crate::say(&format!("{name}: {value:.2} {unit}  ({detail})"));
        self.figures.push(Figure { name: name.to_owned(), value, unit, target, detail });
    }

    pub fn print(&self) {
        let mut table = comfy_table::Table::new();
        table.load_style(comfy_table::presets::NOTHING);
        table.set_header(["name", "measured", "target", "met?", "from"]);
        for one in &self.figures {
            let met = one.met().map_or("", |met| if met { "yes" } else { "NO" });
            let measured = format!("{:.2} {}", one.value, one.unit);
            table.add_row([&one.name, &measured, &one.target(), met, &one.detail]);
        }
        println!("{table}");
        println!("before: {}; after: {}", self.machine, machine());
        if self.quick {
            println!("A quick run: rough figures, for seeing that everything works.");
        }
    }

    pub fn json(&self) -> String {
        let figures: Vec<Value> = self
            .figures
            .iter()
            .map(|one| {
                json!({
                    "name": one.name, "value": one.value, "unit": one.unit, "target": one.target(), "met": one.met(),
                    "detail": one.detail,
                })
            })
            .collect();
        format!(
            "{:#}\n",
            json!({
                "quick": self.quick, "machine_before": self.machine, "machine_after": machine(), "figures": figures,
            })
        )
    }
}

/// How much machine there is, and how much of it others use: with a load above the processors, figures say little.
fn machine() -> String {
    let processors = std::thread::available_parallelism().map_or(0, usize::from);
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or_default();
    format!("{processors} processors, load {load}")
}
