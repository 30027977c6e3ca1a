//! Owns: which columns of the platform the bridge may read, as data. The statements that an administrator runs, what
//! `doctor` checks and what the documentation prints all come from [`READABLE`].
//!
//! What is not named here cannot be read, whatever the code asks for. Left out on purpose: every password, token, key
//! and card column; administrators' notes; a ticket's text and access key; street addresses;
//! `tblpaymentgateways.value` and `tbladdonmodules.value`, which hold credentials next to harmless names.
//!
//! What grants cannot do: hide rows (see the comment at `tblconfiguration`; `tblcustomfieldsvalues.value` is the same,
//! custom fields of type `password` among it), and forbid locks: on MariaDB whoever may read a row may also lock it
//! with `SELECT ... FOR UPDATE`, which this crate never does on the platform's tables.

/// The platform's tables, each with the columns the bridge may read.
#[rustfmt::skip] // a column per line would be four hundred lines
pub const READABLE: &[(&str, &[&str])] = &[
    ("tblclients", &[
        "id", "uuid", "firstname", "lastname", "companyname", "email", "city", "state", "country",
        "phonenumber", "tax_id", "currency", "defaultgateway", "credit", "overideduenotices",
        "separateinvoices", "datecreated", "billingcid", "groupid", "lastlogin", "status", "language",
        "emailoptout", "marketing_emails_opt_in", "email_preferences", "created_at", "updated_at",
    ]),
    ("tblclientgroups", &["id", "groupname", "susptermexempt"]),
    ("tblcontacts", &[
        "id", "userid", "firstname", "lastname", "companyname", "email", "country", "phonenumber",
        "domainemails", "generalemails", "invoiceemails", "productemails", "supportemails", "affiliateemails",
        "created_at", "updated_at",
    ]),
    ("tblusers", &[
        "id", "first_name", "last_name", "email", "language", "last_login", "email_verified_at", "created_at",
        "updated_at",
    ]),
    ("tblusers_clients", &["id", "auth_user_id", "client_id", "owner", "permissions", "created_at", "updated_at"]),
    ("tblcustomfields", &["id", "type", "relid", "fieldname", "fieldtype", "fieldoptions"]),
    ("tblcustomfieldsvalues", &["id", "fieldid", "relid", "value", "updated_at"]),
    ("tblmarketing_consent", &["id", "userid", "opt_in", "admin", "created_at", "updated_at"]),
    ("tblinvoices", &[
        "id", "userid", "invoicenum", "date", "duedate", "datepaid", "last_capture_attempt", "date_refunded",
        "date_cancelled", "subtotal", "credit", "tax", "tax2", "total", "taxrate", "taxrate2", "status",
        "paymentmethod", "created_at", "updated_at",
    ]),
    ("tblinvoiceitems", &["id", "invoiceid", "userid", "type", "relid", "description", "amount", "taxed", "duedate"]),
    ("tblaccounts", &[
        "id", "userid", "currency", "gateway", "date", "amountin", "fees", "amountout", "rate", "transid",
        "invoiceid", "refundid",
    ]),
    ("tblorders", &[
        "id", "ordernum", "userid", "contactid", "requestor_id", "date", "amount", "paymentmethod",
        "invoiceid", "status",
    ]),
    ("tblcurrencies", &["id", "code", "prefix", "suffix", "format", "rate", "default"]),
    ("tblpromotions", &["id", "code", "type", "recurring", "value", "startdate", "expirationdate", "upgrades"]),
    ("tblproductgroups", &["id", "name", "hidden", "order"]),
    ("tblproducts", &[
        "id", "type", "gid", "name", "hidden", "stockcontrol", "qty", "paytype", "servertype",
        "configoptionsupgrade", "billingcycleupgrade", "tax", "retired", "order",
    ]),
    ("tblproduct_upgrade_products", &["id", "product_id", "upgrade_product_id"]),
    ("tblpricing", &[
        "id", "type", "currency", "relid", "msetupfee", "qsetupfee", "ssetupfee", "asetupfee", "bsetupfee",
        "tsetupfee", "monthly", "quarterly", "semiannually", "annually", "biennially", "triennially",
    ]),
    ("tblhosting", &[
        "id", "userid", "orderid", "packageid", "server", "regdate", "domain", "paymentmethod", "qty",
        "firstpaymentamount", "amount", "billingcycle", "nextduedate", "nextinvoicedate", "termination_date",
        "completed_date", "domainstatus", "promoid", "suspendreason", "overideautosuspend",
        "overidesuspenduntil", "created_at", "updated_at",
    ]),
    ("tblhostingaddons", &[
        "id", "orderid", "hostingid", "addonid", "userid", "name", "qty", "firstpaymentamount", "setupfee",
        "recurring", "billingcycle", "status", "regdate", "nextduedate", "nextinvoicedate",
        "termination_date", "created_at", "updated_at",
    ]),
    ("tblupgrades", &[
        "id", "userid", "orderid", "type", "date", "relid", "originalvalue", "newvalue", "new_cycle",
        "amount", "credit_amount", "days_remaining", "total_days_in_cycle", "new_recurring_amount",
        "recurringchange", "status", "paid",
    ]),
    ("tblcancelrequests", &["id", "date", "relid", "reason", "type", "created_at", "updated_at"]),
    ("tbldomains", &[
        "id", "userid", "orderid", "type", "registrationdate", "domain", "firstpaymentamount",
        "recurringamount", "registrationperiod", "expirydate", "status", "nextduedate", "nextinvoicedate",
        "paymentmethod", "is_premium", "donotrenew", "created_at", "updated_at",
    ]),
    ("tbldomainreminders", &["id", "domain_id", "date", "type", "days_before_expiry"]),
    ("tblquotes", &[
        "id", "subject", "stage", "validuntil", "userid", "firstname", "lastname", "companyname", "email",
        "country", "phonenumber", "currency", "subtotal", "tax1", "tax2", "total", "datecreated",
        "lastmodified", "datesent", "dateaccepted",
    ]),
    ("tblquoteitems", &["id", "quoteid", "description", "quantity", "unitprice", "discount", "taxable"]),
    ("tbltickets", &[
        "id", "tid", "did", "userid", "contactid", "requestor_id", "name", "email", "date", "title", "status",
        "urgency", "lastreply", "service", "merged_ticket_id",
    ]),
    ("tblticketdepartments", &["id", "name"]),
    ("tblticketstatuses", &["id", "title", "showactive", "showawaiting"]),
    // MariaDB and MySQL grant columns, not rows, and we may not put a view into the platform's schema: this lets the
    // account read every setting, the platform's own encrypted SMTP password among them. Who wants it tighter makes a
    // view in the bridge's schema (SQL SECURITY DEFINER, WHERE setting IN (...)) and grants that instead.
    ("tblconfiguration", &["setting", "value"]),
];

