//! What a call costs besides sending, with the allocations of each: `cargo bench --bench call-path`.

use divan::{AllocProfiler, Bencher, black_box};
use mainstay::internals::{LastGood, Path};

#[global_allocator]
static ALLOCATIONS: AllocProfiler = AllocProfiler::system();

const INSTANCES: [u16; 5] = [3, 10, 100, 1_000, 10_000];
const FOR_EVER: u32 = u32::MAX;

fn main() {
    divan::main();
}

/// Who is there, who is next, admission, and the record of a success.
#[divan::bench(args = INSTANCES, threads = [1, 2])]
fn pick_admit_record(bencher: Bencher, instances: u16) {
    let path = Path::over(instances, 1);
    bencher.bench(|| assert!(path.call(true)));
}

#[divan::bench(args = INSTANCES, threads = [1, 2])]
fn with_three_in_ten_open(bencher: Bencher, instances: u16) {
    let path = Path::over(instances, 1);
    path.open(usize::from(instances) * 3 / 10);
    bencher.bench(|| assert!(path.call(true)));
}

/// Every breaker is open.
#[divan::bench(args = INSTANCES, threads = [1, 2])]
fn rejected(bencher: Bencher, instances: u16) {
    let path = Path::over(instances, 1);
    path.open(instances.into());
    bencher.bench(|| assert!(!path.call(true)));
}

/// For comparison: the closed path of other breakers, which is admission and record alone, of one instance.
#[divan::bench(threads = [1, 2])]
fn recloser(bencher: Bencher) {
    let breaker = recloser::Recloser::default();
    bencher.bench(|| assert!(breaker.call(|| Ok::<_, ()>(())).is_ok()));
}

/// Likewise.
#[divan::bench(threads = [1, 2])]
fn failsafe(bencher: Bencher) {
    use ::failsafe::CircuitBreaker;
    let delay = ::failsafe::backoff::constant(std::time::Duration::from_secs(30));
    let policy = ::failsafe::failure_policy::consecutive_failures(1, delay);
    let breaker = ::failsafe::Config::new().failure_policy(policy).build();
    bencher.bench(|| assert!(breaker.call(|| Ok::<_, ()>(())).is_ok()));
}

/// Ours alone: admission and record, of one instance.
#[divan::bench(threads = [1, 2])]
fn breaker(bencher: Bencher) {
    let now = tokio::time::Instant::now();
    let breaker = mainstay::breaker::Breaker::new((&mainstay::Policy::DEFAULT).into(), now);
    bencher.bench(|| {
        let permit = breaker.admit(now);
        assert!(permit.is_ok_and(|permit| permit.record(mainstay::breaker::Outcome::Success, now).is_none()));
    });
}

/// Failures that do not open the breaker.
#[divan::bench(threads = [1, 2])]
fn failing(bencher: Bencher) {
    let path = Path::over(3, FOR_EVER);
    bencher.bench(|| assert!(path.call(false)));
}

/// An instance of so many has restarted.
#[divan::bench(args = INSTANCES)]
fn change_of_one(bencher: Bencher, instances: u16) {
    let path = Path::over(instances, 1);
    let mut incarnation = 1;
    bencher.bench_local(|| {
        incarnation += 1;
        path.change_one(incarnation);
    });
}

/// An instance comes, and leaves.
#[divan::bench(args = INSTANCES)]
fn coming_and_going(bencher: Bencher, instances: u16) {
    let path = Path::over(instances, 1);
    bencher.bench_local(|| path.come_and_go());
}

/// A breaker of so many has turned.
#[divan::bench(args = INSTANCES)]
fn turn_of_one(bencher: Bencher, instances: u16) {
    let path = Path::over(instances, 1);
    bencher.bench_local(|| path.turn_one());
}

/// A last good answer is looked up.
#[divan::bench(threads = [1, 2])]
fn last_good_hit(bencher: Bencher) {
    let kept = LastGood::with("/ratings/camera", r#"{"thing":"camera","rating":4.5}"#);
    bencher.bench(|| assert!(black_box(&kept).hit()));
}

/// A last good answer has come again.
#[divan::bench(threads = [1, 2])]
fn last_good_touch(bencher: Bencher) {
    let kept = LastGood::with("/ratings/camera", r#"{"thing":"camera","rating":4.5}"#);
    bencher.bench(|| black_box(&kept).touch());
}
