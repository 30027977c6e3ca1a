//! Owns: `POST /v1/preferences`: what one account's people get, shown and changed in the platform's client area. The stub signs for who is
//! logged in; what is switched goes into the ledger for that person in this account, and never undoes what a number asked for.

use std::sync::Arc;

use arc_swap::ArcSwap;
use bytes::Buf;
use futures_util::Stream;
use jiff::Timestamp;
use serde_json::{Value, json};
use warp::Filter;
use warp::http::{HeaderMap, StatusCode};
use warp::reply::Response;

use super::Route;
use super::problem::{Problem, json_response};
use super::refusals::Refusals;
use super::request::{BodyLimits, json_body, signed};
use super::sources::Sources;
use crate::billing::{Billing, Want};
use crate::catalogue::Catalogue;
use crate::clock::Clock;
use crate::domain::consent::{How, Said, Scope, person, refuses};
use crate::domain::event::{FieldValue, HookEvent};
use crate::domain::hookpoint::{Class, Hookpoint, Right, Subject, SubjectKind};
use crate::domain::ids::UserId;
use crate::domain::locale::Locale;
use crate::domain::phone::{E164, PhonePolicy, normalize};
use crate::domain::record::{ClientStatus, Facts};
use crate::render::preferences::{Labels, labels};
use crate::rules::recipients::has_right;
use crate::store::Store;
use crate::store::consent::{self, Statement};

/// The hook that the stub names in the envelope.
pub const HOOK: &str = "ClientPreferences";
/// Changes of one form.
const CHANGES_MAX: usize = 200;

/// What the route works with.
#[derive(Clone, Debug)]
pub struct Preferences {
    pub sources: Arc<ArcSwap<Sources>>,
    pub catalogue: Arc<ArcSwap<Catalogue>>,
    pub billing: Billing,
    pub store: Store,
    pub phone: PhonePolicy,
    pub default_locale: Locale,
    pub clock: Clock,
    pub limits: BodyLimits,
    pub refusals: Arc<Refusals>,
}

/// Somebody of the account.
struct Person {
    key: String,
    name: String,
    phone: Option<E164>,
    /// Which alerts this person may get.
    gets: Box<dyn Fn(&Hookpoint) -> bool + Send + Sync>,
}

/// One switch of the form.
struct Change {
    key: String,
    class: Class,
    wanted: bool,
}

/// The route.
#[must_use]
pub fn route(preferences: Preferences) -> Route {
    let preferences = Arc::new(preferences);
    warp::path!("v1" / "preferences")
        .and(warp::post())
        .and(warp::header::headers_cloned())
        .and(warp::body::stream())
        .then(move |headers: HeaderMap, body| {
            let preferences = preferences.clone();
            async move {
                preferences.take(&headers, body).await.unwrap_or_else(|problem| {
                    if let Some(unsaid) = preferences.refusals.say(preferences.clock.now()) {
                        tracing::warn!(
                            status = problem.status,
                            code = problem.code,
                            unsaid,
                            "preferences were refused"
                        );
                    }
                    problem.response()
                })
            }
        })
        .boxed()
}

fn unavailable(error: &impl std::fmt::Display) -> Problem {
    tracing::error!(%error, "preferences cannot be had");
    Problem::new(503, "database", "A database does not answer. Try again.").retry_after(5)
}

fn bad(detail: impl Into<String>) -> Problem {
    Problem::new(422, "bad-preferences", detail)
}

