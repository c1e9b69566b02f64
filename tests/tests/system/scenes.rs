//! `milkrun demo --flow`: each scene ends reconciled, and nothing arrives twice.

use crate::milkrun::{Ended, side_by_side};
use crate::place::Place;

/// The number before a word of the last line.
#[track_caller]
fn count(ended: &Ended, word: &str) -> u32 {
    let line = ended.out.lines().last().unwrap_or_default();
    let mut words = line.split([' ', ',']).filter(|word| !word.is_empty());
    let mut before = "";
    let found = words.find_map(|next| {
        let number = (next == word).then_some(before);
        before = next;
        number
    });
    found.and_then(|number| number.parse().ok()).unwrap_or_else(|| panic!("no number before `{word}`: {ended}"))
}

#[test]
fn each_scene_ends_reconciled_with_nothing_doubled() {
    side_by_side([("purchase", 40), ("sales", 40), ("clients", 40), ("stock", 0)], |(scene, n_documents)| {
        let place = Place::new("");
        let demo = |more: &[&str]| {
            let all = ["demo", "--flow", scene, "--dir", "demo", "--items", "60"];
            place.milkrun(&all.iter().chain(more).copied().collect::<Vec<_>>()).with(0)
        };
        let ended = demo(&[]);
        assert!(ended.out.contains("reconciled") && !ended.out.contains("unreconciled"), "{scene}: {ended}");
        if n_documents > 0 {
            assert_eq!(count(&ended, "keys"), n_documents, "{scene}: {ended}");
            assert_eq!(count(&ended, "documents"), n_documents, "{scene}: {ended}");
            assert_eq!(count(&ended, "doubled"), 0, "{scene}: {ended}");
        } else {
            // What is kept on this machine can be looked at.
            assert_eq!(place.read("demo/.milkrun/kept/inventory.jsonl").lines().count(), 40);
        }
        // The installation is whole: its files are in order, and its state can be asked.
        place.milkrun(&["check", "--offline", "--dir", "demo"]).with(0);
        let status = place.milkrun(&["status", "--json", "--dir", "demo"]).with(0).json();
        assert_eq!(status["flows"][0]["name"], scene, "{status:#}");
        // A second demo takes the place of the first, with data of its own.
        let again = demo(&["--seed", "2", "--json"]).json();
        assert_eq!(again["flows"][0]["verdict"], "reconciled", "{again:#}");
    });
}
