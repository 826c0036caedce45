//! The process's environment, by exact names.
//!
//! The library that fills our structs folds the case of every name. A job that sets
//! `github_sha` beside the runner's own `GITHUB_SHA` would be a field given twice there, so only
//! the names that are meant get that far, each once.

use std::collections::HashSet;
use std::ffi::OsString;

use serde::de::DeserializeOwned;

/// The variables whose names `known` has, exactly as they are written there. Of a name that
/// stands in the environment twice the first counts, as it does for the C library.
pub(crate) fn exactly(
    vars: impl IntoIterator<Item = (OsString, OsString)>,
    known: &HashSet<String>,
) -> Vec<(String, OsString)> {
    let mut seen = HashSet::new();
    vars.into_iter()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value)))
        // Their case means nothing there, and each process sees them as somebody once wrote them.
        .map(|(name, value)| {
            if cfg!(windows) {
                (name.to_ascii_uppercase(), value)
            } else {
                (name, value)
            }
        })
        .filter(|(name, _)| known.contains(name) && seen.insert(name.clone()))
        .collect()
}

/// A struct of optional texts, filled from variables that went through [`exactly`].
///
/// # Panics
///
/// Never as long as every field is an optional text. A struct that has another would lose
/// everything at once, which is a failure of the tool and is reported as one.
pub(crate) fn typed<T: DeserializeOwned>(prefix: &str, vars: Vec<(String, String)>) -> T {
    envy::prefixed(prefix)
        .from_iter(vars)
        .unwrap_or_else(|error| panic!("the environment cannot be read: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_exact_names_count_and_each_counts_once() {
        let known = HashSet::from(["CI".to_owned()]);
        let vars = [("ci", "1"), ("CI", "2"), ("Ci", "3"), ("CI", "4")];
        let vars = vars.map(|(name, value)| (name.into(), value.into()));
        let found = exactly(vars, &known);
        if cfg!(windows) {
            assert_eq!(found, [("CI".to_owned(), OsString::from("1"))]);
        } else {
            assert_eq!(found, [("CI".to_owned(), OsString::from("2"))]);
        }
    }
}
