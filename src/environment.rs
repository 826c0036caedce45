//! The process's environment, by exact names.
//!
//! The library that fills our types folds the case of every name. A job that sets
//! `github_sha` beside the runner's own `GITHUB_SHA` would be a field given twice there, so only
//! the names that are meant get that far, each once.

use std::borrow::Cow;
use std::ffi::OsString;

use serde::de::DeserializeOwned;

/// The variables whose names are `known`, exactly as they are written there. Of a name that
/// stands in the environment twice the first counts, as it does for the C library.
pub(crate) fn exactly(
    vars: &[(OsString, OsString)],
    known: impl Fn(&str) -> bool,
) -> Vec<(String, OsString)> {
    // Some twenty of them are known: a search is less work than a set.
    let mut found: Vec<(String, OsString)> = Vec::new();
    for (name, value) in vars {
        let Some(name) = name.to_str() else { continue };
        // Their case means nothing there, and each process sees them as somebody once wrote them.
        let name = if cfg!(windows) {
            Cow::Owned(name.to_ascii_uppercase())
        } else {
            Cow::Borrowed(name)
        };
        if known(&name) && found.iter().all(|(other, _)| *other != name) {
            found.push((name.into_owned(), value.clone()));
        }
    }
    found
}

/// A type that is made of optional texts, filled from variables that went through [`exactly`].
///
/// # Panics
///
/// Never as long as there is nothing but optional texts in it. A type that has something else
/// would lose everything at once, which is a failure of the tool and is reported as one.
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
        let vars = [("ci", "1"), ("CI", "2"), ("Ci", "3"), ("CI", "4")];
        let vars = vars.map(|(name, value)| (name.into(), value.into()));
        let found = exactly(&vars, |name| name == "CI");
        if cfg!(windows) {
            assert_eq!(found, [("CI".to_owned(), OsString::from("1"))]);
        } else {
            assert_eq!(found, [("CI".to_owned(), OsString::from("2"))]);
        }
    }
}