impl Preferences {
    async fn take<B: Buf, E>(
        &self,
        headers: &HeaderMap,
        body: impl Stream<Item = Result<B, E>>,
    ) -> Result<Response, Problem> {
        let body = json_body(headers, body, self.limits).await?;
        let now = self.clock.now();
        let event = signed(headers, &body, &self.sources.load(), now)?.event()?;
        if event.hook != HOOK {
            return Err(bad(format!("`hook` must be {HOOK}.")));
        }
        let client = event.fields.get("client_id").and_then(FieldValue::as_id);
        let client = client.ok_or_else(|| bad("`client_id` must be the id of a client."))?;
        let facts = self.facts(client, now).await?;
        let login = event.fields.get("user_id").and_then(FieldValue::as_id).map(UserId);
        may(&facts, login)?;
        let default_country =
            self.billing.platform(now).await.map_err(|error| unavailable(&error))?.default_country.clone();
        let people = people(&facts, &default_country, self.phone);
        let changes = changes(&event, &people)?;
        let saved = !changes.is_empty();
        for change in &changes {
            self.note(change, login, event.actor.masquerading, now).await?;
        }
        let locale = facts.client.locale.unwrap_or(self.default_locale);
        let shown = self.shown(&people, locale, saved).await?;
        Ok(json_response(StatusCode::OK, shown.to_string()))
    }

    async fn facts(&self, client: u64, now: Timestamp) -> Result<Facts, Problem> {
        let want = Want::of(Subject { kind: SubjectKind::Client, id: client });
        let found = self.billing.gather(&[want], now).await.map_err(|error| unavailable(&error))?;
        let facts = found.into_iter().next().and_then(Result::ok).and_then(|all| all.into_iter().next());
        facts
            .filter(|facts| facts.client.status != ClientStatus::Closed)
            .ok_or_else(|| Problem::new(404, "unknown-client", "There is no such open account."))
    }

    async fn note(
        &self,
        change: &Change,
        login: Option<UserId>,
        masquerading: bool,
        now: Timestamp,
    ) -> Result<(), Problem> {
        let said = Said { scope: Scope::from(change.class), opted_out: !change.wanted, at: now };
        let who = login.map_or("the account's owner".to_owned(), |login| format!("login {login}"));
        let by = if masquerading { " (an administrator in the client's place)" } else { "" };
        let evidence = format!("client area: {who}{by}");
        let statement = Statement { said, how: How::ClientArea, evidence: &evidence };
        consent::record(&self.store, &[&change.key], statement).await.map_err(|error| unavailable(&error))
    }

    async fn shown(&self, people: &[Person], locale: Locale, saved: bool) -> Result<Value, Problem> {
        let numbers: Vec<E164> = people.iter().filter_map(|one| one.phone.clone()).collect();
        let keys: Vec<&str> = people.iter().map(|one| one.key.as_str()).collect();
        let book = consent::of_numbers(&self.store, &numbers).await.map_err(|error| unavailable(&error))?;
        let words = consent::words_of(&self.store, &keys).await.map_err(|error| unavailable(&error))?;
        let (labels, catalogue) = (labels(locale), self.catalogue.load());
        let shown: Vec<Value> = people
            .iter()
            .map(|one| {
                let said: Vec<Said> = words.iter().filter(|word| word.recipient == one.key).map(|word| word.said).collect();
                let refused = |class| one.phone.as_ref().is_some_and(|phone| book.number_refuses(phone, class));
                let kinds = Class::ALL.iter().filter_map(|class| {
                    let what = titles(&catalogue, one, *class, locale);
                    let fixed = *class == Class::Security || refused(*class);
                    (!what.is_empty()).then(|| {
                        json!({ "class": class.code(), "label": labels.class(*class), "what": what.join(", "),
                            "on": !refused(*class) && !refuses(&said, *class), "fixed": fixed })
                    })
                });
                json!({ "key": one.key, "name": one.name, "number": one.phone.as_ref().map(E164::masked),
                    "kinds": kinds.collect::<Vec<_>>(), "note": note(labels, one, Class::ALL.iter().any(|class| refused(*class))) })
            })
            .filter(|one| one["kinds"].as_array().is_some_and(|kinds| !kinds.is_empty()))
            .collect();
        Ok(json!({ "title": labels.title, "about": labels.about, "save": labels.save,
            "saved": saved.then_some(labels.saved), "people": shown }))
    }
}

fn note(labels: &Labels, one: &Person, refused: bool) -> Option<&'static str> {
    match &one.phone {
        None => Some(labels.no_number),
        Some(_) if refused => Some(labels.refused),
        Some(_) => None,
    }
}

