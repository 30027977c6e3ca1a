//! Owns: the operations on tokens of programs that use the API.

mod create;
mod end;
mod list;

pub use create::{CreateToken, NewToken};
pub use end::EndToken;
pub use list::{ListTokens, Token, Tokens};

const AREA: &str = "access";
