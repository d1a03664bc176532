//! Calls make presence: who of the tenants talks through Direct Routing is Busy, InACall, as Teams shows it.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::shell::Engine;
use crate::teams::CallView;
use crate::web::Cloud;

/// Lets presence follow the calls of Teams users until the engine ends or this is dropped.
pub(crate) async fn follow(engine: Engine, cloud: Cloud) {
    let mut last = 0;
    let mut before = BTreeMap::new();
    loop {
        engine.wait_beyond(last, PATIENCE).await;
        let found = engine.ask(|world, _| (world.teams.journal.events.count(), talking(world.teams.calls())));
        let Some((count, now_talking)) = found.await else { return };
        last = count;
        if now_talking != before {
            tell(&cloud, &before, &now_talking);
            before = now_talking;
        }
        // In a busy center every moment has an event; presence need not be that quick.
        tokio::time::sleep(PAUSE).await;
    }
}

/// How many calls each user talks in, by the short names of users. A call that rings or that voicemail took is none.
fn talking(calls: impl Iterator<Item = CallView>) -> BTreeMap<String, u32> {
    let mut counts = BTreeMap::new();
    for call in calls.filter(|call| call.state == "connected" && !call.voicemail) {
        *counts.entry(call.user).or_insert(0) += 1;
    }
    counts
}

fn tell(cloud: &Cloud, before: &BTreeMap<String, u32>, now_talking: &BTreeMap<String, u32>) {
    cloud.with(|now, state| {
        for user in before.keys().chain(now_talking.keys()) {
            let Some(person) = state.directory.user_named(user) else { continue };
            let calls = now_talking.get(user).copied().unwrap_or(0);
            // Who has no presence talks without one.
            let _ = state.graph.set_calls(now, &state.directory, person.object_id.as_str(), calls);
        }
        state.graph.stir();
    });
}

/// How long nothing may happen before it is looked again all the same.
const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(100);