/// Platform: from 9.0 on, credit notes stand among the payments, and this column tells them apart. Granted where it exists: a
/// statement that names it fails before 9.0.
pub const BILLING_NOTE: (&str, &str) = ("tblaccounts", "billingnoteid");

/// The statement that grants [`BILLING_NOTE`], for a platform of 9.0 and later.
#[must_use]
pub fn billing_note_sql(account: &str, db: &str) -> String {
    let (table, column) = BILLING_NOTE;
    let (column, db, table) = (quoted_name(column), quoted_name(db), quoted_name(table));
    format!("GRANT SELECT ({column}) ON {db}.{table} TO {}", quoted_account(account))
}

/// Whether a platform of this version (`9.0.5-release.1`) has [`BILLING_NOTE`].
#[must_use]
pub fn has_billing_notes(version: &str) -> bool {
    version.split('.').next().and_then(|major| major.parse::<u32>().ok()).is_some_and(|major| major >= 9)
}

/// The statements that let `account` (`name@host`, host `localhost` if left out) read [`READABLE`] in database `db`, and
/// nothing else. The account must exist.
#[must_use]
pub fn grants_sql(account: &str, db: &str) -> Vec<String> {
    let owned = |columns: &[&str]| columns.iter().map(|column| (*column).to_owned()).collect();
    let all: Vec<_> = READABLE.iter().map(|(table, columns)| ((*table).to_owned(), owned(columns))).collect();
    grants_sql_of(&all, account, db)
}

/// The same for chosen columns of chosen tables.
#[must_use]
pub fn grants_sql_of(readable: &[(String, Vec<String>)], account: &str, db: &str) -> Vec<String> {
    let account = quoted_account(account);
    let grant = |(table, columns): &(String, Vec<String>)| {
        let columns: Vec<String> = columns.iter().map(|column| quoted_name(column)).collect();
        format!("GRANT SELECT ({}) ON {}.{} TO {account}", columns.join(", "), quoted_name(db), quoted_name(table))
    };
    readable.iter().map(grant).collect()
}

/// `name@host` as an account is written in SQL: both parts quoted.
#[must_use]
pub fn quoted_account(account: &str) -> String {
    let (name, host) = account.rsplit_once('@').unwrap_or((account, "localhost"));
    let quoted = |text: &str| format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''"));
    format!("{}@{}", quoted(name), quoted(host))
}

/// A table or database as it is written in SQL.
#[must_use]
pub fn quoted_name(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

#[cfg(test)]
mod tests {
    use super::{READABLE, grants_sql, quoted_account};

    #[test]
    fn an_account_and_a_database_are_quoted() {
        assert_eq!(quoted_account("hb_reader"), "'hb_reader'@'localhost'");
        assert_eq!(quoted_account("o'brien@10.0.0.%"), "'o''brien'@'10.0.0.%'");
        let first = &grants_sql("hb_reader@%", "wh`mcs")[1];
        assert_eq!(
            first,
            "GRANT SELECT (`id`, `groupname`, `susptermexempt`) ON `wh``mcs`.`tblclientgroups` TO 'hb_reader'@'%'"
        );
    }

    #[test]
    fn no_column_that_may_hold_a_secret_is_readable() {
        const PARTS: &[&str] =
            &["pass", "secret", "token", "auth", "card", "bank", "hash", "answer", "notes", "pwreset"];
        for (table, columns) in READABLE {
            for column in *columns {
                let allowed = *column == "auth_user_id";
                assert!(allowed || !PARTS.iter().any(|part| column.contains(part)), "{table}.{column}");
            }
        }
    }
}
