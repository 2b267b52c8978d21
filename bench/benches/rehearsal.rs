//! What a rehearsal costs: an attempt at 10k, 100k and 1M clients, and the queue beside a heap.
//!
//! `cargo bench --manifest-path bench/Cargo.toml --bench rehearsal`; the figures are time per
//! attempt, and per pop and push. The standing policy, a 60 s outage, a server that takes everyone
//! within 25 s. Start at [`attempts`].

use std::{cmp::Reverse, collections::BinaryHeap, time::Duration};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use redial_core::{Policy, Rate};
use redial_sim::{Calendar, Outage, Plan, Scenario, Server, rehearse};

const SIZES: [u64; 3] = [10_000, 100_000, 1_000_000];

/// One whole rehearsal, its clients' beginning and end included.
fn attempts(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("attempt");
    group.sample_size(10).warm_up_time(Duration::from_secs(1));
    for clients in SIZES {
        let accepts = Rate { count: clients / 25, per: Duration::from_secs(1) };
        let scenario = Scenario {
            clients,
            servers: vec![Server { accepts, ..Server::default() }],
            outage: Outage { lasts: Duration::from_secs(60), ..Outage::default() },
            ..Scenario::default()
        };
        let Ok(plan) = Plan::policy("standing", Policy::standing(), &scenario) else { return };
        let Ok(report) = rehearse(&scenario, &plan) else { return };
        group.throughput(Throughput::Elements(report.attempts));
        group.bench_function(BenchmarkId::from_parameter(clients), |bench| {
            bench.iter(|| rehearse(&scenario, &plan).map(|report| report.attempts));
        });
    }
    group.finish();
}

/// The hold model: so many wait, the next is popped and pushed again up to 30 s later.
fn queues(criterion: &mut Criterion) {
    const HOLDS: u64 = 1_000_000;
    let mut group = criterion.benchmark_group("hold");
    group.sample_size(10).warm_up_time(Duration::from_secs(1));
    group.throughput(Throughput::Elements(HOLDS));
    for size in SIZES {
        let mut random = fastrand::Rng::with_seed(1);
        let mut delay = move || random.u64(15_000_000_000..30_000_000_000);
        let mut calendar = Calendar::new();
        let mut heap = BinaryHeap::new();
        for id in 0..size {
            let at = delay();
            calendar.push(at, id);
            heap.push(Reverse((at, id)));
        }
        group.bench_function(BenchmarkId::new("calendar", size), |bench| {
            bench.iter(|| {
                for _ in 0..HOLDS {
                    let Some((at, id)) = calendar.pop() else { return };
                    calendar.push(at + delay(), id);
                }
            });
        });
        group.bench_function(BenchmarkId::new("heap", size), |bench| {
            bench.iter(|| {
                for _ in 0..HOLDS {
                    let Some(Reverse((at, id))) = heap.pop() else { return };
                    heap.push(Reverse((at + delay(), id)));
                }
            });
        });
    }
    group.finish();
}

criterion_group!(benches, attempts, queues);
criterion_main!(benches);
