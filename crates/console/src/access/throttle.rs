//! Slows down whoever was wrong, by address and by name, and remembers only so many of them.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use milkrun_core::Timestamp;

use super::sha256;

/// Those that are remembered.
const MOST: usize = 4096;
/// Whoever was not wrong for so many seconds begins anew.
const FORGOTTEN_AFTER_SECS: i64 = 3600;

/// What is counted, and how it is slowed down.
#[derive(Clone, Debug)]
pub(crate) struct Counted {
    key: [u8; 32],
    /// So many failures are free.
    free: u32,
    /// The longest wait in seconds.
    longest: u64,
}

impl Counted {
    /// Sign-ins from one address; of IPv6, from one network of 64 bits, which is what one household has.
    pub(crate) fn address(address: Option<IpAddr>) -> Self {
        Self { key: keyed("address", &place(address)), free: 5, longest: 900 }
    }

    /// Requests with an access token from one address.
    pub(crate) fn token(address: Option<IpAddr>) -> Self {
        Self { key: keyed("token", &place(address)), free: 10, longest: 60 }
    }

    /// Sign-ins under one name, known or not. The wait stays short: others could lock the user out with it.
    pub(crate) fn user(name: &str) -> Self {
        Self { key: keyed("user", name), free: 10, longest: 30 }
    }

    fn wait(&self, failures: u32) -> u64 {
        match failures.checked_sub(self.free) {
            None | Some(0) => 0,
            Some(over) => 1_u64.checked_shl(over - 1).unwrap_or(u64::MAX).min(self.longest),
        }
    }
}

fn keyed(kind: &str, text: &str) -> [u8; 32] {
    sha256(format!("{kind} {text}").as_bytes())
}

fn place(address: Option<IpAddr>) -> String {
    match address {
        Some(IpAddr::V6(address)) => format!("{:x}/64", address.to_bits() >> 64),
        Some(address) => address.to_string(),
        None => "nowhere".to_owned(),
    }
}

#[derive(Clone, Copy, Debug)]
struct Record {
    failures: u32,
    last: Timestamp,
}

/// Everybody who was wrong lately.
#[derive(Debug, Default)]
pub(crate) struct Throttle(Mutex<HashMap<[u8; 32], Record>>);

impl Throttle {
    /// Lets an attempt through and counts it as failed until [`succeeded`](Self::succeeded) says otherwise, so that
    /// many at once are counted too; or says how many seconds have to pass first.
    pub(crate) fn attempt(&self, counted: &[Counted], now: Timestamp) -> Result<(), u64> {
        let mut records = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let wait = counted.iter().map(|one| left(one, records.get(&one.key), now)).max().unwrap_or(0);
        if wait > 0 {
            return Err(wait);
        }
        for one in counted {
            make_room(&mut records, now);
            let record = records.entry(one.key).or_insert(Record { failures: 0, last: now });
            if seconds(record.last, now) >= FORGOTTEN_AFTER_SECS {
                record.failures = 0;
            }
            *record = Record { failures: record.failures.saturating_add(1), last: now };
        }
        Ok(())
    }

    /// Forgets the failures of somebody who was right.
    pub(crate) fn succeeded(&self, counted: &[Counted]) {
        let mut records = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for one in counted {
            records.remove(&one.key);
        }
    }

    /// How many seconds have to pass, if any.
    pub(crate) fn wait(&self, counted: &Counted, now: Timestamp) -> Result<(), u64> {
        let records = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match left(counted, records.get(&counted.key), now) {
            0 => Ok(()),
            wait => Err(wait),
        }
    }
}

fn seconds(from: Timestamp, until: Timestamp) -> i64 {
    until.duration_since(from).as_secs()
}

fn left(counted: &Counted, record: Option<&Record>, now: Timestamp) -> u64 {
    let Some(record) = record else { return 0 };
    let wait = counted.wait(record.failures);
    let passed = u64::try_from(seconds(record.last, now)).unwrap_or(0);
    wait.saturating_sub(passed)
}

/// Forgets those who were wrong long ago, and if that is not enough, whoever was wrong least lately.
fn make_room(records: &mut HashMap<[u8; 32], Record>, now: Timestamp) {
    if records.len() < MOST {
        return;
    }
    records.retain(|_, record| seconds(record.last, now) < FORGOTTEN_AFTER_SECS);
    if records.len() < MOST {
        return;
    }
    // Those with the fewest failures first: a flood of fresh addresses must not make room for an old guesser.
    let mut all: Vec<_> = records.iter().map(|(key, record)| (record.failures, record.last, *key)).collect();
    all.sort_unstable();
    for (_, _, key) in all.into_iter().take(MOST / 8) {
        records.remove(&key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + secs).unwrap()
    }

    #[test]
    fn the_wait_grows_and_ends_with_success() {
        let throttle = Throttle::default();
        let one = [Counted::address(Some("1.2.3.4".parse().unwrap()))];
        for _ in 0..6 {
            assert_eq!(throttle.attempt(&one, at(0)), Ok(()));
        }
        assert_eq!(throttle.attempt(&one, at(0)), Err(1));
        assert_eq!(throttle.attempt(&one, at(1)), Ok(()));
        assert_eq!(throttle.attempt(&one, at(1)), Err(2));
        assert_eq!(throttle.attempt(&one, at(3)), Ok(()));
        assert_eq!(throttle.attempt(&one, at(3)), Err(4));
        assert_eq!(throttle.wait(&one[0], at(5)), Err(2));
        let other = [Counted::address(Some("1.2.3.5".parse().unwrap()))];
        assert_eq!(throttle.attempt(&other, at(3)), Ok(()));
        throttle.succeeded(&one);
        assert_eq!(throttle.attempt(&one, at(3)), Ok(()));
    }

    #[test]
    fn the_longest_wait_is_bounded_and_an_hour_forgets() {
        let throttle = Throttle::default();
        let one = [Counted::address(None)];
        let mut now = 0;
        for _ in 0..100 {
            if let Err(wait) = throttle.attempt(&one, at(now)) {
                assert!(wait <= 900);
                now += i64::try_from(wait).unwrap();
            }
        }
        assert_eq!(throttle.attempt(&one, at(now + 3600)), Ok(()));
        assert_eq!(throttle.attempt(&one, at(now + 3600)), Ok(()), "counted from one again");
    }

    #[test]
    fn a_household_is_one_address_and_memory_is_bounded() {
        let throttle = Throttle::default();
        let household = |n: u32| [Counted::address(Some(format!("2001:db8:0:1::{n:x}").parse().unwrap()))];
        for n in 0..6 {
            assert_eq!(throttle.attempt(&household(n), at(0)), Ok(()));
        }
        assert_eq!(throttle.attempt(&household(9), at(0)), Err(1));
        for n in 0..20_000_u32 {
            let address = IpAddr::from(n.to_be_bytes());
            assert_eq!(throttle.attempt(&[Counted::address(Some(address))], at(0)), Ok(()));
        }
        assert!(throttle.0.lock().unwrap().len() <= MOST);
        assert_eq!(throttle.attempt(&household(9), at(0)), Err(1), "a flood does not wipe out a guesser");
    }
}
