//! What every call does besides sending allocates nothing.

use allocation_counter::measure;
use mainstay::internals::{LastGood, Path};

const CALLS: usize = 1_000;

fn allocations(mut work: impl FnMut()) -> u64 {
    // What a thread keeps for itself, it makes when it first comes.
    work();
    measure(|| (0..CALLS).for_each(|_| work())).count_total
}

#[test]
fn picking_admitting_and_recording_allocate_nothing() {
    for instances in [3, 1_000] {
        let path = Path::over(instances, u32::MAX);
        assert_eq!(allocations(|| assert!(path.call(true))), 0, "success, of {instances}");
        assert_eq!(allocations(|| assert!(path.call(false))), 0, "failure, of {instances}");
    }
}

#[test]
fn stepping_around_allocates_nothing() {
    let path = Path::over(10, 1);
    path.open(3);
    assert_eq!(allocations(|| assert!(path.call(true))), 0, "some are open");
    path.open(10);
    assert_eq!(allocations(|| assert!(!path.call(true))), 0, "all are open");
}

#[test]
fn a_last_good_answer_is_touched_and_found_without_allocating() {
    let kept = LastGood::with("/ratings/camera", r#"{"thing":"camera","rating":4.5}"#);
    assert_eq!(allocations(|| kept.touch()), 0);
    assert_eq!(allocations(|| assert!(kept.hit())), 0);
}
