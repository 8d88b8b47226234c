//! Keys and sessions, and what readers see of them.

use tokio_util::sync::CancellationToken;

use super::*;

/// Milliseconds.
pub(super) const S: u64 = 1000;

pub(super) struct Bench {
    pub(super) kv: Kv,
    pub(super) board: Arc<Board>,
    pub(super) revision: u64,
    now: u64,
    opened: usize,
}

impl Default for Bench {
    fn default() -> Self {
        Self::new(KvLimits::default())
    }
}

/// A session of so many seconds, whose keys are released.
pub(super) fn terms(seconds: u64) -> Terms {
    Terms {
        name: "test".to_owned(),
        node: "here".to_owned(),
        ttl: Some(Duration::from_secs(seconds)),
        behavior: Behavior::Release,
        lock_delay: Duration::from_secs(15),
    }
}

impl Bench {
    pub(super) fn new(limits: KvLimits) -> Self {
        let board = Arc::new(Board::new(0, 0, limits.waiting, CancellationToken::new()));
        Self { kv: Kv::new(limits), board, revision: 0, now: 0, opened: 0 }
    }

    pub(super) fn now(&self) -> Time {
        Time::from_millis(self.now)
    }

    /// Does something, and shows it.
    fn with<T>(&mut self, done: impl FnOnce(&mut Kv, &mut At<'_>) -> T) -> T {
        let done = done(&mut self.kv, &mut At { now: Time::from_millis(self.now), revision: &mut self.revision });
        self.fold();
        done
    }

    pub(super) fn fold(&mut self) {
        self.board.fold(&self.kv.take_batch());
    }

    pub(super) fn put(&mut self, key: &str, value: &str, on: On) -> Result<bool, Refused> {
        let put = Put { value: Bytes::copy_from_slice(value.as_bytes()), flags: 0, on };
        self.with(|kv, at| kv.put(key, put, at))
    }

    pub(super) fn acquire(&mut self, key: &str, session: &Arc<str>) -> Result<bool, Refused> {
        self.put(key, "", On::Acquire(Arc::clone(session)))
    }

    pub(super) fn release(&mut self, key: &str, session: &Arc<str>) -> Result<bool, Refused> {
        self.put(key, "", On::Release(Arc::clone(session)))
    }

    pub(super) fn delete(&mut self, key: &str, unchanged: Option<u64>) -> bool {
        self.with(|kv, at| kv.delete(key, unchanged, at))
    }

    pub(super) fn delete_under(&mut self, prefix: &str) {
        self.with(|kv, at| kv.delete_under(prefix, at));
    }

    pub(super) fn try_open(&mut self, terms: Terms) -> Result<Arc<str>, Refused> {
        self.opened += 1;
        let id: Arc<str> = format!("s{}", self.opened).into();
        self.with(|kv, at| kv.open(Arc::clone(&id), terms, at))?;
        Ok(id)
    }

    pub(super) fn open(&mut self, terms: Terms) -> Arc<str> {
        self.try_open(terms).unwrap()
    }

    pub(super) fn end(&mut self, id: &str) {
        self.with(|kv, at| kv.end(id, at));
    }

    pub(super) fn renew(&mut self, id: &str) -> Result<(), Refused> {
        self.kv.renew(id, Time::from_millis(self.now))
    }

    /// Lets time pass up to an instant, as it does: in steps.
    pub(super) fn pass_to(&mut self, millis: u64) {
        while self.now < millis {
            self.now = millis.min(self.now + 100);
            self.with(Kv::expire);
        }
    }

    pub(super) fn entry(&self, key: &str) -> Arc<Entry> {
        self.board.key(key).what.unwrap()
    }

    pub(super) fn session(&self, id: &str) -> Option<Arc<Session>> {
        self.board.session(id)
    }
}
