//! What is data: hookpoints, texts, manifest, settings, and that the documents know all of it.

use std::collections::BTreeMap;

use hookbridge::catalogue::{BUILT_IN, Catalogue, manifest};
use hookbridge::config::rules::RulesConfig;
use hookbridge::config::{DEFAULTS, load};
use hookbridge::domain::hookpoint::{Class, HookpointId};
use hookbridge::domain::locale::Locale;
use hookbridge::domain::reason::Reason;
use hookbridge::metrics::Metrics;
use hookbridge::provider_texts::definitions;
use hookbridge::render::{Templates, sample};
use hookbridge::whatsapp::check;
use serde_json::Value;

use crate::support::files::below;

fn catalogue() -> Catalogue {
    Catalogue::built_in(&BTreeMap::new()).expect("the catalogue is right")
}

fn templates() -> Templates {
    Templates::built_in().expect("the texts are right")
}

fn file(path: &str) -> String {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

#[test]
fn the_manuals_eleven_hookpoints_are_there_with_their_dates() {
    let introduced: BTreeMap<String, String> =
        catalogue().entries().map(|e| (e.hookpoint.id.to_string(), e.hookpoint.introduced.clone())).collect();
    for (id, date) in [
        ("client_registered", "2021-06-01"),
        ("password_changed", "2021-06-01"),
        ("invoice_created", "2021-06-01"),
        ("details_edited", "2021-06-02"),
        ("invoice_cancelled", "2021-06-05"),
        ("payment_received", "2021-06-05"),
        ("service_suspended", "2021-06-16"),
        ("service_reactivated", "2021-06-16"),
        ("service_terminated", "2021-07-08"),
        ("quote_available", "2021-07-08"),
        ("domain_deleted", "2021-07-08"),
    ] {
        assert_eq!(introduced.get(id).map(String::as_str), Some(date), "{id}");
    }
}

#[test]
fn every_text_renders_in_every_language_and_keeps_the_providers_rules() {
    let (catalogue, templates) = (catalogue(), templates());
    for entry in catalogue.entries() {
        for locale in Locale::ALL {
            let template = templates.get(&entry.hookpoint.id, locale);
            let template = template.unwrap_or_else(|| panic!("{} lacks {locale}", entry.hookpoint.id));
            let values = sample::values(entry.hookpoint.subject, locale, &sample::platform());
            let rendered = template.render(locale, &values, "https://a.example/").expect("the sample has all values");
            assert!(!rendered.text.contains("{{"), "{}", rendered.text);
        }
    }
    let mut problems = Vec::new();
    for definition in definitions(&catalogue, &templates, "https://a.example/").expect("definitions") {
        problems.extend(
            check(&definition).into_iter().map(|p| format!("{} {}: {p}", definition.name, definition.language)),
        );
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn security_texts_do_not_invite_to_end_all_alerts() {
    let (catalogue, templates) = (catalogue(), templates());
    let secure = |id: &str| {
        let entry = HookpointId::parse(id).and_then(|id| catalogue.entry(&id));
        entry.is_some_and(|entry| entry.hookpoint.class == Class::Security)
    };
    let mut seen = 0;
    for (alert, locale, template) in templates.iter().filter(|(alert, ..)| secure(alert)) {
        let text = format!("{} {}", template.source().body, template.footer.as_deref().unwrap_or_default());
        let words: Vec<&str> = text.split(|c: char| !c.is_alphanumeric()).collect();
        assert!(!["BAJA", "STOP", "SAIR"].iter().any(|word| words.contains(word)), "{alert} in {locale}: {text}");
        seen += 1;
    }
    assert!(seen >= 15, "{seen}");
}

#[test]
fn the_twelfth_hookpoint_is_data_alone() {
    let id = HookpointId::parse("service_activated").expect("a name");
    assert!(catalogue().entry(&id).is_some());
    let code = below("src", "rs").into_iter().chain(below("php-hooks", "php"));
    // The demo fires it, as it fires every hookpoint; the sweep names every hook that a change of a row should have fired.
    // So does the page that looks for facts which no hook told of. The probe of the first day notes which hooks fire, not what
    // they lead to.
    let apart = |path: &str| {
        ["/src/demo/", "/process/sweep/words.rs", "/admin/why.rs", "/catalogue/hooks", "/hookbridge/Probe.php"]
            .iter()
            .any(|one| path.contains(one))
    };
    for (path, text) in code.filter(|(path, _)| !apart(&path.to_string_lossy())) {
        assert!(!text.contains("service_activated") && !text.contains("AfterModuleCreate"), "{}", path.display());
    }
}

#[test]
fn the_stubs_built_in_manifest_is_the_catalogues() {
    let generated = manifest::of(&catalogue(), &RulesConfig::built_in()).0;
    let shipped = file("php-hooks/hookbridge/manifest.json");
    assert_eq!(
        serde_json::from_str::<Value>(&shipped).expect("JSON"),
        serde_json::from_str::<Value>(&generated).expect("JSON"),
        "run `hookbridge hookpoints manifest > php-hooks/hookbridge/manifest.json`"
    );
}

#[test]
fn mistakes_in_a_catalogue_are_all_reported() {
    let broken = BUILT_IN
        .replace("invoice.status != 'Draft'", "invoice.status !!= 'Draft'")
        .replace("to = \"'suspended'\"", "to = \"1 +\"");
    let error = Catalogue::read(&broken, &BTreeMap::new()).expect_err("two mistakes").to_string();
    assert!(error.contains("invoice_created") && error.contains("service_suspended"), "{error}");
    let error = Catalogue::read(&BUILT_IN.replace("invoice_draft", "no_such_reason"), &BTreeMap::new());
    assert!(error.expect_err("an unknown reason").to_string().contains("no_such_reason"));
}

#[test]
fn wrong_settings_are_reported_all_at_once_with_what_to_do() {
    let variables = [("HOOKBRIDGE__SERVER__LISSEN", "127.0.0.1:1"), ("HOOKBRIDGE__SENDERS__MAIN__RATE_PER_S", "many")]
        .map(|(k, v)| (k.to_owned(), v.to_owned()));
    let text = load(None, variables).expect_err("two mistakes").to_string();
    assert!(text.contains("did you mean `listen`?"), "{text}");
    assert!(text.contains("whole number"), "{text}");
    let text = load(None, []).expect_err("nothing is set").to_string();
    for key in ["database.url", "billing.url", "phone_number_id", "app_secret", "sources.billing.secrets"] {
        assert!(text.contains(key), "{key}: {text}");
    }
}

#[test]
fn the_documents_name_every_reason_setting_metric_and_hookpoint() {
    let rules = file("docs/RULES.md");
    for reason in Reason::ALL {
        assert!(rules.contains(&format!("`{}`", reason.code())), "docs/RULES.md lacks {}", reason.code());
    }
    for entry in catalogue().entries() {
        assert!(rules.contains(entry.hookpoint.id.as_str()), "docs/RULES.md lacks {}", entry.hookpoint.id);
    }
    let operations = file("docs/OPERATIONS.md");
    for line in DEFAULTS.lines().filter(|line| !line.starts_with('#')) {
        if let Some((key, _)) = line.split_once(" = ") {
            assert!(operations.contains(key), "docs/OPERATIONS.md lacks the setting {key}");
        }
    }
    for line in Metrics::default().text().lines().filter_map(|line| line.strip_prefix("# TYPE ")) {
        let name = line.split(' ').next().unwrap_or_default();
        assert!(operations.contains(name), "docs/OPERATIONS.md lacks the metric {name}");
    }
    let hooks = file("docs/HOOKS.md");
    for code in [
        "bad-signature",
        "stale-timestamp",
        "unknown-source",
        "id-reused",
        "length-required",
        "body-too-large",
        "not-json",
        "bad-envelope",
        "rate-limited",
        "not-stored",
    ] {
        assert!(hooks.contains(code), "docs/HOOKS.md lacks {code}");
    }
}
