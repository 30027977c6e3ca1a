//! Owns: reading what somebody typed: which kind they name, whether it is an id, a number, a phone, a message. Pure.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::Kind;
use super::directory::fold;

/// Words that name a kind, in the languages of the pages.
const KINDS: [(&[&str], Kind); 8] = [
    (&["cliente", "client", "customer"], Kind::Client),
    (&["factura", "invoice", "fatura"], Kind::Invoice),
    (&["servicio", "service", "servico"], Kind::Service),
    (&["dominio", "domain"], Kind::Domain),
    (&["presupuesto", "quote", "orcamento"], Kind::Quote),
    (&["ticket", "chamado"], Kind::Ticket),
    (&["mensaje", "message", "mensagem"], Kind::Message),
    (&["evento", "event"], Kind::Event),
];
/// Digits of an id at most: more are a phone or a number of the company's.
const ID_DIGITS_MAX: usize = 9;

/// What is looked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// All of it, without a word that names a kind.
    pub text: String,
    /// Empty: anything.
    pub kinds: BTreeSet<Kind>,
    /// It is a number.
    pub id: Option<u64>,
    /// It is one word, without `#`.
    pub word: Option<String>,
    /// It is a message's id.
    pub message: Option<Uuid>,
}

impl Query {
    #[must_use]
    pub fn read(typed: &str) -> Self {
        let mut kinds = BTreeSet::new();
        let mut text = typed.trim();
        if let Some((first, rest)) = text.split_once([' ', ':', '#']) {
            let first = fold(first);
            if let Some((_, kind)) = KINDS.iter().find(|(words, _)| words.contains(&first.as_str())) {
                kinds.insert(*kind);
                text = rest.trim_start_matches([' ', ':', '#']);
            }
        }
        let bare = text.trim_start_matches('#').trim();
        let digits = !bare.is_empty() && bare.bytes().all(|byte| byte.is_ascii_digit());
        let id = if digits && bare.len() <= ID_DIGITS_MAX { bare.parse().ok() } else { None };
        let word = (!bare.is_empty() && !bare.contains(char::is_whitespace)).then(|| bare.to_owned());
        Self { message: Uuid::parse_str(bare).ok(), text: text.to_owned(), kinds, id, word }
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    #[must_use]
    pub fn wants(&self, kind: Kind) -> bool {
        self.kinds.is_empty() || self.kinds.contains(&kind)
    }

    /// Whether people may be meant.
    #[must_use]
    pub fn wants_people(&self) -> bool {
        self.message.is_none() && (self.wants(Kind::Client) || self.wants(Kind::Contact))
    }

    /// Whether rows of the platform may be meant. A name of several words is none; an address is nobody's invoice.
    #[must_use]
    pub fn wants_rows(&self) -> bool {
        let is_mail = self.text.contains('@') || self.text.starts_with('+');
        self.message.is_none() && self.word.is_some() && !is_mail
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_is_read_as_people_mean_it() {
        let read = Query::read;
        assert_eq!((read("7").id, read("#7").id, read("FC-0001-00000112").id), (Some(7), Some(7), None));
        assert_eq!(read("Factura FC-0001-00000112").kinds, [Kind::Invoice].into());
        assert_eq!(read("Factura FC-0001-00000112").word.as_deref(), Some("FC-0001-00000112"));
        assert_eq!(read("orçamento 12").kinds, [Kind::Quote].into());
        assert_eq!(read("cliente:7"), Query { kinds: [Kind::Client].into(), ..read("7") });
        assert_eq!(read("+54 9 11 5555-0101").id, None);
        assert!(!read("+54 9 11 5555-0101").wants_rows() && !read("ana@example.com").wants_rows());
        assert!(read("0190b6a0-0000-7000-8000-000000000001").message.is_some());
        assert!(read("Lucía Fernández").word.is_none() && read("  ").is_empty());
    }
}
