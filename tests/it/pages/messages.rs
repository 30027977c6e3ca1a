//! The page on messages: search, a message's whole way, what an operator may do about it.
