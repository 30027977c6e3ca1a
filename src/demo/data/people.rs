//! Owns: the crowd behind the cast: clients with their logins, contacts and consents.

use std::collections::HashMap;

use serde::Deserialize;

use super::draw::Draw;
use super::insert::{Calendar, Cell, Insert, entities};
use super::phones::phone;

/// The cast's clients; the crowd comes after them.
pub(super) const CAST_CLIENTS: u32 = 40;
/// The user ids that the cast has used. A client of the crowd has the login with the next higher number, so that a user
/// id taken for a client id finds somebody else.
const USERS_AHEAD: u32 = 1;

/// What `people.toml` holds.
#[derive(Deserialize)]
pub(super) struct Texts {
    names: HashMap<String, Names>,
    companies: HashMap<String, Companies>,
    country: Vec<Country>,
}

#[derive(Deserialize)]
struct Names {
    first: Vec<String>,
    last: Vec<String>,
}

#[derive(Deserialize)]
struct Companies {
    kinds: Vec<String>,
    names: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Country {
    pub(super) code: String,
    weight: u32,
    names: String,
    language: String,
    pub(super) currency: u32,
    pub(super) calling: String,
    pub(super) digits: usize,
    /// City, province, postcode, area.
    places: Vec<[String; 4]>,
}

/// A client of the crowd.
pub(super) struct Person<'a> {
    pub(super) id: u32,
    pub(super) country: &'a Country,
    pub(super) first: &'a str,
    pub(super) last: &'a str,
    pub(super) company: String,
    /// The part of an address or a domain that is this client's.
    pub(super) slug: String,
    phone: String,
    place: &'a [String; 4],
    /// Days from today.
    pub(super) joined: i32,
    pub(super) closed: bool,
    inactive: bool,
}

impl Texts {
    pub(super) fn read() -> anyhow::Result<Self> {
        Ok(toml::from_str(include_str!("people.toml"))?)
    }

    /// Clients 41 to `clients`.
    pub(super) fn crowd(&self, clients: u32) -> Vec<Person<'_>> {
        let countries: Vec<(u32, &Country)> = self.country.iter().map(|country| (country.weight, country)).collect();
        let mut seen: HashMap<&str, u32> = HashMap::new();
        let person = |id| {
            let mut draw = Draw::new("person", id);
            let country = *draw.weighted(&countries);
            let number = seen.entry(&country.code).or_default();
            *number += 1;
            self.person(id, country, *number, &mut draw)
        };
        (CAST_CLIENTS + 1..=clients).map(person).collect()
    }

    fn person<'a>(&'a self, id: u32, country: &'a Country, number: u32, draw: &mut Draw) -> Person<'a> {
        let names = &self.names[&country.names];
        let (first, last) = (draw.pick(&names.first), draw.pick(&names.last));
        let company = if draw.chance(35) {
            let all = &self.companies[&country.names];
            format!("{} {}", draw.pick(&all.kinds), draw.pick(&all.names))
        } else {
            String::new()
        };
        // Towns in turn, so that the running number of a town stays short.
        let towns = u32::try_from(country.places.len()).unwrap_or(u32::MAX);
        let place = &country.places[(number % towns) as usize];
        let closed = draw.chance(4);
        Person {
            id,
            country,
            first,
            last,
            slug: format!("{}{id}", plain(if company.is_empty() { last } else { &company })),
            company,
            phone: phone(draw, country, &place[3], number / towns),
            place,
            joined: draw.day(-4_000, -20),
            closed,
            inactive: !closed && draw.chance(8),
        }
    }
}

