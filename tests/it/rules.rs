//! The company's rules by themselves: the cases in the owner's words, what must hold whatever the facts, the sentences.

mod cases;
mod facts;
mod properties;
mod words;