fn titles(catalogue: &Catalogue, one: &Person, class: Class, locale: Locale) -> Vec<String> {
    let mine = catalogue
        .entries()
        .map(|entry| &entry.hookpoint)
        .filter(|hookpoint| hookpoint.enabled && hookpoint.class == class);
    let title = |hookpoint: &Hookpoint| {
        hookpoint.title.get(&locale).or_else(|| hookpoint.title.values().next()).cloned().unwrap_or_default()
    };
    mine.filter(|hookpoint| (one.gets)(hookpoint)).map(title).collect()
}

/// Whether this login may change what the account's people get: the owner, or who may edit the account's profile or contacts.
fn may(facts: &Facts, login: Option<UserId>) -> Result<(), Problem> {
    let guest = login.and_then(|login| facts.guests.iter().find(|guest| guest.user_id == login));
    let right = |right: &Right| matches!(right, Right::Profile | Right::Contacts);
    if guest.is_none_or(|guest| guest.rights.iter().any(right)) {
        return Ok(());
    }
    Err(Problem::new(403, "not-yours", "This login may not change the account's profile."))
}

fn people(facts: &Facts, default_country: &str, policy: PhonePolicy) -> Vec<Person> {
    let client = &facts.client;
    let read = |phone: &str, country: &str| {
        let country = if country.is_empty() { &client.country } else { country };
        normalize(phone, country, default_country, &policy).ok().map(|phone| phone.e164)
    };
    let name = |first: &str, last: &str, company: &str| {
        let whole = format!("{first} {last}").trim().to_owned();
        if whole.is_empty() { company.to_owned() } else { whole }
    };
    let mut all = vec![Person {
        key: person(client.id, None, None),
        name: name(&client.first_name, &client.last_name, &client.company),
        phone: read(&client.phone, &client.country),
        gets: Box::new(|_| true),
    }];
    all.extend(facts.contacts.iter().cloned().map(|contact| Person {
        key: person(client.id, Some(contact.id), None),
        name: name(&contact.first_name, &contact.last_name, &contact.company),
        phone: read(&contact.phone, &contact.country),
        gets: Box::new(move |hookpoint| has_right(&contact, hookpoint.audience)),
    }));
    all.extend(facts.guests.iter().filter_map(|guest| {
        let home = guest.home.as_ref()?;
        let rights = guest.rights.clone();
        Some(Person {
            key: person(client.id, None, Some(guest.user_id)),
            name: guest.first_name.clone(),
            phone: read(&home.phone, &home.country),
            gets: Box::new(move |hookpoint| hookpoint.users.is_some_and(|right| rights.contains(&right))),
        })
    }));
    all
}

/// Reads `changes`: `client:35/status=0;contact:7/notice=1`.
fn changes(event: &HookEvent, people: &[Person]) -> Result<Vec<Change>, Problem> {
    let text = event.fields.get("changes").and_then(FieldValue::as_text).unwrap_or_default();
    let parts: Vec<&str> = text.split(';').filter(|part| !part.is_empty()).collect();
    if parts.len() > CHANGES_MAX {
        return Err(bad(format!("`changes` holds more than {CHANGES_MAX}.")));
    }
    let read = |(n, part): (usize, &&str)| {
        let wrong = || bad(format!("`changes`, number {}: must look like client:35/status=0.", n + 1));
        let (key, rest) = part.split_once('/').ok_or_else(wrong)?;
        let (class, wanted) = rest.split_once('=').ok_or_else(wrong)?;
        let class = Class::parse(class).ok_or_else(wrong)?;
        if !["0", "1"].contains(&wanted) {
            return Err(wrong());
        }
        if class == Class::Security {
            return Err(bad(format!("`changes`, number {}: security alerts end by a reply only.", n + 1)));
        }
        if !people.iter().any(|one| one.key == key) {
            return Err(bad(format!("`changes`, number {}: nobody of this account.", n + 1)));
        }
        Ok(Change { key: key.to_owned(), class, wanted: wanted == "1" })
    };
    parts.iter().enumerate().map(read).collect()
}
