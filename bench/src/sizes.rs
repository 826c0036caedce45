//! What a user downloads.

use std::fs;

use crate::figures::{Table, grouped};
use crate::{Options, Result};

pub fn section(options: &Options) -> Result<String> {
    let mut table = Table::new(&["file", "bytes"]);
    let mut files = vec![(
        "the binary that was measured".to_owned(),
        options.binary.clone(),
    )];
    if let Ok(folder) = fs::read_dir(options.root.join("dist")) {
        let mut found: Vec<_> = folder
            .flatten()
            .map(|entry| {
                (
                    entry.file_name().to_string_lossy().into_owned(),
                    entry.path(),
                )
            })
            .filter(|(name, _)| name.starts_with("dep-preflight-"))
            .map(|(name, path)| (format!("dist/{name}"), path))
            .collect();
        found.sort();
        files.extend(found);
    }
    for (name, path) in files {
        table.row(vec![name, grouped(fs::metadata(path)?.len())]);
    }
    Ok(table.to_string())
}
