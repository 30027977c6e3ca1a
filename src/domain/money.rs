//! placeholder until the values branch lands
use rust_decimal::Decimal;
#[derive(Clone, Debug)]
pub struct Currency { pub code: String }
#[derive(Clone, Debug)]
pub struct Money { pub amount: Decimal }
