//! Where the commit status goes, if anywhere: read once, before anything is asked.

use crate::forge::{Event, RunnerEnv, event};
use crate::inputs::{Inputs, values};
use crate::report::commit_status::Destination;
use crate::screen::Screen;
use crate::text;

/// The commit that the run is about, and whether a status there may be refused by design.
pub(super) fn about(
    inputs: &Inputs,
    env: &RunnerEnv,
    screen: &Screen,
) -> (Result<String, String>, bool) {
    let name = env.github_event_name.as_deref();
    let read = match env.event_path() {
        Some(path) => Event::read(&path).map_err(|why| text::sanitize(&why, 300)),
        None => Ok(Event::default()),
    };
    let event = read.as_ref().ok();
    let from_fork = event.is_some_and(|event| event.is_read_only(name, env.kind()));
    let input = inputs.status.sha.as_deref();
    let sha = event::commit(input, event, name, env.github_sha.as_deref());
    let sha = match (sha, read) {
        (Ok(sha), Err(why)) => {
            if input.is_none() {
                screen.line(format!(
                    "dep-preflight: {why}; the commit is taken from GITHUB_SHA"
                ));
            }
            Ok(sha)
        }
        (Err(_), Err(why)) => Err(why),
        (sha, Ok(_)) => sha.map_err(|why| why.to_string()),
    };
    (sha, from_fork)
}

/// Where the commit status goes, or `None` where none is wanted or no token is there. An error
/// says why it has nowhere to go.
pub(super) fn find(
    inputs: &Inputs,
    env: &RunnerEnv,
    sha: Result<String, String>,
    from_fork: bool,
) -> Result<Option<Destination>, String> {
    let status = &inputs.status;
    let Some(token) = status.token.clone().filter(|_| status.post) else {
        return Ok(None);
    };
    let (owner, name) = env.repository().ok_or_else(|| {
        let given = env.github_repository.as_deref();
        unusable(
            "GITHUB_REPOSITORY",
            given,
            "the owner and name of a repository",
        )
    })?;
    let given = env.github_api_url.as_deref();
    let api = given.map(|api| api.trim_end_matches('/'));
    let api = api.and_then(|api| values::url(api).ok());
    let api =
        api.ok_or_else(|| unusable("GITHUB_API_URL", given, "an address of http or https"))?;
    Ok(Some(Destination {
        api: api.as_str().trim_end_matches('/').to_owned(),
        repository: format!("{owner}/{name}"),
        sha: sha?,
        context: status
            .context
            .clone()
            .unwrap_or_else(|| env.status_context()),
        target_url: status.target_url.clone(),
        token,
        kind: env.kind(),
        env: env.clone(),
        from_fork,
    }))
}

fn unusable(name: &str, value: Option<&str>, right: &str) -> String {
    match value {
        Some(value) => format!("{name} is {}, not {right}", text::show_value(value)),
        None => format!("{name} is not set; it would be {right}"),
    }
}
