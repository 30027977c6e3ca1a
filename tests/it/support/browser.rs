//! Owns: a real Chromium, driven over `WebDriver`. One per test: its profile is thrown away, its processes end with it.

use std::net::TcpListener as StdListener;
use std::process::Stdio;
use std::time::Duration;

use fantoccini::actions::{InputSource as _, KeyAction, KeyActions};
use fantoccini::key::Key;
use fantoccini::{Client, ClientBuilder, Locator};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use super::person::PASSWORD;

/// How long a page may take to show what is awaited.
const PATIENCE: Duration = Duration::from_secs(20);

pub struct Browser {
    pub page: Client,
    base: String,
    /// Its process: told to end it ends Chromium, too.
    driver: u32,
    _driver: Child,
}

impl Drop for Browser {
    /// A test that failed must not leave a browser running.
    fn drop(&mut self) {
        let _ = std::process::Command::new("kill").arg(self.driver.to_string()).status();
        let gone = || !std::path::Path::new(&format!("/proc/{}/exe", self.driver)).exists();
        for _ in 0..1_000_000 {
            if gone() {
                break;
            }
            std::thread::yield_now();
        }
    }
}

impl Browser {
    /// A window of that width, on the service at `base`.
    pub async fn open(base: &str, width: u32) -> Self {
        // The driver takes a port of its own choice only if it may tell us which; this one is free now.
        let port = StdListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a free port").port();
        let mut driver = Command::new("chromedriver")
            .args([format!("--port={port}"), "--log-level=SEVERE".to_owned()])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("chromedriver starts: scripts/setup.sh test installs it");
        let mut lines = BufReader::new(driver.stdout.take().expect("its output")).lines();
        while let Some(line) = lines.next_line().await.expect("its output can be read") {
            if line.contains("was started successfully") {
                break;
            }
        }
        let arguments = [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--force-color-profile=srgb",
        ];
        let mut all: Vec<String> = arguments.iter().map(|&one| one.to_owned()).collect();
        all.extend([format!("--window-size={width},900"), "--accept-lang=es-AR,es".to_owned()]);
        let mut options = json!({ "args": all });
        if width < 500 {
            // A window is never narrower than 500 px: a phone is emulated.
            options["mobileEmulation"] =
                json!({ "deviceMetrics": { "width": width, "height": 844, "pixelRatio": 1.0 } });
        }
        let wanted = json!({ "browserName": "chrome", "goog:chromeOptions": options });
        let Value::Object(wanted) = wanted else { unreachable!("an object was written") };
        let page = ClientBuilder::new(hyper_util::client::legacy::connect::HttpConnector::new())
            .capabilities(wanted)
            .connect(&format!("http://127.0.0.1:{port}"))
            .await
            .expect("Chromium starts");
        Self {
            page,
            base: base.trim_end_matches('/').to_owned(),
            driver: driver.id().unwrap_or_default(),
            _driver: driver,
        }
    }

    pub async fn go(&self, path: &str) {
        self.page.goto(&format!("{}{path}", self.base)).await.expect("the page loads");
    }

    /// The address below the service.
    pub async fn at(&self) -> String {
        let url = self.page.current_url().await.expect("an address").to_string();
        url.strip_prefix(&self.base).unwrap_or(&url).to_owned()
    }

    pub async fn text(&self) -> String {
        let body = self.page.find(Locator::Css("body")).await.expect("a body");
        body.text().await.expect("its text")
    }

    /// Waits until the page shows `text`.
    pub async fn sees(&self, text: &str) {
        let script = "return document.body.innerText.includes(arguments[0])";
        let shown = async {
            loop {
                let found = self.page.execute(script, vec![json!(text)]).await;
                if found.is_ok_and(|found| found == json!(true)) {
                    return;
                }
                tokio::task::yield_now().await;
            }
        };
        assert!(
            tokio::time::timeout(PATIENCE, shown).await.is_ok(),
            "{} does not show {text}:\n{}",
            self.at().await,
            self.text().await
        );
    }

    /// Types into the field with that id, in place of what stood there.
    pub async fn fill(&self, id: &str, text: &str) {
        let field = self.page.find(Locator::Id(id)).await.unwrap_or_else(|e| panic!("no field {id}: {e}"));
        field.clear().await.expect("it can be emptied");
        field.send_keys(text).await.expect("it takes text");
    }

