//! The tree is what ARCHITECTURE.md says: its layers are those of the code, and its table has a
//! line for every file.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on fails; the helpers are tests, too"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn architecture() -> String {
    fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap()
}

/// Every source file below `src/`, by its path from there.
fn sources() -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root().join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path: PathBuf = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(root().join("src")).unwrap();
                let name = name.to_str().unwrap().replace('\\', "/");
                found.insert(name, fs::read_to_string(&path).unwrap());
            }
        }
    }
    found
}

/// The layers, lowest first, as ARCHITECTURE.md lists them.
fn layers(text: &str) -> Vec<&str> {
    let section = text.split("\n## Layers\n").nth(1).unwrap();
    let section = section.split("\n## ").next().unwrap();
    section
        .split('`')
        .skip(1)
        .step_by(2)
        .filter(|word| !word.contains('/'))
        .collect()
}

/// The top-level modules that a source names behind `crate::`.
fn imports(source: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let code = source
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect::<Vec<_>>()
        .join("\n");
    for rest in code.split("crate::").skip(1) {
        let listed = match rest.strip_prefix('{') {
            Some(list) => list.split('}').next().unwrap(),
            None => rest
                .split(|ch: char| !ch.is_alphanumeric() && ch != '_')
                .next()
                .unwrap(),
        };
        for item in listed.split(',') {
            let module = item
                .trim()
                .split(|ch: char| !ch.is_alphanumeric() && ch != '_');
            found.extend(
                module
                    .take(1)
                    .filter(|name| !name.is_empty())
                    .map(str::to_owned),
            );
        }
    }
    found
}

#[test]
fn no_module_imports_a_later_layer() {
    let text = architecture();
    let layers = layers(&text);
    let rank = |module: &str| layers.iter().position(|layer| *layer == module);
    let mut wrong = Vec::new();
    let mut seen = BTreeSet::new();
    for (file, source) in sources() {
        let module = file.split(['/', '.']).next().unwrap().to_owned();
        if matches!(module.as_str(), "lib" | "main") {
            continue;
        }
        let Some(own) = rank(&module) else {
            wrong.push(format!("{file} is in none of the layers"));
            continue;
        };
        for import in imports(&source) {
            match rank(&import) {
                Some(other) if other <= own => {}
                Some(_) => wrong.push(format!("{file} imports {import}, a later layer")),
                None => wrong.push(format!(
                    "{file} imports {import}, which is in none of the layers"
                )),
            }
        }
        seen.insert(module);
    }
    for layer in &layers {
        if !seen.contains(*layer) {
            wrong.push(format!("the layer {layer} has no file"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_file_has_its_line() {
    let text = architecture();
    let table = text.split("\n## Modules\n").nth(1).unwrap();
    let table = table.split("\n\nAround it").next().unwrap();
    let listed: BTreeSet<_> = table
        .lines()
        .filter_map(|line| line.strip_prefix("| `"))
        .flat_map(|line| {
            let cell = line.split(" |").next().unwrap();
            cell.split('`')
                .step_by(2)
                .map(str::to_owned)
                .collect::<Vec<_>>()
        })
        .filter(|name| Path::new(name).extension().is_some_and(|end| end == "rs"))
        .collect();
    let files: BTreeSet<_> = sources()
        .into_keys()
        .filter(|file| !file.ends_with("tests.rs"))
        .collect();
    let missing: Vec<_> = files.difference(&listed).collect();
    let gone: Vec<_> = listed.difference(&files).collect();
    assert!(
        missing.is_empty() && gone.is_empty(),
        "without a line: {missing:?}; lines without a file: {gone:?}"
    );
}

/// A duration that stands elsewhere cannot be found by somebody who looks for what bounds a run.
#[test]
fn durations_stand_on_their_page() {
    let elsewhere: Vec<_> = sources()
        .into_iter()
        .filter(|(file, _)| file != "durations.rs" && !file.ends_with("tests.rs"))
        .filter(|(_, source)| {
            let code = source.split("#[cfg(test)]\nmod tests").next().unwrap();
            let named = |line: &str| line.contains("const ") && line.contains(": Duration = ");
            let bounds =
                |line: &str| line.contains(".clamp(Duration::") || line.contains(".min(Duration::");
            code.lines().any(|line| named(line) || bounds(line))
        })
        .map(|(file, _)| file)
        .collect();
    assert!(elsewhere.is_empty(), "{elsewhere:?}");
}
