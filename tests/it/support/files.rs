//! Owns: reading our own source files.

use std::path::{Path, PathBuf};

/// Files below `root` (from the crate's own) that end in `extension`, with their text.
pub fn below(root: &str, extension: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut open = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join(root)];
    while let Some(dir) = open.pop() {
        for entry in std::fs::read_dir(&dir).expect("a directory of ours") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|e| e == extension) {
                let text = std::fs::read_to_string(&path).expect("a text file");
                found.push((path, text));
            }
        }
    }
    assert!(!found.is_empty());
    found
}
