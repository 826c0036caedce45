//! What the documents show can be copied: every example of targets is a valid configuration.

use std::collections::BTreeSet;
use std::error::Error;
use std::fs;

use dep_preflight::facade::{Inputs, PROTOCOLS, RawInputs, Surroundings, resolve, variable};
use serde_json::Value;

use super::{Outcome, path, read};

/// Fewer examples than this, and they are not found.
const FEWEST: usize = 8;

#[test]
fn every_example_of_targets_is_valid() -> Outcome {
    let mut found = 0;
    for document in documents()? {
        for block in yaml(&read(&document)?) {
            let example: Value = serde_saphyr::from_str(&block)
                .map_err(|error| format!("{document}: {error}\n{block}"))?;
            for (name, value) in inputs(&example) {
                resolved(name, &value).map_err(|why| format!("{document}: {why}\n{value}"))?;
                found += 1;
            }
        }
    }
    assert!(found >= FEWEST, "{found} examples");
    Ok(())
}

/// No document offers a scheme that the program refuses; those of proxies are not targets'.
#[test]
fn every_scheme_in_the_documents_is_known() -> Outcome {
    let table = PROTOCOLS.iter().flat_map(|protocol| protocol.schemes);
    let mut known: BTreeSet<_> = table.map(|scheme| scheme.name).collect();
    known.extend(["http", "https", "ws", "wss"]);
    for document in documents()? {
        let text = read(&document)?;
        for (end, _) in text.match_indices("://") {
            let before = text.get(..end).unwrap_or_default();
            let is_part = |ch: char| ch.is_ascii_lowercase() || ch.is_ascii_digit() || ch == '+';
            let scheme = before.rsplit(|ch| !is_part(ch)).next().unwrap_or_default();
            let without_driver = scheme.split('+').next().unwrap_or_default();
            assert!(
                scheme.is_empty() || known.contains(scheme) || known.contains(without_driver),
                "{document} has {scheme}://"
            );
        }
    }
    Ok(())
}

/// What users read.
fn documents() -> Result<Vec<String>, Box<dyn Error>> {
    let mut documents = vec!["README.md".to_owned(), "action.yml".to_owned()];
    for entry in fs::read_dir(path("docs"))? {
        documents.push(format!("docs/{}", entry?.file_name().to_string_lossy()));
    }
    Ok(documents)
}

/// The fenced blocks of YAML.
fn yaml(document: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut lines = document.lines();
    while lines.any(|line| line == "```yaml") {
        let block: Vec<_> = lines.by_ref().take_while(|line| *line != "```").collect();
        blocks.push(block.join("\n"));
    }
    blocks
}

/// Every text of an input `targets` or `url`, however deep it is.
fn inputs(example: &Value) -> Vec<(&'static str, String)> {
    let mut found = Vec::new();
    match example {
        Value::Object(entries) => {
            for (key, value) in entries {
                match (key.as_str(), value) {
                    ("targets", Value::String(text)) => found.push(("targets", text.clone())),
                    ("url", Value::String(text)) => found.push(("url", text.clone())),
                    (_, value) => found.extend(inputs(value)),
                }
            }
        }
        Value::Array(items) => found.extend(items.iter().flat_map(inputs)),
        _ => {}
    }
    found
}

fn resolved(name: &'static str, value: &str) -> Result<Inputs, String> {
    let raw = RawInputs::from_env(&[(variable(name).into(), value.into())]);
    resolve(raw, &[], Surroundings::default()).map_err(|problems| problems.to_string())
}
