//! Owns: what the stub's probe of the first day noted, as values, and the points of `docs/FIRST-DAY.md` that it answers.

use std::collections::{BTreeMap, BTreeSet};

use super::event::{FieldValue, HookEvent};

/// The stub's own event.
pub const HOOK: &str = "HookbridgeProbe";

/// One note of the probe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// A hook fired.
    Fired {
        hook: String,
        /// `client at clientarea.php`.
        by: String,
        /// Names and types of its parameters.
        keys: String,
        /// States of the rows that it names: `tblinvoices.status=Unpaid`.
        states: String,
        /// What it says in words that the platform is known to use: `type=first`.
        words: String,
    },
    /// A PHP process ended: the order in which hooks fired, and the states then.
    End { order: Vec<String>, states: String, zone: String, sapi: String },
}

/// A point of `docs/FIRST-DAY.md`.
#[derive(Clone, Copy, Debug)]
pub struct Point {
    pub number: u8,
    pub question: &'static str,
    /// What to do on the platform while the probe is on.
    pub act: &'static str,
    /// The hooks whose notes answer it; none: it is answered by hand.
    pub hooks: &'static [&'static str],
    /// What to set, or to know, by the answer.
    pub then: &'static str,
}

/// Notes of one hook, summed up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    pub times: u64,
    pub by: BTreeSet<String>,
    pub keys: BTreeSet<String>,
    pub states: BTreeSet<String>,
    pub words: BTreeSet<String>,
    /// Orders of processes in which it fired, with the states at their end.
    pub processes: BTreeSet<String>,
}

impl Note {
    /// Reads the event; `None`: of a shape that this version does not know.
    #[must_use]
    pub fn read(event: &HookEvent) -> Option<Self> {
        let text = |name: &str| event.fields.get(name).and_then(FieldValue::as_text).map(clean).unwrap_or_default();
        let long = |name: &str| (0..12).map(|n| text(&format!("{name}_{n}"))).collect::<String>();
        match text("when").as_str() {
            "fired" => {
                let at = event.actor.entrypoint.as_deref().map_or_else(String::new, |at| format!(" at {}", clean(at)));
                let by = format!("{}{at}", event.actor.kind.code());
                let (keys, states, words) = (long("keys"), text("states"), text("words"));
                Some(Self::Fired { hook: text("at"), by, keys, states, words })
            }
            "end" => {
                let order = long("order").split(' ').filter(|hook| !hook.is_empty()).map(str::to_owned).collect();
                Some(Self::End { order, states: text("states"), zone: text("zone"), sapi: text("sapi") })
            }
            _ => None,
        }
    }
}

/// It goes to a terminal: printable ASCII, nothing else.
fn clean(text: &str) -> String {
    text.chars().filter(|one| (' '..='~').contains(one)).collect()
}

/// Sums the notes up, by hook; and the time zones by how PHP ran.
#[must_use]
pub fn sum(notes: &[Note]) -> (BTreeMap<String, Seen>, BTreeSet<String>) {
    let (mut hooks, mut zones): (BTreeMap<String, Seen>, BTreeSet<String>) = Default::default();
    let add = |set: &mut BTreeSet<String>, text: &String| {
        if !text.is_empty() {
            set.insert(text.clone());
        }
    };
    for note in notes {
        match note {
            Note::Fired { hook, by, keys, states, words } => {
                let seen = hooks.entry(hook.clone()).or_default();
                seen.times += 1;
                for (set, text) in
                    [(&mut seen.by, by), (&mut seen.keys, keys), (&mut seen.states, states), (&mut seen.words, words)]
                {
                    add(set, text);
                }
            }
            Note::End { order, states, zone, sapi } => {
                zones.insert(format!("{sapi}: {zone}"));
                let line =
                    format!("{} | at the end: {}", order.join(" > "), if states.is_empty() { "-" } else { states });
                for hook in order {
                    hooks.entry(hook.clone()).or_default().processes.insert(line.clone());
                }
            }
        }
    }
    (hooks, zones)
}

const fn point(
    number: u8,
    question: &'static str,
    act: &'static str,
    hooks: &'static [&'static str],
    then: &'static str,
) -> Point {
    Point { number, question, act, hooks, then }
}

