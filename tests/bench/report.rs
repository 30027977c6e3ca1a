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
        Self { quick, figures: Vec::new() }
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
        format!("{:#}\n", json!({ "quick": self.quick, "figures": figures }))
    }
}
