//! The views that were made.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::time::Instant;

use super::Names;
use super::view::View;

/// How many views are kept. With more services than that in use, some are made again for a query.
const MOST: usize = 256;

/// The views of services that were asked for, each for as long as its service does not change.
pub(super) struct Views {
    names: Arc<dyn Names>,
    made: Mutex<HashMap<String, Arc<View>>>,
}

impl Views {
    pub(super) fn new(names: Arc<dyn Names>) -> Self {
        Self { names, made: Mutex::default() }
    }

    /// A service as it is now; nothing if nobody has registered for it.
    pub(super) fn of(&self, service: &str) -> Option<Arc<View>> {
        let Some(revision) = self.names.revision(service) else {
            self.made.lock().remove(service);
            return None;
        };
        let made = self.made.lock().get(service).cloned();
        if let Some(view) = made.filter(|view| view.stands_for(revision)) {
            return Some(view);
        }
        // Not under the lock: those who ask for others need not wait for a large one.
        let begun = Instant::now();
        let view = Arc::new(View::new(revision, begun, &self.names.instances(service)));
        let mut made = self.made.lock();
        if made.len() >= MOST && !made.contains_key(service) {
            let any = made.keys().next().cloned();
            any.and_then(|any| made.remove(&any));
        }
        made.insert(service.to_owned(), Arc::clone(&view));
        Some(view)
    }
}

impl fmt::Debug for Views {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Views").field("made", &self.made.lock().len()).finish_non_exhaustive()
    }
}