    /// Presses the button or link that says `text`.
    pub async fn press(&self, text: &str) {
        let path =
            format!("//main//*[self::button or self::a or self::summary][contains(normalize-space(.), '{text}')]");
        let found = self.page.find(Locator::XPath(&path)).await;
        let button = match found {
            Ok(button) => button,
            Err(error) => panic!("nothing to press says {text}: {error}\n{}", self.text().await),
        };
        self.page
            .execute(
                "arguments[0].scrollIntoView({block: 'center'})",
                vec![serde_json::to_value(&button).expect("an element")],
            )
            .await
            .expect("it can be scrolled to");
        button.click().await.expect("it can be pressed");
    }

    /// Presses what asks before it does something, and agrees.
    pub async fn agree(&self, text: &str) {
        self.press(text).await;
        let asked = async {
            while self.page.accept_alert().await.is_err() {
                tokio::task::yield_now().await;
            }
        };
        let asked = tokio::time::timeout(PATIENCE, asked).await;
        assert!(asked.is_ok(), "{text} does not ask:\n{}", self.text().await);
    }

    /// Follows the link to `href`, as soon as it is there.
    pub async fn follow(&self, href: &str) {
        let css = format!("main a[href='{href}']");
        let link = self.page.wait().at_most(PATIENCE).for_element(Locator::Css(&css)).await;
        let link = match link {
            Ok(link) => link,
            Err(error) => panic!("no link to {href}: {error}\n{}", self.text().await),
        };
        link.click().await.expect("it can be pressed");
    }

    /// Chooses a value of the list with that id.
    pub async fn choose(&self, id: &str, value: &str) {
        let list = self.page.find(Locator::Id(id)).await.unwrap_or_else(|e| panic!("no list {id}: {e}"));
        list.select_by_value(value).await.unwrap_or_else(|e| panic!("{id} has no {value}: {e}"));
    }

    /// Logs in as `name`.
    pub async fn log_in(&self, name: &str) {
        self.go("/admin/login").await;
        self.fill("name", name).await;
        self.fill("password", PASSWORD).await;
        self.press("Ingresar").await;
        self.sees("Resumen").await;
    }

    /// Presses a key of the keyboard, wherever the page is.
    pub async fn key(&self, key: Key) {
        let keys = KeyActions::new("keyboard".to_owned())
            .then(KeyAction::Down { value: key.into() })
            .then(KeyAction::Up { value: key.into() });
        self.page.perform_actions(keys).await.expect("a key can be pressed");
    }

    /// What has the focus: its text, and whether one sees that it has it (in the window, with an outline).
    pub async fn focus(&self) -> (String, bool) {
        let script = "const at = document.activeElement, box = at.getBoundingClientRect(), look = getComputedStyle(at);\
                      const there = box.width > 1 && box.left >= 0 && box.top >= 0 && box.right <= innerWidth + 1 && box.bottom <= innerHeight + 1;\
                      return [at.innerText.trim().split('\\n')[0], there && look.outlineStyle !== 'none' && parseFloat(look.outlineWidth) >= 2]";
        let found = self.page.execute(script, Vec::new()).await.expect("something has the focus");
        (found[0].as_str().unwrap_or_default().to_owned(), found[1] == json!(true))
    }

    /// What the page is wider than its window by, in px.
    pub async fn overflow(&self) -> i64 {
        let script = "return document.documentElement.scrollWidth - document.documentElement.clientWidth";
        self.page.execute(script, Vec::new()).await.expect("a number").as_i64().unwrap_or(i64::MAX)
    }

    /// What axe finds that keeps somebody out (WCAG 2.1 A and AA, and its good practice).
    pub async fn barriers(&self, axe: &str) -> Vec<String> {
        self.page.execute(axe, Vec::new()).await.expect("axe loads");
        let script = "const done = arguments[arguments.length - 1]; axe.run(document, {resultTypes: ['violations']})\
                      .then(r => done(r.violations.map(v => v.id + ': ' + v.help + ' ' + v.nodes.map(n => n.target.join(' ')).slice(0, 3).join(', '))))\
                      .catch(e => done(['axe: ' + e]))";
        let found = self.page.execute_async(script, Vec::new()).await.expect("axe answers");
        found.as_array().into_iter().flatten().map(|one| one.as_str().unwrap_or_default().to_owned()).collect()
    }

    pub async fn close(self) {
        self.page.clone().close().await.expect("Chromium ends");
    }
}
