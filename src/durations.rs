//! Every duration that bounds a run, on one page.
//!
//! What the user sets (`deadline`, `timeout`, `interval`) bounds everything else:
//!
//! ```text
//! start                                                                          deadline
//!   ├── probing ─────────────────────────────┬── control ──┬── publishing ────────────┤
//!   │  attempt ≤ timeout   wait   attempt …  │  ≤ CONTROL  │ outputs, report file,    │
//!   │  ├ name: next name server after 1 s,   │             │ annotations, summary,    │
//!   │  │   next address after 250 ms         │             │ commit status            │
//!   │  ├ body of an error answer ≤ 500 ms    │             │                          │
//!   │  └ wait: interval, doubled up to 30 s  │             │                          │
//!   │  pending status after 10 s of waiting  │             │                          │
//!                                                 published 40 ms before, END_MARGIN ──┘
//!                                       the watchdog ends the process 15 ms before it ─┘
//! ```
//!
//! `run::budget` shares out the deadline: a tenth of it, [`PUBLISHING_WITH_STATUS`] at most, is set
//! aside for publishing where a commit status is posted, else a twentieth, [`PUBLISHING`] at most;
//! and a fifth, [`CONTROL`] at most, for the control address where there is one. Beside that, a step
//! that is down asks the forge what other runs saw: for half of the time that is left until
//! publishing begins, [`HISTORY`] at most, and with nothing set aside for it.
//! The durations of a race between addresses stand here, too, because they decide how long a
//! target that is down takes to be so.

use std::time::Duration;

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

// What the user may set.

/// The default of `deadline`.
pub(crate) const DEADLINE: Duration = secs(60);
/// The default of `timeout`.
pub(crate) const TIMEOUT: Duration = secs(10);
/// The default of `interval`.
pub(crate) const INTERVAL: Duration = secs(1);
/// The shortest deadline: in less, nothing can be asked and reported.
pub(crate) const SHORTEST_DEADLINE: Duration = ms(100);
/// The longest duration that is accepted: beyond it, somebody mistook the unit.
pub(crate) const LONGEST: Duration = secs(366 * 24 * 3600);

// One attempt: names.

/// How long a name server may be silent before the next one is asked as well.
pub(crate) const NEXT_NAME_SERVER: Duration = secs(1);
/// How long IPv6 is waited for once IPv4 has answered (RFC 8305, 3: "Resolution Delay"); it joins
/// the race when it comes later.
pub(crate) const IPV6_HEAD_START: Duration = ms(50);
/// How long the second address family may take once the first has answered, for the forge's
/// client, which does not begin with the first alone, and for a short name: there the first may be
/// another host's.
pub(crate) const OTHER_FAMILY: Duration = ms(250);
/// How long an answer serves other targets on the same host. Short, so that a retry asks anew.
pub(crate) const DNS_CACHE_TTL: Duration = secs(1);

// One attempt: addresses.

/// How long after one address the next one starts (RFC 8305, 5: "Connection Attempt Delay").
pub(crate) const NEXT_ADDRESS: Duration = ms(250);

// One attempt: the answer.

/// How long the body of an answer that is not expected may take. The verdict is known by then; a
/// slow body must not hold it up.
pub(crate) const ERROR_BODY: Duration = ms(500);

/// How long a connection has to stand before `tcp` takes it for the service's own: proxies whose
/// backend is gone close within some 15 ms.
pub(crate) const TCP_QUIET: Duration = ms(100);
/// How long MySQL may take to refuse a login once it has greeted. Some have it delay those on
/// purpose, by more with each (`connection_control`); it is known to live by then.
pub(crate) const REFUSAL: Duration = secs(2);
/// How long a datagram may be unanswered before the same is asked over TCP as well, and how much
/// longer where that fails.
pub(crate) const DATAGRAM: Duration = secs(1);
/// A certificate that is valid for less than this is noted.
pub(crate) const ENDS_SOON: Duration = secs(14 * 24 * 3600);
/// How long a last word is waited for from a server that has greeted and was told that nothing
/// follows.
pub(crate) const LAST_WORD: Duration = ms(250);
/// How long an error is waited for that NATS sends together with its greeting, in clear, before TLS
/// is begun.
pub(crate) const BEFORE_TLS: Duration = ms(20);
/// How long a service may take to close after a goodbye.
pub(crate) const GOODBYE: Duration = ms(250);

// A runner that stands still.

