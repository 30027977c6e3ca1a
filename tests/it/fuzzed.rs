//! Replays the fuzzer's corpus: what was once found must hold for ever.

use std::path::Path;

#[path = "../../fuzz/properties.rs"]
mod properties;

fn replay(name: &str, property: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(name);
    let mut count = 0;
    for entry in std::fs::read_dir(&folder).expect("the corpus is in the repository") {
        let path = entry.expect("an entry").path();
        let data = std::fs::read(&path).expect("a readable file");
        // Named here, because a panic inside names no file.
        println!("{}", path.display());
        property(&data);
        count += 1;
    }
    assert!(count >= 8, "{name}: only {count} inputs");
}

#[test]
fn the_corpus_of_the_envelope_holds() {
    replay("envelope", properties::envelope);
}

#[test]
fn the_corpus_of_the_signature_headers_holds() {
    replay("signature", properties::signature);
}

#[test]
fn the_corpus_of_the_receipts_holds() {
    replay("receipts", properties::receipts);
}

#[test]
fn the_corpus_of_the_conditions_holds() {
    replay("expressions", properties::expressions);
}
