//! Owns: the stub's manifest: which hooks to register, which fields may leave PHP, and where it asks the company's rules
//! before the platform goes on. Generated from hookpoints and settings, so that neither needs a touch over there.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::Catalogue;
use crate::config::rules::{AskConfig, RulesConfig};
use crate::domain::decision::Rule;
use crate::signature::{hex, sha256};

/// Small reads that the stub knows by name. A manifest can only name them, never define SQL.
pub const LOOKUPS: [&str; 2] = ["domain_name", "last_payment"];
/// The platform's hooks whose return value it honours, and the rule that each asks. The stub knows the shape of each; of the
/// rest of the rules (`ownership`) the platform has no hook to ask at.
pub const ASKED: [(&str, Rule); 8] = [
    ("ClientAreaPageCancellation", Rule::Cancellation),
    ("ClientAreaPageUpgrade", Rule::Upgrade),
    ("ClientDetailsValidation", Rule::Identity),
    ("ContactDetailsValidation", Rule::Identity),
    ("OrderProductUpgradeOverride", Rule::Upgrade),
    ("PreModuleTerminate", Rule::Termination),
    ("PreUpgradeCheckout", Rule::Upgrade),
    ("ShoppingCartValidateUpgrade", Rule::Upgrade),
];
/// Shape of the manifest.
const VERSION: u32 = 1;

#[derive(Serialize)]
struct ManifestWire {
    version: u32,
    hooks: BTreeMap<String, HookWire>,
    decisions: BTreeMap<&'static str, DecisionWire>,
}

#[derive(Serialize)]
struct DecisionWire {
    rule: &'static str,
    deadline_ms: u64,
    on_failure: &'static str,
}

#[derive(Default, Serialize)]
struct HookWire {
    fields: BTreeSet<String>,
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    diff: BTreeSet<String>,
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    lookups: BTreeSet<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    only: BTreeMap<String, BTreeSet<String>>,
}

/// The manifest of all enabled hookpoints and rules as JSON, and its `ETag`.
#[must_use]
pub fn of(catalogue: &Catalogue, rules: &RulesConfig) -> (String, String) {
    let mut hooks: BTreeMap<String, HookWire> = BTreeMap::new();
    let enabled = catalogue.entries().map(|entry| &entry.hookpoint).filter(|hookpoint| hookpoint.enabled);
    for trigger in enabled.flat_map(|hookpoint| &hookpoint.triggers).filter(|trigger| !trigger.ours) {
        let first = !hooks.contains_key(&trigger.hook);
        let hook = hooks.entry(trigger.hook.clone()).or_default();
        hook.fields.extend(trigger.fields.iter().cloned());
        hook.diff.extend(trigger.diff.iter().cloned());
        hook.lookups.extend(trigger.lookups.iter().cloned());
        if first {
            hook.only = trigger.only.iter().map(|(k, v)| (k.clone(), v.iter().cloned().collect())).collect();
        } else {
            widen(&mut hook.only, &trigger.only);
        }
    }
    let json = serde_json::to_string_pretty(&ManifestWire { version: VERSION, hooks, decisions: decisions(rules) })
        .expect("plain data")
        + "\n";
    let etag = format!("\"{}\"", &hex(&sha256(json.as_bytes()))[..32]);
    (json, etag)
}

/// The hooks that the stub registers by this manifest, those that ask a rule included.
#[must_use]
pub fn hooks(catalogue: &Catalogue, rules: &RulesConfig) -> BTreeSet<String> {
    let enabled = catalogue.entries().map(|entry| &entry.hookpoint).filter(|hookpoint| hookpoint.enabled);
    let registered = enabled.flat_map(|hookpoint| &hookpoint.triggers).filter(|trigger| !trigger.ours);
    let asked = decisions(rules).into_keys().map(str::to_owned);
    registered.map(|trigger| trigger.hook.clone()).chain(asked).collect()
}

fn decisions(rules: &RulesConfig) -> BTreeMap<&'static str, DecisionWire> {
    let enabled = ASKED.into_iter().map(|(hook, rule)| (hook, rule, rules.ask(rule))).filter(|(_, _, ask)| ask.enabled);
    enabled
        .map(|(hook, rule, AskConfig { deadline_ms, on_failure, .. })| {
            (hook, DecisionWire { rule: rule.code(), deadline_ms, on_failure: on_failure.code() })
        })
        .collect()
}

/// Two hookpoints on one hook: the stub must send what either of them wants.
fn widen(only: &mut BTreeMap<String, BTreeSet<String>>, other: &BTreeMap<String, Vec<String>>) {
    only.retain(|field, _| other.contains_key(field));
    for (field, values) in only {
        values.extend(other[field].iter().cloned());
    }
}
