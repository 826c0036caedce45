//! Whose answer counts where there are several name servers.

use std::time::Duration;

use tokio::time::Instant;

use super::NameError;
use crate::durations::NEXT_NAME_SERVER;
use crate::net::timer::{timer, within};

/// The first server's answer, or that of the others.
pub(super) async fn in_turn<T>(
    first: impl Future<Output = Result<T, NameError>>,
    others: impl Future<Output = Result<T, NameError>>,
    patience: Duration,
) -> Result<T, NameError> {
    let turn_ends = timer(Instant::now() + patience);
    tokio::pin!(first, others, turn_ends);
    match within(NEXT_NAME_SERVER.min(patience), &mut first).await {
        Some(Err(error)) if !error.is_final() => {
            return others.await.map_err(|later| error.or(later));
        }
        Some(answered) => return answered,
        None => {}
    }
    let (mut failed, mut later, mut turn_is_over) = (None, None, false);
    loop {
        tokio::select! {
            biased;
            got = &mut first, if failed.is_none() => match got {
                Err(error) if !error.is_final() => failed = Some(error),
                answered => return answered,
            },
            got = &mut others, if later.is_none() => match got {
                Err(error) => later = Some(error),
                found => return found,
            },
            _ = &mut turn_ends, if !turn_is_over => turn_is_over = true,
        }
        match (failed.take(), later.take()) {
            (Some(error), Some(other)) => return Err(error.or(other)),
            (None, Some(other)) if turn_is_over && other.is_final() => return Err(other),
            kept => (failed, later) = kept,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use super::*;
    use crate::net::timer;

    type Answer = Result<&'static str, NameError>;

    const SERVFAIL: &str = "SERVFAIL";

    fn servfail() -> Answer {
        Err(NameError::Answered(SERVFAIL.to_owned()))
    }

    /// An answer after so many seconds.
    async fn after(seconds: u64, answer: Answer) -> Answer {
        tokio::time::sleep(Duration::from_secs(seconds)).await;
        answer
    }

    fn play(test: impl Future<Output = ()>) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build();
        runtime.unwrap().block_on(test);
    }

    /// What arrived while the runner stood still is read before the next server is asked.
    #[test]
    fn a_standstill_is_not_the_first_servers() {
        timer::tests::run(async {
            let patience = Duration::from_millis(50);
            let never = async { panic!("the second server was asked") };
            let first = timer::tests::overtaken(400, Ok("first"));
            assert_eq!(in_turn(first, never, patience).await, Ok("first"));
        });
    }

    #[test]
    fn a_late_end_of_its_turn_does_not_overtake_the_first_servers_answer() {
        timer::tests::run(async {
            let patience = NEXT_NAME_SERVER + Duration::from_millis(50);
            let first = async {
                tokio::time::sleep(NEXT_NAME_SERVER).await;
                timer::tests::overtaken(400, Ok("first")).await
            };
            let nowhere = ready(Err(NameError::NoSuchName));
            assert_eq!(in_turn(first, nowhere, patience).await, Ok("first"));
        });
    }

    const PATIENCE: Duration = Duration::from_secs(5);

    #[test]
    fn the_next_server_is_asked_at_once_where_one_fails() {
        play(async {
            let begun = Instant::now();
            for failure in [
                servfail(),
                Err(NameError::Failed("refused".to_owned())),
                Err(NameError::Local("no zone".to_owned())),
                Err(NameError::Unreadable("garbage".to_owned())),
            ] {
                let got = in_turn(ready(failure), ready(Ok("second")), PATIENCE).await;
                assert_eq!(got, Ok("second"));
            }
            assert_eq!(begun.elapsed(), Duration::ZERO);
        });
    }

    #[test]
    fn no_other_server_is_asked_after_an_answer() {
        play(async {
            let never = async { panic!("the second server was asked") };
            let got = in_turn(ready(Err(NameError::NoSuchName)), never, PATIENCE).await;
            assert_eq!(got, Err::<&str, _>(NameError::NoSuchName));
        });
    }

    #[test]
    fn a_silent_server_is_not_waited_for() {
        play(async {
            let begun = Instant::now();
            let got = in_turn(pending(), ready(Ok("second")), PATIENCE).await;
            assert_eq!(got, Ok("second"));
            assert_eq!(begun.elapsed(), NEXT_NAME_SERVER);
            // Its own answer would have counted.
            let late = after(3, Ok("first"));
            assert_eq!(in_turn(late, pending(), PATIENCE).await, Ok("first"));
        });
    }

    /// A server of the outside does not know the names of the inside.
    #[test]
    fn that_there_is_no_such_name_is_heard_from_the_server_whose_turn_it_is() {
        play(async {
            let nowhere = || ready(Err(NameError::NoSuchName));
            let got = in_turn(after(3, Ok("first")), nowhere(), PATIENCE).await;
            assert_eq!(got, Ok("first"));
            let begun = Instant::now();
            let got: Answer = in_turn(pending(), nowhere(), PATIENCE).await;
            assert_eq!(got, Err(NameError::NoSuchName));
            assert_eq!(begun.elapsed(), PATIENCE);
        });
    }

    #[test]
    fn of_several_failures_the_one_that_says_most_counts() {
        play(async {
            let silent = || Err(NameError::Silent(PATIENCE));
            let local = || Err(NameError::Local("no zone".to_owned()));
            for (first, second, expected) in [
                (servfail(), silent(), servfail()),
                (silent(), servfail(), servfail()),
                (local(), silent(), silent()),
                (local(), local(), local()),
            ] {
                let got = in_turn(ready(first.clone()), ready(second.clone()), PATIENCE).await;
                assert_eq!(got, expected);
                let got = in_turn(after(2, first), ready(second), PATIENCE).await;
                assert_eq!(got, expected);
            }
        });
    }
}
