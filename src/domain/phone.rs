//! placeholder until the values branch lands
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct E164(String);
impl E164 { pub fn as_str(&self) -> &str { &self.0 } pub fn trusted(t: &str) -> Option<Self> { Some(Self(t.to_owned())) } pub fn masked(&self) -> String { String::new() } pub fn digits(&self) -> &str { &self.0[1..] } }
