use std::collections::HashSet;

use super::*;

#[test]
fn no_name_is_listed_twice() {
    let mut seen = HashSet::new();
    for option in OPTIONS {
        assert!(seen.insert(option.name), "{} is listed twice", option.name);
        assert!(!option.help.is_empty() && !option.value.is_empty());
    }
}

/// A default that is a value is the one that the program has.
#[test]
fn defaults_in_words_are_those_of_the_code() {
    let in_words = [
        "name",
        "control",
        "status-context",
        "target-url",
        "sha",
        "token",
    ];
    let given = OPTIONS.iter().filter(|option| !option.default.is_empty());
    for option in given.filter(|option| !in_words.contains(&option.name)) {
        let (mut inputs, mut target) = (Inputs::default(), TargetOptions::default());
        let before = format!("{inputs:?} {target:?}");
        let parsed = match option.meaning {
            Meaning::Run(set) => set(&mut inputs, option.default),
            Meaning::Target(set) => set(&mut target, option.default),
            Meaning::Source | Meaning::Headers | Meaning::Known => continue,
        };
        parsed.unwrap_or_else(|why| panic!("{}: {why}", option.name));
        assert_eq!(format!("{inputs:?} {target:?}"), before, "{}", option.name);
    }
}