/// The rows of the clients and of who may log in for them.
pub(super) fn statements(crowd: &[Person<'_>], calendar: &Calendar) -> Vec<String> {
    let mut clients = Insert::new(calendar, "tblclients");
    let mut users = Insert::new(calendar, "tblusers");
    let mut links = Insert::new(calendar, "tblusers_clients");
    let mut values = Insert::new(calendar, "tblcustomfieldsvalues");
    let mut consents = Insert::new(calendar, "tblmarketing_consent");
    for person in crowd {
        let mut draw = Draw::new("account", person.id);
        let language = language(person, &mut draw);
        person.insert_client(&mut clients, language, &mut draw);
        person.insert_login(&mut users, &mut links, language);
        if draw.chance(60) {
            value(&mut values, 2, person.id, if draw.chance(85) { "on" } else { "" });
        }
        if draw.chance(12) {
            value(&mut values, 1, person.id, &person.phone);
        }
        if draw.chance(15) {
            consents.row(&[
                ("userid", person.id.into()),
                ("opt_in", draw.chance(70).into()),
                ("created_at", Cell::Moment(person.joined, 41_000)),
                ("updated_at", Cell::Moment(person.joined, 41_000)),
            ]);
        }
    }
    let contacts = contacts(crowd, calendar);
    [clients.finish(), users.finish(), links.finish(), values.finish(), consents.finish(), contacts].concat()
}

impl Person<'_> {
    fn email(&self) -> String {
        format!("{}.{}@correo.example", plain(self.first), self.slug)
    }

    fn insert_client(&self, clients: &mut Insert<'_>, language: &str, draw: &mut Draw) {
        // Rows that the platform's newer code never touched have no times.
        let old = self.joined < -2_500;
        let [city, state, postcode, _] = self.place;
        let status = match (self.closed, self.inactive) {
            (true, _) => "Closed",
            (_, true) => "Inactive",
            _ => "Active",
        };
        let no_country = self.country.code == "AR" && draw.chance(2);
        clients.row(&[
            ("id", self.id.into()),
            ("uuid", (&format!("00000000-0000-4000-8000-{:012}", self.id)).into()),
            ("firstname", (&entities(self.first)).into()),
            ("lastname", (&entities(self.last)).into()),
            ("companyname", (&entities(&self.company)).into()),
            ("email", (&self.email()).into()),
            ("address1", (&format!("Calle Ejemplo {}", self.id)).into()),
            ("city", city.into()),
            ("state", state.into()),
            ("postcode", postcode.into()),
            ("country", if no_country { "" } else { &self.country.code }.into()),
            ("phonenumber", (&self.phone).into()),
            ("password", "canary-do-not-leak".into()),
            ("currency", self.country.currency.into()),
            ("defaultgateway", self.gateway().into()),
            ("credit", Cell::Money(if draw.chance(5) { 250_000 } else { 0 })),
            ("datecreated", Cell::Day(self.joined)),
            ("lastlogin", if draw.chance(20) { Cell::Null } else { Cell::Moment(draw.day(-60, -1), self.second()) }),
            ("status", status.into()),
            ("language", language.into()),
            ("emailoptout", draw.chance(10).into()),
            ("email_preferences", if draw.chance(30) { PREFERENCES.into() } else { Cell::Null }),
            ("created_at", if old { Cell::ZeroDate } else { Cell::Moment(self.joined, self.second()) }),
            ("updated_at", if old { Cell::ZeroDate } else { Cell::Moment(self.joined, self.second()) }),
        ]);
    }

    fn insert_login(&self, users: &mut Insert<'_>, links: &mut Insert<'_>, language: &str) {
        let user = self.id + USERS_AHEAD;
        let since = Cell::Moment(self.joined.max(-2_200), self.second());
        users.row(&[
            ("id", user.into()),
            ("first_name", (&entities(self.first)).into()),
            ("last_name", (&entities(self.last)).into()),
            ("email", (&self.email()).into()),
            ("password", "canary-do-not-leak".into()),
            ("language", language.into()),
            ("created_at", since),
            ("updated_at", since),
        ]);
        links.row(&[
            ("auth_user_id", user.into()),
            ("client_id", self.id.into()),
            ("owner", true.into()),
            ("created_at", since),
            ("updated_at", since),
        ]);
    }

    /// How the client pays.
    pub(super) fn gateway(&self) -> &'static str {
        match (self.country.currency, self.id % 5) {
            (1, 0) => "banktransfer",
            (1, _) => "mercadopago",
            (2, 0 | 1) => "stripe",
            _ => "paypal",
        }
    }

    /// A second of the day that is this client's.
    pub(super) fn second(&self) -> u32 {
        28_800 + self.id * 7_919 % 50_000
    }
}

const PREFERENCES: &str = r#"{"general":"1","invoice":"1","support":"1","product":"1","domain":"1","affiliate":"0"}"#;

/// The stored language: many who speak the system's have never chosen one.
fn language<'a>(person: &'a Person<'_>, draw: &mut Draw) -> &'a str {
    if person.country.language == "spanish" && draw.chance(40) { "" } else { &person.country.language }
}

fn value(values: &mut Insert<'_>, field: u32, client: u32, text: &str) {
    values.row(&[("fieldid", field.into()), ("relid", client.into()), ("value", text.into())]);
}

/// One in three has a contact; the six mail columns take all their combinations in turn.
fn contacts(crowd: &[Person<'_>], calendar: &Calendar) -> Vec<String> {
    const COMBINATIONS: u32 = 64;
    let mut contacts = Insert::new(calendar, "tblcontacts");
    let with_contact = crowd.iter().filter(|person| person.id % 3 == 0);
    for (number, person) in (0..).zip(with_contact) {
        let mut draw = Draw::new("contact", person.id);
        let on = |bit: u32| Cell::from((number % COMBINATIONS) & (1 << bit) != 0);
        let same = draw.chance(15);
        let other = phone(&mut draw, person.country, &person.place[3], 5_000 + number);
        contacts.row(&[
            ("userid", person.id.into()),
            ("firstname", if same { "Administración" } else { "Pagos" }.into()),
            ("lastname", (&entities(person.last)).into()),
            ("companyname", (&entities(&person.company)).into()),
            ("email", (&format!("pagos@{}.example", person.slug)).into()),
            ("country", (&person.country.code).into()),
            ("phonenumber", if same { &person.phone } else { &other }.into()),
            ("password", "canary-do-not-leak".into()),
            ("generalemails", on(0)),
            ("productemails", on(1)),
            ("domainemails", on(2)),
            ("invoiceemails", on(3)),
            ("supportemails", on(4)),
            ("affiliateemails", on(5)),
            ("created_at", Cell::Moment(person.joined, person.second())),
            ("updated_at", Cell::Moment(person.joined, person.second())),
        ]);
    }
    contacts.finish()
}

/// Lower-case ASCII letters and digits only, as in an address.
fn plain(text: &str) -> String {
    let letter = |letter: char| match letter {
        'á' | 'ã' | 'â' | 'à' | 'Á' | 'Â' => Some('a'),
        'é' | 'ê' | 'ë' | 'É' => Some('e'),
        'í' | 'Í' => Some('i'),
        'ó' | 'õ' | 'ô' | 'Ó' => Some('o'),
        'ú' | 'ü' | 'Ú' => Some('u'),
        'ñ' | 'Ñ' => Some('n'),
        'ç' => Some('c'),
        other if other.is_ascii_alphanumeric() => Some(other.to_ascii_lowercase()),
        _ => None,
    };
    text.chars().filter_map(letter).collect()
}