/// From here on a late timer is a standstill. A runner with a tenth of a CPU is late by 90 ms
/// again and again, and works.
pub(crate) const STANDSTILL: Duration = ms(250);
/// A timer that is later than this may have been overtaken by what it waited for.
pub(crate) const PUNCTUAL: Duration = ms(20);
/// What a standstill is made up for with: enough for an answer that is on its way.
pub(crate) const AFTER_STANDSTILL: Duration = ms(50);
/// How often it is looked whether the runner stands still.
pub(crate) const PULSE: Duration = ms(100);

// Between attempts.

/// The longest wait that doubling leads to.
pub(crate) const LONGEST_WAIT: Duration = secs(30);
/// A last attempt before the deadline is worth making only with this much time.
pub(crate) const LAST_ATTEMPT: Duration = secs(1);
/// Two attempts at one target begin no closer than this, whatever `interval` says.
pub(crate) const ATTEMPTS_APART: Duration = ms(100);

// Many targets at once.

/// How often the event loop's punctuality is measured.
pub(crate) const ADMISSION_TICK: Duration = ms(10);
/// The same while it is punctual and attempts wait for their turn: a thousand targets are all
/// asked within some 30 ms.
pub(crate) const ADMISSION_GROWTH: Duration = ms(2);
/// An event loop that is later than this has enough to do.
pub(crate) const BUSY: Duration = ms(20);
/// One that is later than this has too much.
pub(crate) const OVERRUN: Duration = ms(100);
/// If no permit came back for so long, it is not the CPU that those who hold them wait for.
pub(crate) const STUCK: Duration = secs(1);

// Progress.

/// At most one post, and with unlimited attempts one line per target, in this time. A wait that
/// is shorter is not worth a post: where the job is killed meanwhile, the status stays as it is.
pub(crate) const PROGRESS_APART: Duration = secs(10);
/// How often a live line changes.
pub(crate) const LIVE_LINE: Duration = ms(200);

// After probing.

/// The most that the control address gets.
pub(crate) const CONTROL: Duration = secs(5);
/// The most that is set aside for publishing where there is no commit status to post.
pub(crate) const PUBLISHING: Duration = ms(500);
/// The most that is set aside for publishing with a commit status.
pub(crate) const PUBLISHING_WITH_STATUS: Duration = secs(3);
/// What is set aside for publishing at least, unless a third of the deadline is less.
pub(crate) const SHORTEST_PUBLISHING: Duration = ms(100);
/// The most that a commit status gets, pending or final.
pub(crate) const COMMIT_STATUS: Duration = secs(5);
/// With less time than this a commit status is not begun.
pub(crate) const SHORTEST_POST: Duration = ms(10);
/// The most that the forge's version gets; only a link and a hint depend on it.
pub(crate) const FORGE_VERSION: Duration = secs(1);
/// What publishing gets once the run is asked to stop: GitHub kills 2.5 s after SIGTERM.
pub(crate) const INTERRUPTED: Duration = ms(1500);

// The end.

/// How long before the deadline everything is published.
pub(crate) const END_MARGIN: Duration = ms(40);
/// How long before the deadline the watchdog steps in.
pub(crate) const WATCHDOG_MARGIN: Duration = ms(15);
/// What publishing gets where the process stood still over its deadline.
pub(crate) const PUBLISH_LATE: Duration = ms(200);
/// What the watchdog gives such a process: the run did not have the time that was set aside for
/// publishing.
pub(crate) const WATCHDOG_LATE: Duration = ms(300);
/// How long the report of a panic may take.
pub(crate) const PANIC_REPORT: Duration = secs(3);

// Readers.

/// How long a slow reader of a pipe is given before the next bytes are tried.
pub(crate) const SLOW_READER: Duration = ms(2);
/// Runners that give the step a pseudo-terminal stop reading it when the process has failed;
/// measured, a tenth of a second before the exit saves the last line.
pub(crate) const TERMINAL_LINGER: Duration = ms(100);

// What other runs saw.

/// The most that asking the forge for it gets, once a step is down.
pub(crate) const HISTORY: Duration = secs(1);
/// With less time than this for it, which is half of what is left, it is not asked.
pub(crate) const SHORTEST_HISTORY: Duration = ms(25);
/// What a clock that shows whole seconds may be behind.
pub(crate) const FORGE_SECOND: Duration = secs(1);
/// A status that is further ahead of the forge's own clock says nothing.
pub(crate) const AHEAD_OF_FORGE: Duration = secs(60);
/// What was seen longer ago than this is not said to be so now.
pub(crate) const FRESH_SIGHTING: Duration = secs(30 * 60);

// Known incidents.

/// How far ahead the end of a known incident may be: what lasts longer is how things are.
pub(crate) const KNOWN_AHEAD: Duration = secs(30 * 24 * 60 * 60);
