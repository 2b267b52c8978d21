//! The table of dangers.
//!
//! One row each; what finds it is a function in a sibling. The examples are tested, and are what
//! `redial help NAME` and `docs/dangers.md` show. Start at [`DANGERS`].

use super::{Danger, Find, crowd, limits, pace, reach};

/// Everything that is looked for, in the order it is said of one clause.
pub(in crate::check) static DANGERS: [Danger; 14] = [
    Danger {
        name: "never-reached",
        about: "clauses in front of it take every failure it would",
        has: "clauses = 'any if fresh: next; refused: retry 3'",
        has_not: "clauses = 'refused: retry 3; any if fresh: next'",
        find: Find::Clause(reach::never_reached),
    },
    Danger {
        name: "cannot-happen",
        about: "what it names does not happen to these servers",
        has: "servers = 'db:5432'\nclauses = 'tls-certificate: say \"a bad certificate\", stop'",
        has_not: "servers = 'tls://db:5432'\nclauses = 'tls-certificate: say \"a bad certificate\", stop'",
        find: Find::Clause(reach::cannot_happen),
    },
    Danger {
        name: "never-run",
        about: "steps behind `retry forever` wait for ever",
        has: "clauses = 'refused: retry forever, next'",
        has_not: "clauses = 'refused: retry 10, next'",
        find: Find::Clause(reach::never_run),
    },
    Danger {
        name: "nowhere-to-go",
        about: "`next` or `drop` where the only server has its only turn",
        has: "servers = 'db:5432'\nclauses = 'refused: retry 3, next'",
        has_not: "servers = 'db1:5432,db2:5432'\nclauses = 'refused: retry 3, next'",
        find: Find::Clause(reach::nowhere_to_go),
    },
    Danger {
        name: "data-moved",
        about: "once data has moved `retry` is passed over, and what is behind it comes at once",
        has: "clauses = 'transient: retry 10, run ./page \"db is down\"'",
        has_not: "clauses = 'transient if fresh: retry 10, run ./page \"db is down\"'",
        find: Find::Clause(reach::data_moved),
    },
    Danger {
        name: "retries-permanent",
        about: "without an end it retries what does not go away by itself",
        has: "servers = 'db:5432'\nclauses = 'any: retry forever'",
        has_not: "servers = 'db:5432'\nclauses = 'any but dns-not-found, denied, other: retry forever'",
        find: Find::Clause(reach::retries_permanent),
    },
    Danger {
        name: "no-jitter",
        about: "clients that fail together come back together, each time",
        has: "clauses = 'refused: retry forever every 30s'",
        has_not: "clauses = 'refused: retry forever every 30s jitter equal'",
        find: Find::Pace(pace::no_jitter),
    },
    Danger {
        name: "spread-lost",
        about: "at the cap all pauses are the same, so clients come back together",
        has: "clauses = 'refused: retry forever every 1s..30s jitter none'",
        has_not: "clauses = 'refused: retry forever every 1s..30s'",
        find: Find::Pace(pace::spread_lost),
    },
    Danger {
        name: "no-budget",
        about: "it never gives up and never slows down, however long it lasts",
        has: "clauses = 'refused: retry forever every 1s jitter equal'",
        has_not: "clauses = 'refused: retry forever every 1s..30s'",
        find: Find::Pace(pace::no_budget),
    },
    Danger {
        name: "too-late",
        about: "the deadline is over before the first pause is",
        has: "deadline = '5s'\nclauses = 'refused: retry 3 every 20s..1m'",
        has_not: "deadline = '15s'\nclauses = 'refused: retry 3 every 20s..1m'",
        find: Find::Pace(limits::too_late),
    },
    Danger {
        name: "deadline-unused",
        about: "the deadline is longer than all that could be tried",
        has: "deadline = '1h'\nclauses = 'refused: retry 3 every 1s'",
        has_not: "deadline = '1h'\nclauses = 'refused: retry 10 every 1s..20m'",
        find: Find::Policy(limits::deadline_unused),
    },
    Danger {
        name: "resets-on-connect",
        about: "a server that accepts and closes counts as healthy, and pauses begin anew",
        has: "healthy-after = '0s'\nclauses = 'transient: retry 3'",
        has_not: "healthy-after = '10s'\nclauses = 'transient: retry 3'",
        find: Find::Policy(pace::resets_on_connect),
    },
    Danger {
        name: "cap-too-low",
        about: "when all clients wait, they ask more often than the server takes them",
        has: "clauses = 'refused: retry forever every 1s..30s'",
        has_not: "clauses = 'refused: retry forever every 1s..3m'",
        find: Find::Crowd(crowd::cap_too_low),
    },
    Danger {
        name: "no-recovery",
        about: "the server is back and its clients are not: they keep it busy for nothing",
        has: "servers = 'tls://db:5432'\nclauses = 'transient: retry forever every 1s..2s'",
        has_not: "servers = 'tls://db:5432'\nclauses = 'transient: retry forever every 1s..3m'",
        find: Find::Crowd(crowd::no_recovery),
    },
];
