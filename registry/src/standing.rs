//! What the stream of a lease connection has to tell: said by the writer, whom no reader keeps waiting.

use std::collections::BTreeMap;

use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::roster::Member;

/// How many instances may wait to be told of. Who has lost more before it reads on learns of the others when it opens its
/// lease anew.
const MOST: usize = 4096;

/// Between the writer and one stream.
#[derive(Debug, Default)]
pub(crate) struct Standing {
    said: Mutex<Said>,
    news: Notify,
}

#[derive(Debug, Default)]
struct Said {
    /// By instance, so that of several only the last is told.
    replaced: BTreeMap<Member, u64>,
    ended: Option<Option<u64>>,
    #[cfg(feature = "etcd")]
    away: bool,
}

/// One thing to be told.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Word {
    /// An incarnation has the place of one of the lease's instances.
    Replaced(Member, u64),
    /// The stream stands for nothing any more; a later incarnation may have the place of what it stood for.
    Ended(Option<u64>),
    /// Whoever said these words does not any more: another replica does.
    #[cfg(feature = "etcd")]
    Away,
}

impl Standing {
    pub(crate) fn replace(&self, member: &Member, by: u64) {
        let mut said = self.said.lock();
        if said.replaced.len() < MOST || said.replaced.contains_key(member) {
            said.replaced.insert(member.clone(), by);
        }
        drop(said);
        self.news.notify_one();
    }

    pub(crate) fn end(&self, superseded_by: Option<u64>) {
        self.said.lock().ended = Some(superseded_by);
        self.news.notify_one();
    }

    /// Nobody says anything here any more.
    #[cfg(feature = "etcd")]
    pub(crate) fn leave(&self) {
        self.said.lock().away = true;
        self.news.notify_one();
    }

    /// Waits for the next word; there is one stream.
    ///
    /// Cancel safe.
    pub(crate) async fn next(&self) -> Word {
        loop {
            if let Some(word) = self.said.lock().take() {
                return word;
            }
            self.news.notified().await;
        }
    }
}

impl Said {
    fn take(&mut self) -> Option<Word> {
        let replaced = self.replaced.pop_first().map(|(member, by)| Word::Replaced(member, by));
        let word = replaced.or_else(|| self.ended.take().map(Word::Ended));
        #[cfg(feature = "etcd")]
        let word = word.or_else(|| std::mem::take(&mut self.away).then_some(Word::Away));
        word
    }
}

#[cfg(test)]
mod tests {
    use futures_util::future::poll_immediate;

    use super::*;

    fn member(id: u64) -> Member {
        ("ratings".into(), format!("r{id}").parse().unwrap())
    }

    #[tokio::test]
    async fn the_last_of_each_is_told_and_the_end_after_them() {
        let standing = Standing::default();
        assert_eq!(poll_immediate(standing.next()).await, None);
        standing.replace(&member(1), 5);
        standing.end(Some(9));
        standing.replace(&member(1), 6);
        assert_eq!(standing.next().await, Word::Replaced(member(1), 6));
        assert_eq!(standing.next().await, Word::Ended(Some(9)));
        assert_eq!(poll_immediate(standing.next()).await, None);
    }

    #[tokio::test]
    async fn a_reader_that_does_not_read_costs_no_more_than_so_much() {
        let standing = Standing::default();
        (0..5_000).for_each(|id| standing.replace(&member(id), 1));
        standing.replace(&member(7), 2);
        assert_eq!(standing.said.lock().replaced.len(), MOST);
        assert_eq!(standing.said.lock().replaced[&member(7)], 2);
    }
}
