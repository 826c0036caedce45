//! Which of the words that we know was meant by one that we do not.

/// No word that we know is nearly as long.
const LONGEST: usize = 32;

/// The known word that is nearest to `word`, if one is near enough to have been meant.
pub(crate) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word: Vec<char> = word.to_lowercase().chars().take(LONGEST + 1).collect();
    if word.len() > LONGEST {
        return None;
    }
    known
        .into_iter()
        .filter_map(|other| {
            let letters: Vec<char> = other.chars().collect();
            // One slip in a short word, more in a long one.
            let most = (letters.len().min(word.len()) / 4).clamp(1, 3);
            // Most words are too far away at a glance; only the others are worth the table.
            if at_least(&word, &letters) > most {
                return None;
            }
            let distance = distance(&word, &letters);
            (distance <= most).then_some((distance, other))
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, other)| other)
}

/// A number of slips that the distance cannot be below: each letter that the other word does not
/// have is one, and so is each that it has more of.
fn at_least(from: &[char], to: &[char]) -> usize {
    let foreign = from.iter().filter(|letter| !to.contains(letter)).count();
    foreign.max(from.len().abs_diff(to.len()))
}

/// How many slips of a typist lead from one word to the other: a letter too many, one missing,
/// another one, or two in the wrong order.
fn distance(from: &[char], to: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=to.len()).collect();
    let mut previous = None;
    for (row, letter) in from.iter().enumerate() {
        let mut next = vec![row + 1];
        for (column, other) in to.iter().enumerate() {
            let at = |line: &[usize], index: usize| line.get(index).copied().unwrap_or(usize::MAX);
            let replaced = at(&last, column) + usize::from(letter != other);
            let mut fewest = replaced
                .min(at(&last, column + 1) + 1)
                .min(at(&next, column) + 1);
            let left = column.checked_sub(1).and_then(|index| to.get(index));
            if left == Some(letter) && previous == Some(other) {
                fewest = fewest.min(at(&before, column - 1) + 1);
            }
            next.push(fewest);
        }
        previous = Some(letter);
        before = std::mem::replace(&mut last, next);
    }
    last.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_meant_is_found() {
        let known = ["timeout", "url", "http", "https", "status-context", "sha"];
        for (word, meant) in [
            ("tiemout", Some("timeout")),
            ("Timeout", Some("timeout")),
            ("timeuot", Some("timeout")),
            ("time-out", Some("timeout")),
            ("ulr", Some("url")),
            ("uri", Some("url")),
            ("htpp", Some("http")),
            ("htttps", Some("https")),
            ("status_contxt", Some("status-context")),
            ("ftp", None),
            ("unix", None),
            ("retries", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, known), meant, "{word}");
        }
        assert_eq!(nearest(&"timeout".repeat(100_000), known), None);
    }

    /// The glance never says more than the table.
    #[test]
    fn at_a_glance_no_word_is_farther_away_than_it_is() {
        let words = ["timeout", "tiemout", "time-out", "url", "ulr", "", "uurrll"];
        for (from, to) in words.iter().flat_map(|from| words.map(|to| (from, to))) {
            let (from, to): (Vec<_>, Vec<_>) = (from.chars().collect(), to.chars().collect());
            assert!(
                at_least(&from, &to) <= distance(&from, &to),
                "{from:?} {to:?}"
            );
        }
    }
}
