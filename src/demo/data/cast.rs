//! Owns: the ids of the cast by what they are there for, so that a test says `CAST.invoice_unpaid` and not `3`.
//! `tests/it/demo_data.rs` checks every one of them against the rows.

/// Something that belongs to a client; the two ids are never the same number, and the client who bears `id` is another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owned {
    pub id: u32,
    pub client: u32,
}

const fn owned(id: u32, client: u32) -> Owned {
    Owned { id, client }
}

/// Who and what the demo and the tests use for each hookpoint.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Cast {
    /// Lucía Fernández, Argentina, pays in ARS, language stored as `spanish`, phone `+54.91155550101`.
    pub client_spanish: u32,
    /// Martín Ñáñez: no language stored, so the system's Spanish. Has contacts 1 (invoices only) and 2 (with a phone of its own).
    pub client_system_language: u32,
    /// João Pereira da Conceição, Brazil, BRL.
    pub client_portuguese: u32,
    /// Emily O'Brien, USA, USD; every text is entity-encoded.
    pub client_english: u32,
    /// Names as `P&eacute;rez`.
    pub client_accents_as_entities: u32,
    pub client_closed: u32,
    pub client_inactive: u32,
    /// Nothing in the phone column; `contact_of_client_without_phone` has one.
    pub client_without_phone: u32,
    /// `no tiene` in the phone column.
    pub client_junk_phone: u32,
    /// `011 15-5555-0107`.
    pub client_raw_phone: u32,
    /// `+.1155550118`.
    pub client_empty_calling_code: u32,
    /// Neither country nor calling code.
    pub client_without_country: u32,
    /// `+54.5491155550120`.
    pub client_doubled_calling_code: u32,
    /// Brazil without the ninth digit.
    pub client_old_brazilian_phone: u32,
    /// Mexico with the old 1.
    pub client_old_mexican_phone: u32,
    /// The same phone as `client_spanish`.
    pub client_sharing_phone: u32,
    /// Named `<script>alert(1)</script>`, encoded as the platform does.
    pub client_script: u32,
    /// Named `{{7*7}}`.
    pub client_template: u32,
    pub client_long_name: u32,
    /// First name of blanks, no last name, a company.
    pub client_blank_name: u32,
    /// Line breaks, tabs and runs of blanks in the name.
    pub client_line_breaks: u32,
    /// Language `french`: no texts for it.
    pub client_unknown_language: u32,
    /// Has switched off everything that can be switched off.
    pub client_opted_out: u32,
    /// Another number in the client field `WhatsApp` (field 1).
    pub client_with_whatsapp_field: u32,
    /// `overideduenotices`: wants no reminders.
    pub client_without_due_notices: u32,
    /// Two overdue invoices.
    pub client_in_debt: u32,
    /// Two clients with the same e-mail (in another case).
    pub clients_same_email: [u32; 2],
    /// Same name and company, different e-mails, nothing overdue: a change of owner from the first to the second.
    pub clients_transfer: [u32; 2],

    /// Owns both of `clients_of_one_user`.
    pub user_of_two_clients: u32,
    pub clients_of_one_user: [u32; 2],
    /// The login of `client_spanish`.
    pub user_of_spanish: Owned,
    /// May look into clients 1 and 4, owns neither.
    pub user_guest: u32,
    /// A login that owns no client at all.
    pub user_without_client: u32,

    /// Gets invoices only.
    pub contact_invoices_only: Owned,
    /// Gets everything, at the client's own number.
    pub contact_same_phone: Owned,
    pub contact_all: Owned,
    pub contact_none: Owned,
    pub contact_of_closed_client: Owned,
    pub contact_of_client_without_phone: Owned,

    pub invoice_unpaid: Owned,
    pub invoice_paid: Owned,
    /// The row of `tblaccounts` that paid `invoice_paid`: 21,780.00 ARS.
    pub payment: Owned,
    /// 60,000.00 of 145,200.00 ARS paid.
    pub invoice_partly_paid: Owned,
    pub payment_partial: Owned,
    pub invoice_cancelled: Owned,
    pub invoice_overdue: Owned,
    pub invoice_draft: Owned,
    pub invoice_refunded: Owned,
    pub invoice_collections: Owned,
    pub invoice_payment_pending: Owned,
    /// Paid by the client's balance: total 0.00, no payment row.
    pub invoice_paid_by_credit: Owned,
    /// Its items are other invoices.
    pub invoice_mass_payment: Owned,
    /// Unpaid, with a number of its own: `FC-0001-00000112`.
    pub invoice_numbered: Owned,
    pub invoice_portuguese: Owned,
    /// 1,234.56 USD.
    pub invoice_english: Owned,
    pub invoice_of_closed_client: Owned,
    pub invoice_of_client_without_phone: Owned,
    pub invoice_of_script: Owned,
    pub invoice_of_template: Owned,
    pub invoice_of_long_name: Owned,
    /// Two invoices of one client, made in the same second.
    pub invoices_same_second: [Owned; 2],
    /// Service id, client id, invoice id, ... 7 are all different people's.
    pub invoice_seven: Owned,

    pub service_active: Owned,
    pub service_suspended: Owned,
    pub service_terminated: Owned,
    pub service_pending: Owned,
    pub service_cancelled: Owned,
    pub service_portuguese: Owned,
    pub service_english: Owned,
    pub service_of_closed_client: Owned,
    pub service_suspended_without_phone: Owned,
    pub service_seven: Owned,
    /// Asked to be cancelled at once.
    pub service_cancel_immediately: Owned,
    /// Asked to be cancelled at the end of its period.
    pub service_cancel_at_period_end: Owned,
    /// Active, belongs to the first of `clients_transfer`; ticket `ticket_transfer` asks for the move.
    pub service_transfer: Owned,
    /// Plan 1 at 100.00 USD a year, half of the year over; plan `upgrade_to` costs 150.00.
    pub service_upgradable: Owned,
    pub upgrade_to: u32,
    /// On a retired plan that has no way up.
    pub service_without_upgrade: Owned,
    /// From plan 1 to plan 2, waits for its payment.
    pub upgrade_pending: Owned,
    pub cancel_request_immediate: u32,
    pub cancel_request_period_end: u32,

    /// `nanezhermanos-demo.com.ar`.
    pub domain: Owned,
    /// A `.com`: paid a year ahead, cannot be cancelled.
    pub domain_international: Owned,
    pub domain_grace: Owned,
    pub domain_seven: Owned,

    pub quote_delivered: Owned,
    pub quote_draft: Owned,
    pub quote_portuguese: Owned,
    pub quote_english: Owned,
    pub quote_seven: Owned,
    /// Delivered, to nobody's client (`userid` 0), with a phone of its own.
    pub quote_of_prospect: u32,
    /// Delivered, but its date has passed.
    pub quote_expired: Owned,

    /// From the owner's registered address.
    pub ticket_transfer: Owned,
    /// The same request from a stranger's.
    pub ticket_stranger: u32,
}

