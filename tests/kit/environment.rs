//! The environment of a job.

/// The commit of every run that has one.
pub(crate) const SHA: &str = "0123456789abcdef0123456789abcdef01234567";

/// What a runner sets for a push of [`SHA`] to `acme/shop` on the forge at this address, beside
/// the address of its API.
pub(crate) fn of_push(forge: &str) -> Vec<(&'static str, String)> {
    let set = [
        ("GITHUB_SERVER_URL", forge),
        ("GITHUB_REPOSITORY", "acme/shop"),
        ("GITHUB_EVENT_NAME", "push"),
        ("GITHUB_REF", "refs/heads/main"),
        ("GITHUB_SHA", SHA),
        ("GITHUB_RUN_ID", "4711"),
        ("GITHUB_RUN_NUMBER", "12"),
        ("GITHUB_RUN_ATTEMPT", "1"),
        ("GITHUB_WORKFLOW", "nightly"),
        ("GITHUB_JOB", "e2e"),
    ];
    set.map(|(name, value)| (name, value.to_owned())).into()
}
