//! placeholder until the values branch lands
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Locale { EsAr, En, PtBr }
impl Locale {
    pub const ALL: [Self; 3] = [Self::EsAr, Self::En, Self::PtBr];
    pub fn code(self) -> &'static str { match self { Self::EsAr => "es_AR", Self::En => "en", Self::PtBr => "pt_BR" } }
    pub fn from_platform(_: &str) -> Option<Self> { None }
}
