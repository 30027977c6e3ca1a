//! Owns: what a look at the dates costs that finds nothing, beside 1,000,000 invoices, 200,000 services and 200,000 domains, and
//! what it does where thousands of steps come at once.

use std::time::Instant;

use anyhow::ensure;
use hookbridge::app::Workers;
use mysql_async::prelude::Queryable as _;

use crate::home::{Home, OWN};
use crate::report::{Report, Target};
use crate::{Scale, say};

/// Looks that are timed.
const LOOKS: u32 = 50;
/// A look that finds nothing may take so long, in milliseconds.
const NOTHING_MS_MAX: f64 = 50.0;

pub async fn measure(home: &Home, scale: Scale, report: &mut Report) -> anyhow::Result<()> {
    let on = ["INVOICE_REMINDER", "INVOICE_OVERDUE", "SERVICE_RENEWAL", "DOMAIN_EXPIRING", "SUSPENSION_AHEAD"];
    let on = on.map(|name| format!("HOOKPOINTS__{name}__ENABLED"));
    let settings: Vec<(&str, &str)> = on.iter().map(|key| (key.as_str(), "true")).collect();
    let (variables, store) = home.fresh("http://127.0.0.1:9", &settings).await?;
    let app = home.bridge(variables, Workers::ByHand).await?;
    let mut root = home.root(OWN).await?;
    let kinds = [
        ("invoice.due", scale.invoices),
        ("service.next_due", scale.invoices / 5),
        ("domain.expires", scale.invoices / 5),
    ];
    say(&format!("{} dates of invoices, and a fifth as many of services and of domains", scale.invoices));
    for (name, rows) in kinds {
        root.query_drop(format!(
            "INSERT INTO anchor (name, id, owner, day, settled_at, next_at) SELECT '{name}', seq, 1 + seq MOD 500, \
             CURRENT_DATE + INTERVAL 1 + seq MOD 365 DAY, UTC_TIMESTAMP(3), UTC_TIMESTAMP(3) FROM seq_1_to_{rows}"
        ))
        .await?;
    }
    // The first walk gives each row its next moment.
    let started = Instant::now();
    let mut rows = 0;
    loop {
        let round = app.look_at_dates().await?;
        rows += round.rows;
        if !round.goes_on {
            break;
        }
    }
    let took = started.elapsed().as_secs_f64();
    let from = format!("{rows} looks at rows in {took:.1} s");
    report.add("dates: rows given their next moment", f64::from(u32::try_from(rows)?) / took, "/s", Target::None, from);
    let mut most = 0.0_f64;
    for _ in 0..LOOKS {
        let started = Instant::now();
        let round = app.look_at_dates().await?;
        most = most.max(started.elapsed().as_secs_f64() * 1000.0);
        ensure!(round.rows == 0, "{round:?}");
    }
    let from = format!("the slowest of {LOOKS}");
    report.add("dates: a look that finds nothing", most, "ms", Target::AtMost(NOTHING_MS_MAX), from);
    root.disconnect().await?;
    app.stop().await;
    store.database().clone().close().await;
    Ok(())
}
