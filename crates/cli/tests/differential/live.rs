//! Plays a scenario on the network: the real driver, and the real lab on loopback.
//!
//! Start at [`play`].

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use redial::{Connection, Ended, Event, Record, Redial};
use redial_lab::Lab;
use tokio::{io::AsyncReadExt, sync::oneshot, time::timeout};

use crate::scenario::{Body, Scenario};

/// Nothing here takes this long, on any machine.
const LIMIT: Duration = Duration::from_secs(30);

/// Runs a scenario and returns its record.
pub(crate) fn play(scenario: &Scenario) -> Record {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let start = |script| Lab::start(script).unwrap();
    let servers: Vec<_> = scenario.scripts().into_iter().map(start).collect();
    let names = servers.iter().map(|lab| lab.address().to_string());
    let policy = Arc::new(scenario.policy(names).build().unwrap());
    let heard = Arc::new(Mutex::new(Record::new(policy.clone(), scenario.seed())));
    let (enough, mut was_enough) = oneshot::channel::<()>();
    let (until, mut enough, record) = (scenario.until, Some(enough), heard.clone());
    let redial = Redial::new((*policy).clone()).seed(scenario.seed()).allow_run();
    let redial = redial.listen(move |happened| {
        if enough.is_some() {
            record.lock().unwrap().push(happened.clone());
        }
        if let Event::Trying { attempt, .. } = happened.event
            && until == Some(attempt)
        {
            enough.take();
        }
    });
    let body = scenario.body();
    let ended = runtime.block_on(async {
        let carried_out = redial.carry_out(async |connection| used(connection, body).await);
        let played = async {
            tokio::select! {
                finished = carried_out => Some(finished.unwrap()),
                _ = &mut was_enough, if until.is_some() => None,
            }
        };
        timeout(LIMIT, played).await
    });
    drop(servers);
    let heard = heard.lock().unwrap().clone();
    let ended = ended.unwrap_or_else(|_| panic!("it does not end: {heard:?}"));
    if let Some(finished) = ended {
        let json = |record: &Record| serde_json::to_string(record).unwrap();
        let began = finished.record.began().unwrap();
        let heard = heard.clone().with_began(began);
        assert_eq!(json(&finished.record), json(&heard), "the record is what was heard");
    }
    heard
}

async fn used(connection: &mut Connection, body: Body) -> Ended {
    let to_the_end = async {
        let mut said = [0; 1024];
        while connection.read(&mut said).await.is_ok_and(|count| count > 0) {}
    };
    let ended = match body {
        Body::Reads => {
            to_the_end.await;
            true
        }
        Body::Holds(Duration::ZERO) => false,
        Body::Holds(time) => timeout(time, to_the_end).await.is_ok(),
    };
    if ended { Ended::Failed(connection.failure()) } else { Ended::Well }
}
