//! A service as it is asked for by name.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use hickory_proto::rr::Name;
use mainstay_contracts::Address;
use mainstay_contracts::registry::Listed;
use tokio::time::Instant;

use super::group::{Choice, Group};
use super::zone::host;

/// What of a service may be answered, sorted once, so that a query costs what its answer does, however many there are.
#[derive(Debug)]
pub(super) struct View {
    revision: u64,
    size: usize,
    /// When it was begun.
    made: Instant,
    took: Duration,
    entries: Vec<Entry>,
    all: Group,
    tags: HashMap<String, Group>,
}

/// One instance.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) target: Target,
    pub(super) port: u16,
    pub(super) weight: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Target {
    Address(IpAddr),
    Host(Name),
}

/// Below that many instances a view is made in less time than an answer takes to arrive.
const SMALL: usize = 256;
/// What making views of one large service may take of a core: a twentieth.
const SHARE: u32 = 20;
/// What is answered is no older than that, whatever making views takes.
const OLDEST: Duration = Duration::from_millis(100);

impl View {
    /// Of instances that somebody has begun to look up.
    pub(super) fn new(revision: u64, begun: Instant, instances: &[Arc<Listed>]) -> Self {
        let (mut entries, mut all, mut tags) = (Vec::new(), Choice::default(), HashMap::<String, Choice>::new());
        for listed in instances {
            let Some(target) = target(&listed.instance.address) else { continue };
            let place = entries.len();
            entries.push(Entry { target, port: listed.instance.address.port(), weight: listed.instance.weight });
            all.add(place, listed.presence);
            for tag in &listed.instance.tags {
                tags.entry(tag.to_ascii_lowercase()).or_default().add(place, listed.presence);
            }
        }
        let all = Group::new(&all, &entries);
        let tags = tags.into_iter().map(|(tag, choice)| (tag, Group::new(&choice, &entries))).collect();
        let took = begun.elapsed();
        Self { revision, size: instances.len(), made: begun, took, entries, all, tags }
    }

    /// May it still be answered from, at this revision? A large service that changes with every query would otherwise be
    /// sorted for each.
    pub(super) fn stands_for(&self, revision: u64) -> bool {
        let recent = || self.made.elapsed() < (self.took * SHARE).min(OLDEST);
        self.revision == revision || self.size > SMALL && recent()
    }

    /// Everybody, or who has the tag; nothing if nobody does.
    pub(super) fn group(&self, tag: Option<&str>) -> Option<&Group> {
        tag.map_or(Some(&self.all), |tag| self.tags.get(tag))
    }

    pub(super) fn entry(&self, place: u32) -> &Entry {
        &self.entries[place as usize]
    }
}

/// What an address has for a target; nothing where its host could not be asked for.
fn target(address: &Address) -> Option<Target> {
    let text = address.host();
    text.parse().map(Target::Address).ok().or_else(|| host(text).map(Target::Host))
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_large_service_is_sorted_so_often_that_it_takes_a_twentieth() {
        let json = r#"{"id":"a","number":1,"address":"127.0.0.1:1","incarnation":9,"presence":"up"}"#;
        let one: Arc<Listed> = Arc::new(serde_json::from_str(json).unwrap());
        let of = |size| View::new(1, Instant::now(), &vec![Arc::clone(&one); size]);
        let view = |size, took| View { took: Duration::from_millis(took), ..of(size) };
        let (small, quick, slow) = (view(256, 2), view(257, 2), view(257, 50));
        let stand = |revision| [&small, &quick, &slow].map(|view| view.stands_for(revision));
        assert_eq!((stand(1), stand(2)), ([true; 3], [false, true, true]));
        advance(Duration::from_millis(40)).await;
        assert_eq!((stand(1), stand(2)), ([true; 3], [false, false, true]));
        advance(Duration::from_millis(60)).await;
        assert_eq!((stand(1), stand(2)), ([true; 3], [false, false, false]));
    }
}
