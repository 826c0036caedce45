//! Which HTTP statuses are up.

/// A set of HTTP statuses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusSet(Vec<(u16, u16)>);

impl StatusSet {
    /// From inclusive ranges.
    #[must_use]
    pub const fn new(ranges: Vec<(u16, u16)>) -> Self {
        Self(ranges)
    }

    /// Whether a status is in the set.
    #[must_use]
    pub fn contains(&self, status: u16) -> bool {
        self.0
            .iter()
            .any(|(from, to)| (*from..=*to).contains(&status))
    }
}

impl Default for StatusSet {
    /// Below 500: the service answered.
    fn default() -> Self {
        Self(vec![(100, 499)])
    }
}
