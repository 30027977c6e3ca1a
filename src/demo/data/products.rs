//! Owns: the products of `products.toml` and their prices in every currency.

use serde::Deserialize;

use super::insert::{Calendar, Cell, Insert};

/// What is sold.
#[derive(Deserialize)]
pub(super) struct Products {
    product: Vec<Product>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Product {
    pub(super) id: u32,
    group: u32,
    #[serde(rename = "type")]
    kind: String,
    pub(super) module: String,
    pub(super) paytype: String,
    pub(super) name: String,
    monthly: Option<i64>,
    annually: Option<i64>,
    #[serde(default)]
    setup: i64,
    #[serde(default)]
    retired: bool,
}

/// How often a service is billed: the platform's word, its months, and how many monthly prices it costs, in hundredths.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Cycle {
    pub(super) name: &'static str,
    pub(super) days: i32,
    monthly_percent: i64,
}

pub(super) const MONTHLY: Cycle = Cycle { name: "Monthly", days: 30, monthly_percent: 100 };
pub(super) const QUARTERLY: Cycle = Cycle { name: "Quarterly", days: 91, monthly_percent: 300 };
pub(super) const SEMI_ANNUALLY: Cycle = Cycle { name: "Semi-Annually", days: 182, monthly_percent: 600 };
pub(super) const ANNUALLY: Cycle = Cycle { name: "Annually", days: 365, monthly_percent: 0 };

/// Currencies by id, with what one US dollar costs, in hundredths.
const RATES: &[(u32, i64)] = &[(1, 120_000), (2, 100), (3, 550), (4, 92)];

impl Products {
    pub(super) fn read() -> anyhow::Result<Self> {
        Ok(toml::from_str(include_str!("products.toml"))?)
    }

    pub(super) fn get(&self, id: u32) -> anyhow::Result<&Product> {
        self.product.iter().find(|product| product.id == id).ok_or_else(|| anyhow::anyhow!("no product {id}"))
    }

    /// The rows of `tblproducts` and `tblpricing`.
    pub(super) fn statements(&self, calendar: &Calendar) -> Vec<String> {
        let mut products = Insert::new(calendar, "tblproducts");
        let mut prices = Insert::new(calendar, "tblpricing");
        for product in &self.product {
            product.insert(&mut products);
            for (currency, _) in RATES {
                product.insert_prices(&mut prices, *currency);
            }
        }
        [products.finish(), prices.finish()].concat()
    }
}

impl Product {
    /// The price of a cycle in hundredths of the currency; none if it is not sold so.
    pub(super) fn price(&self, cycle: Cycle, currency: u32) -> Option<i64> {
        let dollars = match (cycle == ANNUALLY, self.paytype.as_str()) {
            (_, "free") => return None,
            (true, _) => self.annually?,
            (false, "onetime") if cycle != MONTHLY => return None,
            (false, _) => self.monthly? * cycle.monthly_percent / 100,
        };
        Some(in_currency(dollars, currency))
    }

    fn insert(&self, products: &mut Insert<'_>) {
        products.row(&[
            ("id", self.id.into()),
            ("type", (&self.kind).into()),
            ("gid", self.group.into()),
            ("name", (&self.name).into()),
            ("description", "Incluye soporte &amp; copias de seguridad".into()),
            ("hidden", self.retired.into()),
            ("paytype", (&self.paytype).into()),
            ("autosetup", if self.module.is_empty() { "" } else { "payment" }.into()),
            ("servertype", (&self.module).into()),
            ("configoption1", "canary-do-not-leak".into()),
            ("tax", true.into()),
            ("order", self.id.into()),
            ("retired", self.retired.into()),
            ("created_at", if self.retired { Cell::ZeroDate } else { Cell::Moment(-2_000, 36_000) }),
            ("updated_at", if self.retired { Cell::ZeroDate } else { Cell::Moment(-300, 36_000) }),
        ]);
    }

    fn insert_prices(&self, prices: &mut Insert<'_>, currency: u32) {
        let price = |cycle| match self.paytype.as_str() {
            "free" => Cell::Money(0),
            // -1.00 says: not sold so.
            _ => Cell::Money(self.price(cycle, currency).unwrap_or(-100)),
        };
        let setup = Cell::Money(in_currency(self.setup, currency));
        let none = Cell::Money(if self.paytype == "free" { 0 } else { -100 });
        prices.row(&[
            ("type", "product".into()),
            ("currency", currency.into()),
            ("relid", self.id.into()),
            ("msetupfee", setup),
            ("qsetupfee", setup),
            ("ssetupfee", setup),
            ("asetupfee", Cell::Money(0)),
            ("bsetupfee", Cell::Money(0)),
            ("tsetupfee", Cell::Money(0)),
            ("monthly", price(MONTHLY)),
            ("quarterly", price(QUARTERLY)),
            ("semiannually", price(SEMI_ANNUALLY)),
            ("annually", price(ANNUALLY)),
            ("biennially", none),
            ("triennially", none),
        ]);
    }
}

/// US cents in hundredths of another currency.
pub(super) fn in_currency(dollar_cents: i64, currency: u32) -> i64 {
    let rate = RATES.iter().find(|(id, _)| *id == currency).map_or(100, |(_, rate)| *rate);
    dollar_cents * rate / 100
}