/// The points, as in `docs/FIRST-DAY.md`; a test compares.
pub const POINTS: [Point; 18] = [
    point(
        1,
        "Which hook fires when a password changes, and which id does it carry?",
        "change a password in the profile, by the reset mail, and as an administrator",
        &["UserChangePassword", "ClientChangePassword"],
        "nothing if one of the two fired each time: both are listened to; else the sweep is the only sign: keep it on",
    ),
    point(
        2,
        "Does sending a quote change its status, once?",
        "press Send on a draft quote; save one without a change",
        &["QuoteCreated", "QuoteStatusChange"],
        "disable `quote_available` only if neither hook fires when it is sent",
    ),
    point(
        3,
        "Is the service's row changed before or after AfterModuleSuspend?",
        "suspend a service by its button",
        &["AfterModuleSuspend"],
        "if it still says Active when the hook fires, and Suspended at the end: set `settle_s` of `service_suspended` to 5",
    ),
    point(
        4,
        "Does a status set by the drop-down fire anything but ServiceEdit?",
        "set a service without a module to Suspended and save",
        &["ServiceEdit", "AfterModuleSuspend"],
        "if only ServiceEdit fires, such changes are found by the sweep: keep `sweep.enabled`",
    ),
    point(
        5,
        "Which actions fire AddInvoicePayment, and what are the states then (9.0)?",
        "pay an invoice, refund, cancel, mark paid, apply credit, pay several at once",
        &["AddInvoicePayment", "InvoicePaid", "InvoiceRefunded", "InvoiceCancelled", "AddTransaction"],
        "if AddInvoicePayment fires for a refund or for credit, tell us; the bridge does not take credit notes for payments",
    ),
    point(
        6,
        "Are amount and discount at PreUpgradeCheckout before or after the promotion?",
        "upgrade a service with a promotion, and look at its invoice",
        &["PreUpgradeCheckout", "OrderProductUpgradeOverride"],
        "if the invoice has not the rule's price, set `rules.upgrade.discount`",
    ),
    point(
        7,
        "Where is a refused upgrade shown on 9.0?",
        "choose a plan that the rule refuses",
        &["ShoppingCartValidateUpgrade"],
        "if the hook does not fire, the platform is older than 9.0: the theme's snippet is needed",
    ),
    point(
        8,
        "Is the refusal seen on the page where the plan was chosen?",
        "the same on 8.x",
        &["ClientAreaPageUpgrade"],
        "if nothing is seen, put the snippet of docs/HOOKS.md into upgradesummary.tpl",
    ),
    point(
        9,
        "What does a stopped termination look like, and is it tried again?",
        "terminate a service that the rule refuses, by its button and by the cron",
        &["PreModuleTerminate", "AfterModuleTerminate"],
        "if the state at the end is Terminated all the same, set `rules.termination.enabled = false` and tell us",
    ),
    point(
        10,
        "Where does ClientDetailsValidation fire, and with which keys?",
        "save a profile with a locked phone; order as a client; call UpdateClient",
        &["ClientDetailsValidation", "ClientEdit", "ClientAdd"],
        "if it does not fire somewhere, bad numbers come in there: look at `hookbridge audit phones`",
    ),
    point(
        11,
        "Which keys has ContactDetailsValidation in the cart and for a billing contact?",
        "add a domain contact in the cart, and a billing contact",
        &["ContactDetailsValidation", "ContactAdd", "ContactEdit"],
        "nothing: keys that begin with domaincontact are read as the new contact's, without them the plain ones are",
    ),
    point(
        12,
        "Does AddCancelRequest by API fire CancellationRequest, with the row already there?",
        "call AddCancelRequest",
        &["CancellationRequest"],
        "if it does not fire, the sweep finds the row: keep `sweep.enabled`",
    ),
    point(
        13,
        "What fires when a ticket is closed by client, administrator and cron?",
        "close one each way",
        &["TicketClose", "TicketStatusChange"],
        "if both fire for one closing, an own alert needs one of the two only",
    ),
    point(
        14,
        "Which types does InvoicePaymentReminder have?",
        "run the cron with overdue invoices",
        &["InvoicePaymentReminder"],
        "an own alert at this hook counts days from the due date, whatever the type is",
    ),
    point(
        15,
        "How are sent domain reminders noted?",
        "ask the two statements of docs/FIRST-DAY.md",
        &[],
        "nothing is set: it is for alerts about domains that will expire",
    ),
    point(
        16,
        "Do web and cron have one time zone, and is it `billing.timezone`?",
        "load a page, and run the cron",
        &[],
        "if they differ, set date_default_timezone_set() in configuration.php, and `billing.timezone` to the same",
    ),
    point(
        17,
        "Does AfterShoppingCartCheckout fire for orders by administrators and API?",
        "order in both ways, and pay one that is accepted by itself",
        &["AfterShoppingCartCheckout", "AcceptOrder"],
        "an own alert about orders needs a hook that fires for all of them",
    ),
    point(
        18,
        "How are rights and languages written?",
        "ask the statements of docs/FIRST-DAY.md",
        &[],
        "a language file of your own belongs into `billing.languages`",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_are_summed_up_by_hook_with_the_states_before_and_after() {
        let fired = |states: &str| Note::Fired {
            hook: "AfterModuleSuspend".into(),
            by: "admin at clientsservices.php".into(),
            keys: "params{serviceid:integer}".into(),
            states: states.into(),
            words: String::new(),
        };
        let end = Note::End {
            order: vec!["AfterModuleSuspend".into(), "ServiceEdit".into()],
            states: "tblhosting.domainstatus=Suspended".into(),
            zone: "UTC".into(),
            sapi: "cli".into(),
        };
        let (hooks, zones) =
            sum(&[fired("tblhosting.domainstatus=Active"), fired("tblhosting.domainstatus=Active"), end]);
        let seen = &hooks["AfterModuleSuspend"];
        assert_eq!((seen.times, seen.states.len(), seen.words.len()), (2, 1, 0));
        let process = "AfterModuleSuspend > ServiceEdit | at the end: tblhosting.domainstatus=Suspended";
        assert_eq!(seen.processes, BTreeSet::from([process.to_owned()]));
        assert_eq!((hooks["ServiceEdit"].times, zones), (0, BTreeSet::from(["cli: UTC".to_owned()])));
    }

    #[test]
    fn the_points_are_numbered_in_their_order() {
        assert!(POINTS.iter().enumerate().all(|(place, point)| usize::from(point.number) == place + 1));
    }
}
