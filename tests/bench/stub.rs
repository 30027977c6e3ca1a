//! Owns: what the stub costs the platform: the real one, in the PHPs of web servers and crons, beside the one of an older commit in
//! the same run; and beside a module that calls the provider while the page waits.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use hookbridge::app::Workers;
use hookbridge::demo::stage::SOURCE;
use serde_json::{Value, json};
use warp::Filter as _;
use warp::Reply as _;

use crate::Scale;
use crate::doors::listen;
use crate::home::Home;
use crate::report::{Report, Target};

/// The stub that sent each event while the page waited.
const OLD: &str = "a975a69";
/// How long the provider takes to answer: a near data centre over TLS.
const LATENCY: Duration = Duration::from_millis(120);
/// What a bridge that hangs may cost a page, in milliseconds.
const SICK_MS: f64 = 5.0;

/// A call as such modules make it, each on its own. Prints the microseconds of all.
const SLOW: &str = r"
$body = json_encode(['messaging_product' => 'whatsapp', 'to' => '+5491155550100', 'type' => 'template',
    'template' => ['name' => 'invoice_created', 'language' => ['code' => 'es_AR']]]);
$started = microtime(true);
for ($i = 0; $i < (int) $argv[2]; $i++) {
    $curl = curl_init($argv[1]);
    curl_setopt_array($curl, [CURLOPT_POST => true, CURLOPT_POSTFIELDS => $body, CURLOPT_RETURNTRANSFER => true,
        CURLOPT_HTTPHEADER => ['Content-Type: application/json'], CURLOPT_TIMEOUT => 5]);
    if (curl_exec($curl) === false) {
        fwrite(STDERR, curl_error($curl));
        exit(1);
    }
    unset($curl);
}
echo (int) round((microtime(true) - $started) * 1000000);
";

pub async fn measure(home: &Home, scale: Scale, report: &mut Report) -> anyhow::Result<()> {
    let (variables, store) = home.fresh("http://127.0.0.1:9", &[]).await?;
    let app = home.bridge(variables, Workers::ByHand).await?;
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let told = json!({
        "old": old_stub(root).await?, "new": root.join("php-hooks"), "url": format!("http://{}", app.address), "source": SOURCE,
        "secret": home.secrets.stub, "pages": scale.hooks / 10, "events": scale.hooks * 5,
    });
    let program = root.join("tests/php/bench.php");
    let figures: Value = serde_json::from_str(&php(&[program.to_str().context("a path")?, &told.to_string()]).await?)?;
    let (stored, _) = hookbridge::store::inbox::depth(&store).await?;
    let waits = figures["cron"]["new_waits"].as_i64().context("a number")?;
    ensure!(waits == 0, "{waits} events of the cron wait, {stored} are in the inbox");
    compare(&figures, report)?;
    let answer = warp::any().then(|| async {
        tokio::time::sleep(LATENCY).await;
        warp::reply::json(&json!({ "messages": [{ "id": "wamid.bench" }] })).into_response()
    });
    let provider = format!("http://{}/messages", listen(answer.boxed()).await?);
    let calls = scale.slow_calls.to_string();
    let all_us: f64 = php(&["-r", SLOW, "--", &provider, &calls]).await?.trim().parse()?;
    let (slow_ms, quick_ms) = (all_us / 1000.0 / f64::from(scale.slow_calls), number(&figures, "/hook/new/seen_ms")?);
    let from = format!("{:.0} us per hook against {:.0} us per call", quick_ms * 1000.0, slow_ms * 1000.0);
    report.add("provider call in the page / stub's hook", slow_ms / quick_ms, "x", Target::AtLeast(50.0), from);
    store.database().clone().close().await;
    app.stop().await;
    Ok(())
}

/// The table of what a page and a cron are charged.
fn compare(figures: &Value, report: &mut Report) -> anyhow::Result<()> {
    let pairs = [
        ("page without hooks, opcache", "/opcache", "load_ms", 0.25),
        ("page without hooks, no opcache", "/plain", "load_ms", 0.25),
        ("one hook, seen by FPM's visitor", "/hook", "seen_ms", 0.2),
        ("cron with many hooks, added time", "/cron", "", 0.2),
    ];
    for (name, place, member, most) in pairs {
        let of = |side: &str| number(figures, format!("{place}/{side}/{member}").trim_end_matches('/'));
        let (old, new) = (of("old")?, of("new")?);
        let from = format!("{new:.3} ms against {old:.3} ms of {OLD}");
        // A difference of two medians may come out below nothing.
        report.add(name, new.max(0.0) / old, "x", Target::AtMost(most), from);
    }
    let files = number(figures, "/opcache/new/files")?;
    let from = format!("{} of {OLD}", figures["opcache"]["old"]["files"]);
    report.add("files that such a page loads", files, "files", Target::AtMost(4.0), from);
    let sick = figures["sick"].as_object().context("figures of sick bridges")?;
    for (name, ms) in sick {
        let from = format!("{:.0} ms of {OLD}; FPM, 20 pages at once", ms["old"].as_f64().context("a number")?);
        report.add(name, ms["new"].as_f64().context("a number")?, "ms", Target::AtMost(SICK_MS), from);
    }
    let runs = number(figures, "/outage/new")?;
    let from = format!("{} of {OLD}", figures["outage"]["old"]);
    report.add("cron runs after an outage", runs, "runs", Target::AtMost(1.0), from);
    Ok(())
}

fn number(figures: &Value, place: &str) -> anyhow::Result<f64> {
    figures.pointer(place).and_then(Value::as_f64).with_context(|| format!("no figure {place}"))
}

/// The older stub, out of the repository's own history.
async fn old_stub(root: &Path) -> anyhow::Result<PathBuf> {
    let to = root.join("target/baseline").join(OLD);
    std::fs::create_dir_all(&to)?;
    let archive = format!("git archive {OLD} php-hooks | tar x -C \"$1\"");
    let mut shell = tokio::process::Command::new("sh");
    let done = shell.args(["-c", &archive, "sh"]).arg(&to).current_dir(root).status().await?;
    let folder = to.join("php-hooks");
    ensure!(
        done.success() && folder.join("hookbridge.php").is_file(),
        "git has no commit {OLD}: fetch the whole history"
    );
    Ok(folder)
}

async fn php(arguments: &[&str]) -> anyhow::Result<String> {
    let php =
        tokio::process::Command::new("php").args(arguments).stdin(Stdio::null()).stderr(Stdio::inherit()).output();
    let output = php.await.context("php does not start (package php-cli)")?;
    ensure!(output.status.success(), "php failed: see above");
    Ok(String::from_utf8(output.stdout)?)
}
