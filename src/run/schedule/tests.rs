//! The order of events, and the limits, with attempts that are made up.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::*;
use crate::probe::Cause;
use crate::target::Attempts;

/// Far enough for all that is not about time.
const FAR: Duration = Duration::from_secs(60);

/// Answers as told: per target so many failures before it is up.
struct Fake {
    failures: Mutex<Vec<usize>>,
    took: Duration,
    under_way: AtomicUsize,
    most: AtomicUsize,
}

impl Fake {
    fn new(failures: &[usize], took: Duration) -> Arc<Self> {
        Arc::new(Self {
            failures: Mutex::new(failures.to_vec()),
            took,
            under_way: AtomicUsize::new(0),
            most: AtomicUsize::new(0),
        })
    }
}

impl Prober for Fake {
    async fn attempt(&self, target: &Target, budget: AttemptBudget<'_>) -> Attempt {
        let started = Instant::now();
        let now = self.under_way.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(now, Ordering::SeqCst);
        let latest = budget.latest.min(started + budget.timeout);
        let end = latest.min(started + self.took);
        tokio::time::sleep_until(end.into()).await;
        self.under_way.fetch_sub(1, Ordering::SeqCst);
        let index: usize = target.name.parse().unwrap();
        let mut failures = self.failures.lock().unwrap();
        let fails = failures[index] > 0;
        failures[index] = failures[index].saturating_sub(1);
        Attempt {
            started,
            duration: started.elapsed(),
            cause: fails.then_some(Cause::Refused),
            cut_short: end == budget.latest,
            ..Attempt::blank()
        }
    }
}

fn targets(count: usize, attempts: Attempts) -> Arc<Vec<Target>> {
    let target = |number: usize| {
        let mut target = Target::example(&number.to_string());
        target.policy.attempts = attempts;
        target
    };
    Arc::new((0..count).map(target).collect())
}

/// All events, until the schedule has come to its end.
async fn events(mut schedule: Schedule) -> VecDeque<Event> {
    let mut events = VecDeque::new();
    while let Some(event) = schedule.next().await {
        events.push_back(event);
    }
    events
}

/// What followed each attempt of a target.
fn followed(events: &VecDeque<Event>, index: usize) -> Vec<Option<Next>> {
    let of_it = events.iter().filter(|event| event.index == index);
    of_it.map(|event| event.next).collect()
}

#[tokio::test]
async fn a_target_is_tried_until_it_is_up_or_used_up() {
    let targets = targets(3, Attempts::AtMost(2));
    let fake = Fake::new(&[0, 1, 9], Duration::from_millis(1));
    let events = events(Schedule::start(&targets, &fake, Instant::now() + FAR)).await;
    assert_eq!(followed(&events, 0), [None]);
    assert!(matches!(
        followed(&events, 1)[..],
        [Some(Next::After(_)), None]
    ));
    assert!(matches!(
        followed(&events, 2)[..],
        [Some(Next::After(_)), Some(Next::UsedUp)]
    ));
}

/// Nobody waits for another: what happened first comes out first.
#[tokio::test]
async fn events_come_in_the_order_in_which_they_happened() {
    let targets = targets(50, Attempts::AtMost(3));
    let fake = Fake::new(&[1; 50], Duration::from_millis(1));
    let events = events(Schedule::start(&targets, &fake, Instant::now() + FAR)).await;
    assert_eq!(events.len(), 100);
    let ends = events
        .iter()
        .map(|event| event.attempt.started + event.attempt.duration);
    // A moment lies between the end of an attempt and its event.
    let slack = Duration::from_millis(50);
    assert!(ends.clone().zip(ends.skip(1)).all(|(a, b)| a <= b + slack));
    for index in 0..50 {
        let of_it: Vec<_> = events.iter().filter(|event| event.index == index).collect();
        let apart = of_it[1].attempt.started - of_it[0].attempt.started;
        assert!(apart >= Duration::from_millis(95), "{apart:?}");
    }
}

#[tokio::test]
async fn no_attempt_is_made_after_the_end_of_probing() {
    let targets = targets(4, Attempts::Unlimited);
    let fake = Fake::new(&[usize::MAX; 4], Duration::from_millis(5));
    let until = Instant::now() + Duration::from_millis(400);
    let events = events(Schedule::start(&targets, &fake, until)).await;
    assert!(events.iter().all(|event| event.attempt.started <= until));
    for index in 0..4 {
        let followed = followed(&events, index);
        assert_eq!(followed.last(), Some(&Some(Next::OutOfTime)));
        assert!((2..=4).contains(&followed.len()), "{followed:?}");
    }
}

/// A process that stood still over the end of probing would give its attempt no time at all, and
/// blame the target for that.
#[tokio::test]
async fn no_attempt_is_made_where_the_end_of_probing_has_passed() {
    let targets = targets(1, Attempts::AtMost(3));
    let fake = Fake::new(&[9], Duration::from_millis(1));
    let at_once = events(Schedule::start(&targets, &fake, Instant::now())).await;
    assert!(at_once.is_empty(), "{at_once:?}");
    let until = Instant::now() + Duration::from_millis(300);
    let mut schedule = Schedule::start(&targets, &fake, until);
    let first = schedule.next().await.map(|event| event.next);
    assert!(matches!(first, Some(Some(Next::After(_)))), "{first:?}");
    std::thread::sleep(Duration::from_millis(500));
    let second = schedule.next().await;
    assert!(second.is_none(), "{second:?}");
}

/// One request per target, and no more under way than the machine allows.
#[tokio::test]
async fn attempts_under_way_are_limited() {
    let targets = targets(500, Attempts::AtMost(1));
    let fake = Fake::new(&[0; 500], Duration::from_millis(2));
    let events = events(Schedule::start(&targets, &fake, Instant::now() + FAR)).await;
    assert_eq!(events.len(), 500);
    assert!(fake.most.load(Ordering::SeqCst) <= max_in_flight(500, descriptors()));
    for (targets, descriptors, expected) in [
        (1, 1000, 1),
        (0, 1000, 1),
        (500, 960, 480),
        (500, 0, 1),
        (1_000_000, usize::MAX, MAX_IN_FLIGHT),
    ] {
        assert_eq!(max_in_flight(targets, descriptors), expected);
    }
}

#[tokio::test]
async fn a_schedule_that_is_dropped_stops() {
    let targets = targets(1, Attempts::Unlimited);
    let fake = Fake::new(&[usize::MAX], Duration::from_millis(1));
    let mut schedule = Schedule::start(&targets, &fake, Instant::now() + FAR);
    assert!(schedule.next().await.is_some());
    drop(schedule);
    let left = *fake.failures.lock().unwrap().first().unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(fake.failures.lock().unwrap()[0], left);
}
