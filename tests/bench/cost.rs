//! Owns: what a round cost beside time: processor time of the database and of this process, and statements.

use anyhow::Context as _;
use mysql_async::prelude::Queryable as _;

use crate::home::Home;
use crate::load::Count;

/// Of all that ran since the start, or of a round.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cost {
    server_us: u64,
    own_us: u64,
    inserts: u64,
}

impl Cost {
    pub async fn so_far(home: &Home) -> anyhow::Result<Self> {
        let mut root = home.root("").await?;
        let row: Option<(String, u64)> = root.query_first("SHOW GLOBAL STATUS LIKE 'Com_insert'").await?;
        root.disconnect().await?;
        let (_, inserts) = row.context("the server's counters")?;
        Ok(Self {
            server_us: processor_us(&home.server.pid().context("the server's process")?.to_string())?,
            own_us: processor_us("self")?,
            inserts,
        })
    }

    pub fn since(self, before: Self) -> Self {
        Self {
            server_us: self.server_us - before.server_us,
            own_us: self.own_us - before.own_us,
            inserts: self.inserts - before.inserts,
        }
    }

    pub fn add(&mut self, other: Self) {
        self.server_us += other.server_us;
        self.own_us += other.own_us;
        self.inserts += other.inserts;
    }

    /// In words. The warm-up costs too, so each answer of it counts.
    pub fn per_event(self, count: Count) -> String {
        let each = |us: u64| us as f64 / count.all as f64;
        let (server, own) = (each(self.server_us), each(self.own_us));
        match self.inserts {
            0 => format!("{own:.0} us"),
            inserts => {
                format!("{own:.0} + {server:.0} us, {:.0} events per commit", count.all as f64 / inserts as f64)
            }
        }
    }
}

/// Processor time of a process: fields 14 and 15 of its `stat`, in hundredths of a second.
pub fn processor_us(pid: &str) -> anyhow::Result<u64> {
    const TICK_US: u64 = 10_000;
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The name, in brackets, may hold spaces.
    let (_, fields) = stat.rsplit_once(") ").context("a stat line")?;
    let fields: Vec<&str> = fields.split(' ').collect();
    let ticks: u64 = fields[11].parse::<u64>()? + fields[12].parse::<u64>()?;
    Ok(ticks * TICK_US)
}
