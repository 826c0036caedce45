use super::*;

fn job(vars: &[(&str, &str)]) -> Job {
    let vars: Vec<_> = vars.iter().map(|(k, v)| (k.into(), v.into())).collect();
    Job::from_env(&vars)
}

#[test]
fn kinds() {
    for (vars, kind) in [
        (vec![("GITHUB_ACTIONS", "true")], ForgeKind::GitHub),
        (
            vec![("GITHUB_ACTIONS", "true"), ("GITEA_ACTIONS", "true")],
            ForgeKind::Gitea,
        ),
        (
            vec![("GITEA_ACTIONS", "true"), ("FORGEJO_ACTIONS", "true")],
            ForgeKind::Forgejo,
        ),
        (
            vec![("GITHUB_API_URL", "http://h/api/v1")],
            ForgeKind::Gitea,
        ),
        (
            vec![("GITHUB_API_URL", "http://h/api/v3")],
            ForgeKind::GitHub,
        ),
    ] {
        assert_eq!(job(&vars).kind, kind, "{vars:?}");
    }
}

#[test]
fn ci_that_is_false_is_not_ci() {
    for value in ["true", "1", "woodpecker"] {
        assert!(job(&[("CI", value)]).in_ci, "{value}");
    }
    for value in ["false", "FALSE", "0", "", " "] {
        assert!(!job(&[("CI", value)]).in_ci, "{value:?}");
        assert!(!job(&[("GITHUB_ACTIONS", value)]).in_job, "{value:?}");
    }
    assert!(job(&[("CI", "false"), ("GITHUB_ACTIONS", "true")]).in_ci);
}

#[test]
fn the_context_names_workflow_and_job() {
    let context = |vars: &[(&str, &str)]| job(vars).status_context;
    assert_eq!(context(&[]), "dep-preflight");
    assert_eq!(context(&[("GITHUB_WORKFLOW", "ci")]), "dep-preflight");
    assert_eq!(context(&[("GITHUB_JOB", "e2e")]), "dep-preflight / e2e");
    let path = [
        ("GITHUB_JOB", "e2e"),
        ("GITHUB_WORKFLOW", ".github/workflows/ci.yml"),
    ];
    assert_eq!(
        context(&path),
        "dep-preflight / .github/workflows/ci.yml / e2e"
    );
    let (long, job) = ("w".repeat(300), "j\n".repeat(300));
    let cut = context(&[("GITHUB_WORKFLOW", &long), ("GITHUB_JOB", &job)]);
    assert!(
        cut.chars().count() <= 255 && !cut.contains('\n') && cut.contains("… / j"),
        "{cut}"
    );
}

#[test]
fn a_repository_cannot_leave_its_path() {
    for (text, is_one) in [
        ("acme/shop", true),
        ("acme", false),
        ("a/b/c", false),
        ("../x", false),
        ("a/b?c", false),
    ] {
        let repository = job(&[("GITHUB_REPOSITORY", text)]).repository;
        assert_eq!(repository.is_ok(), is_one, "{text}");
    }
}

#[test]
fn what_cannot_be_used_is_named_without_its_secrets() {
    let job = job(&[("GITHUB_API_URL", "ftp://u:SECRET@h/?k=SECRET")]);
    let (api, repository) = (job.api.unwrap_err(), job.repository.unwrap_err());
    assert_eq!(
        repository.to_string(),
        "GITHUB_REPOSITORY is not set; it would be the owner and name of a repository"
    );
    let told = api.to_string();
    assert!(
        told.starts_with("GITHUB_API_URL is ftp://") && !told.contains("SECRET"),
        "{told}"
    );
}
