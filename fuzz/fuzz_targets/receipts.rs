#![no_main]
//! What must hold is in `properties.rs`, which `make test` replays with the corpus.

#[path = "../properties.rs"]
#[allow(dead_code)]
mod properties;

libfuzzer_sys::fuzz_target!(|data: &[u8]| properties::receipts(data));
