//! How many red steps another run has seen: a simulation, for outages of half an hour on average.
//!
//! A step fails at some time of an outage and looks at the newest commit of the default branch.
//! It is seen elsewhere if a run on that commit has looked since the outage began and has left its
//! status. A run on a commit that is no longer the newest is not found.

use crate::figures::{Table, grouped};
use crate::{Options, Result};

/// Minutes that an outage lasts on average.
const OUTAGE: f64 = 30.0;
/// Minutes from a push, or from the time of a schedule, to the status of its run.
const DELAY: f64 = 2.0;
/// Minutes between two runs of a beacon.
const BEACON: f64 = 15.0;
/// Minutes by which GitHub may be late with a schedule, at most as it is taken here.
const LATE: f64 = 60.0;
/// Repositories by how often something is pushed to their default branch, an hour.
const REPOSITORIES: [(&str, f64); 3] = [("busy", 4.0), ("middling", 0.5), ("quiet", 0.17)];

/// A beacon's schedule.
#[derive(Clone, Copy, PartialEq)]
enum Beacon {
    None,
    Punctual,
    Late,
}

#[expect(clippy::unnecessary_wraps, reason = "the sections have one shape")]
pub fn section(options: &Options) -> Result<String> {
    let steps = options.count(1_000_000, 20_000);
    let mut table = Table::new(&[
        "repository",
        "pushes an hour",
        "seen elsewhere",
        "with a beacon",
        "with one that is late",
    ]);
    let mut random = Random(4711);
    for (name, pushes) in REPOSITORIES {
        let mut row = vec![name.to_owned(), pushes.to_string()];
        for beacon in [Beacon::None, Beacon::Punctual, Beacon::Late] {
            let seen = (0..steps).filter(|_| is_seen(&mut random, pushes / 60.0, beacon));
            let share = 100.0 * seen.count() as f64 / steps as f64;
            row.push(format!("{share:.0} %"));
        }
        table.row(row);
    }
    Ok(format!(
        "{table}\nA simulation of {} red steps each: outages of {OUTAGE} min on average, a run's status {DELAY} min after its push, a beacon every {BEACON} min; one that is late is so by up to {LATE} min each time. Only the newest commit of the default branch is looked at.\n",
        grouped(steps as u64)
    ))
}

/// Whether a red step finds another run's sighting. All times are minutes before the step.
fn is_seen(random: &mut Random, pushes: f64, beacon: Beacon) -> bool {
    // How long an outage has lasted says nothing about how long it will: nor the other way round.
    let outage = random.exponential(OUTAGE);
    let newest = random.exponential(1.0 / pushes);
    let mut looks = vec![newest];
    if beacon != Beacon::None {
        let phase = random.uniform() * BEACON;
        for turn in 0..24 {
            let planned = phase + f64::from(turn) * BEACON;
            let late = match beacon {
                Beacon::Late => random.uniform() * LATE,
                Beacon::None | Beacon::Punctual => 0.0,
            };
            looks.push(planned - late);
        }
    }
    looks
        .into_iter()
        .any(|look| look <= newest && look < outage && look >= DELAY)
}

/// Numbers that are the same again and again (splitmix64).
struct Random(u64);

impl Random {
    /// From 0 to 1.
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn exponential(&mut self, mean: f64) -> f64 {
        -mean * (1.0 - self.uniform()).ln()
    }
}