/// The cast of every sample database, whatever its size.
pub const CAST: Cast = Cast {
    client_spanish: 1,
    client_system_language: 4,
    client_portuguese: 2,
    client_english: 3,
    client_accents_as_entities: 5,
    client_closed: 6,
    client_inactive: 24,
    client_without_phone: 8,
    client_junk_phone: 9,
    client_raw_phone: 7,
    client_empty_calling_code: 18,
    client_without_country: 19,
    client_doubled_calling_code: 20,
    client_old_brazilian_phone: 17,
    client_old_mexican_phone: 15,
    client_sharing_phone: 23,
    client_script: 10,
    client_template: 11,
    client_long_name: 12,
    client_blank_name: 37,
    client_line_breaks: 40,
    client_unknown_language: 36,
    client_opted_out: 29,
    client_with_whatsapp_field: 30,
    client_without_due_notices: 31,
    client_in_debt: 26,
    clients_same_email: [34, 35],
    clients_transfer: [28, 27],

    user_of_two_clients: 9,
    clients_of_one_user: [32, 33],
    user_of_spanish: owned(40, 1),
    user_guest: 41,
    user_without_client: 8,

    contact_invoices_only: owned(1, 4),
    contact_same_phone: owned(2, 4),
    contact_all: owned(3, 1),
    contact_none: owned(4, 1),
    contact_of_closed_client: owned(16, 6),
    contact_of_client_without_phone: owned(9, 8),

    invoice_unpaid: owned(3, 1),
    invoice_paid: owned(4, 1),
    payment: owned(21, 1),
    invoice_partly_paid: owned(5, 4),
    payment_partial: owned(2, 4),
    invoice_cancelled: owned(6, 1),
    invoice_overdue: owned(1, 26),
    invoice_draft: owned(13, 1),
    invoice_refunded: owned(14, 5),
    invoice_collections: owned(15, 9),
    invoice_payment_pending: owned(16, 7),
    invoice_paid_by_credit: owned(17, 28),
    invoice_mass_payment: owned(18, 26),
    invoice_numbered: owned(12, 4),
    invoice_portuguese: owned(8, 2),
    invoice_english: owned(10, 3),
    invoice_of_closed_client: owned(19, 6),
    invoice_of_client_without_phone: owned(20, 8),
    invoice_of_script: owned(23, 10),
    invoice_of_template: owned(24, 11),
    invoice_of_long_name: owned(7, 12),
    invoices_same_second: [owned(29, 13), owned(30, 13)],
    invoice_seven: owned(7, 12),

    service_active: owned(2, 1),
    service_suspended: owned(3, 1),
    service_terminated: owned(6, 1),
    service_pending: owned(14, 13),
    service_cancelled: owned(15, 14),
    service_portuguese: owned(4, 2),
    service_english: owned(5, 3),
    service_of_closed_client: owned(19, 6),
    service_suspended_without_phone: owned(20, 8),
    service_seven: owned(7, 11),
    service_cancel_immediately: owned(17, 5),
    service_cancel_at_period_end: owned(18, 16),
    service_transfer: owned(9, 28),
    service_upgradable: owned(10, 25),
    upgrade_to: 2,
    service_without_upgrade: owned(13, 10),
    upgrade_pending: owned(1, 4),
    cancel_request_immediate: 1,
    cancel_request_period_end: 2,

    domain: owned(1, 4),
    domain_international: owned(3, 1),
    domain_grace: owned(5, 26),
    domain_seven: owned(7, 13),

    quote_delivered: owned(2, 1),
    quote_draft: owned(1, 4),
    quote_portuguese: owned(9, 2),
    quote_english: owned(10, 3),
    quote_seven: owned(7, 14),
    quote_of_prospect: 3,
    quote_expired: owned(12, 30),

    ticket_transfer: owned(1, 28),
    ticket_stranger: 2,
};
