//! Owns: a value of a closed list as programs give and get it: by its code.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use utoipa::openapi::Schema;
use utoipa::openapi::schema::{ObjectBuilder, Type};

use crate::domain::closed_list::ClosedList;

/// A value of a [`ClosedList`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code<T>(pub T);

impl<T: ClosedList> Serialize for Code<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.code())
    }
}

impl<'de, T: ClosedList> Deserialize<'de> for Code<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let code = Cow::<'de, str>::deserialize(deserializer)?;
        code.parse().map_err(de::Error::custom)
    }
}

/// Also how clap reads an argument; there a dash is as good.
impl<T: ClosedList> FromStr for Code<T> {
    type Err = String;

    fn from_str(code: &str) -> Result<Self, String> {
        let one_of = || T::ALL.iter().map(|one| one.code()).collect::<Vec<_>>().join(", ");
        T::parse(code)
            .or_else(|| T::parse(&code.replace('-', "_")))
            .map(Self)
            .ok_or_else(|| format!("one of: {}", one_of()))
    }
}

impl<T: ClosedList> fmt::Display for Code<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.code())
    }
}

/// The schema of a field that is a [`Code`]: `#[schema(schema_with = codes::<T>)]`.
#[must_use]
pub fn codes<T: ClosedList>() -> Schema {
    let codes = T::ALL.iter().map(|one| one.code());
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(codes)).build().into()
}
