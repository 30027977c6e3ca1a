//! Owns: who and what is in the billing database of a run, as rows, and who must be told about it, worked out here from
//! the same numbers and without a line of the bridge's code. A person's number and first name hold his own id, so that a
//! message tells by itself for whom it was meant. Ids of different things collide on purpose.

use std::fmt::Write as _;

/// Clients, invoices, services, quotes, domains and logins all count from here.
pub const FIRST: u32 = 1_001;
/// Contacts count from here.
const FIRST_CONTACT: u32 = 500_001;

/// The rights of a contact, one bit each.
pub const GENERAL: u8 = 1;
pub const PRODUCT: u8 = 2;
pub const DOMAIN: u8 = 4;
pub const INVOICE: u8 = 8;

/// Somebody with a phone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// As the platform stores it, without the dot: `+549115…`.
    pub phone: String,
    pub name: String,
}

/// One client of the platform.
#[derive(Clone, Debug)]
pub struct Client {
    pub id: u32,
    pub me: Person,
    /// Closed, or without a phone: gets nothing.
    pub closed: bool,
    pub phoneless: bool,
    /// The language as the platform has it, and the locale that texts are sent in.
    pub language: &'static str,
    pub locale: &'static str,
    pub contact: Option<(u8, Person)>,
}

impl Client {
    /// Number `index` of all.
    pub fn new(index: u32) -> Self {
        let id = FIRST + index;
        let (language, locale) =
            [("spanish", "es_AR"), ("english", "en"), ("", "es_AR"), ("portuguese-br", "pt_BR")][index as usize % 4];
        let contact = (index.is_multiple_of(3)).then(|| {
            let id = FIRST_CONTACT + index;
            let rights = u8::try_from(index / 3 % 16).unwrap_or_default();
            (rights, Person { phone: format!("+5491155{id:06}"), name: format!("Contacto{id}") })
        });
        Self {
            id,
            me: Person { phone: format!("+5491144{id:06}"), name: format!("Cliente{id}") },
            closed: index % 25 == 7,
            phoneless: index % 25 == 14,
            language,
            locale,
            contact: contact.filter(|_| index % 25 != 14),
        }
    }

    /// Who is to be told of something that contacts with `right` hear of, too (0: the client alone).
    pub fn told(&self, right: u8) -> Vec<&Person> {
        if self.closed || self.phoneless {
            return Vec::new();
        }
        let contact = self.contact.iter().filter(|(rights, _)| rights & right != 0).map(|(_, person)| person);
        std::iter::once(&self.me).chain(contact).collect()
    }

    /// Why nobody is told, if so.
    pub fn silence(&self) -> Option<&'static str> {
        match (self.closed, self.phoneless) {
            (true, _) => Some("client_closed"),
            (_, true) => Some("phone_missing"),
            _ => None,
        }
    }
}

/// The rows of all clients, as statements.
pub fn statements(clients: &[Client]) -> Vec<String> {
    let dotted = |phone: &str| format!("+54.{}", &phone[3..]);
    let mut rows = [const { Vec::new() }; 4];
    for client in clients {
        let (id, name) = (client.id, &client.me.name);
        let phone = if client.phoneless { String::new() } else { dotted(&client.me.phone) };
        let status = if client.closed { "Closed" } else { "Active" };
        rows[0].push(format!(
            "({id},'{name}','Prueba','','c{id}@example.com','AR','{phone}',1,'{status}','{}')",
            client.language
        ));
        if let Some((rights, person)) = &client.contact {
            let on = |right: u8| u8::from(rights & right != 0);
            rows[1].push(format!(
                "({},{id},'{}','AR','{}',{},{},{},{})",
                FIRST_CONTACT + id - FIRST,
                person.name,
                dotted(&person.phone),
                on(GENERAL),
                on(PRODUCT),
                on(DOMAIN),
                on(INVOICE)
            ));
        }
        let user = user_of(id, clients);
        rows[2].push(format!("({user},'{name}','c{id}@example.com','')"));
        rows[3].push(format!("({user},{id},1)"));
    }
    let heads = [
        "tblclients (id, firstname, lastname, companyname, email, country, phonenumber, currency, status, language)",
        "tblcontacts (id, userid, firstname, country, phonenumber, generalemails, productemails, domainemails, invoiceemails)",
        "tblusers (id, first_name, email, language)",
        "tblusers_clients (auth_user_id, client_id, owner)",
    ];
    heads.iter().zip(rows).map(|(head, rows)| insert(head, &rows)).collect()
}

/// The login of a client: another client's number.
pub fn user_of(client: u32, clients: &[Client]) -> u32 {
    FIRST + u32::try_from(clients.len()).unwrap_or(u32::MAX) - 1 - (client - FIRST)
}

/// One multi-row INSERT.
pub fn insert(head: &str, rows: &[String]) -> String {
    let mut sql = format!("INSERT INTO {head} VALUES ");
    for (index, row) in rows.iter().enumerate() {
        let _ = write!(sql, "{}{row}", if index == 0 { "" } else { "," });
    }
    sql
}
