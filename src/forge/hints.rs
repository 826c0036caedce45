//! What to do about a commit status that the forge refused, in the words of that forge.

use super::ForgeKind;
use super::link::Version;

/// Says what a refusal means and what to grant.
pub fn refusal(status: u16, kind: ForgeKind, version: Option<Version>) -> String {
    let kind = version.map_or(kind, |version| version.kind);
    match (status, kind) {
        (401, _) => "the token is not valid for this forge; check the input token".to_owned(),
        (403, ForgeKind::GitHub) => {
            "the token may not write statuses; grant the job: permissions: statuses: write".to_owned()
        }
        (403, ForgeKind::Gitea) if version.is_some_and(Version::is_new_gitea) => {
            "the token may not write code, which a status needs on Gitea; grant the job: permissions: contents: write (Gitea does not know statuses: write; without a permissions key it is the mode of the repository's tokens that counts, and Restricted may not write)".to_owned()
        }
        (403, ForgeKind::Gitea) => {
            "the token may not write code, which a status needs on Gitea; from Gitea 1.26 on, grant the job: permissions: contents: write (statuses: write is not known there)".to_owned()
        }
        (403, ForgeKind::Forgejo) => {
            "the token may not write code, which statuses need here; give it write access to the repository".to_owned()
        }
        (404, _) => "the repository or commit is not visible to the token; check the inputs token and sha".to_owned(),
        (407, _) => "this is the proxy on the way, which wants a login".to_owned(),
        (409 | 422, _) => "the forge does not take this status; check the input sha, and that fewer than 1000 statuses have this context".to_owned(),
        (423, _) => "the repository is archived".to_owned(),
        (429, _) => "the forge's rate limit is used up".to_owned(),
        (500, ForgeKind::Gitea | ForgeKind::Forgejo) => {
            "the forge failed, as it does for a commit that it does not have; check the input sha".to_owned()
        }
        (500..=599, _) => "the forge failed".to_owned(),
        (300..=399, _) => "the forge's API redirects, and the token is not sent along; check GITHUB_API_URL".to_owned(),
        _ => "the forge did not take it".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_403_names_the_permission_of_that_forge() {
        let hint = |kind, version| refusal(403, kind, version);
        assert!(hint(ForgeKind::GitHub, None).contains("statuses: write"));
        let restricted = hint(ForgeKind::Gitea, Version::parse("1.26.0"));
        assert!(restricted.contains("contents: write"), "{restricted}");
        // That is what a job in Restricted mode has, and it does not help there.
        assert!(!restricted.contains("no permissions key"), "{restricted}");
        assert!(hint(ForgeKind::Forgejo, Version::parse("1.26.0")).contains("contents: write"));
        assert!(
            hint(ForgeKind::Gitea, Version::parse("12.0.0+gitea-1.22.0")).contains("write access")
        );
        assert!(refusal(500, ForgeKind::Gitea, None).contains("sha"));
    }
}
