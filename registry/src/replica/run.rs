//! What a replica does all its life: it follows, it is elected, it writes, it follows again.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use tokio::time::{interval, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::beginning::begin;
use super::follow::{AnotherLife, Followed};
use super::forget::forget;
use super::keep::Keep;
use super::keys::{Key, Keys};
use super::link::Link;
use super::read::{self, All};
use super::replicas::Replicas;
use super::rows::{self, Fellow, Life, VERSION};
use super::session::{self, Session};
use super::settings::Replication;
use crate::Config;
use crate::directory::{self, Directory};
use crate::etcd::{Client, Compare, Failed, Op, Put, TXN, Txn, TxnDone, WatchCreate, Watched, prefix_end};
use crate::keeper::Keeper;
use crate::writer::{Desk, Writer};

/// How long etcd may take to answer when a replica starts.
const PATIENCE: Duration = Duration::from_secs(30);
/// When it is asked again that did not.
pub(super) const AGAIN: Duration = Duration::from_millis(250);
/// The longest value of a key that fits into a request to etcd: in base64 it takes a third more.
const VALUE: usize = 700 * 1024;
/// How long another one may have to wait before it writes, if etcd is away when this one ends.
const GOOD_BYE: Duration = Duration::from_millis(400);
/// How often time goes on while nothing is written.
const TICK: Duration = Duration::from_millis(100);

/// A registry that is one of several.
#[derive(Debug)]
pub(crate) struct Replica {
    config: Config,
    replication: Replication,
    life: Life,
    replicas: Arc<Replicas>,
    followed: Followed,
    /// With a writer while this one writes.
    desk: Option<Desk>,
    writer: Option<Writer>,
    /// Of the session that is under way.
    lease: Option<i64>,
    /// By what the others tell this start from another one.
    start: String,
    introduced: bool,
    /// The leases of earlier starts, which may last for a while.
    earlier: Vec<i64>,
}

/// Why a session is over.
enum Over {
    Failed(Failed),
    AnotherLife,
    AnotherAtItsAddress,
}

impl From<Failed> for Over {
    fn from(failed: Failed) -> Self {
        Self::Failed(failed)
    }
}

impl From<AnotherLife> for Over {
    fn from(_: AnotherLife) -> Self {
        Self::AnotherLife
    }
}

impl Replica {
    /// Reads what is kept, or begins its life.
    ///
    /// # Errors
    /// When etcd does not answer in time, or has what another version wrote.
    pub(crate) async fn open(
        config: Config,
        replication: Replication,
        stop: CancellationToken,
    ) -> io::Result<(Arc<Directory>, Self)> {
        if config.limits.kv.value > VALUE {
            return Err(invalid(format!(
                "values of {} bytes do not fit into etcd: {VALUE} do",
                config.limits.kv.value
            )));
        }
        let client = Client::new(&replication.cluster).map_err(|error| invalid(error.to_string()))?;
        let keys = Keys { prefix: replication.cluster.prefix().to_owned() };
        let all = timeout(PATIENCE, begin(&client, &keys)).await.map_err(|_| {
            io::Error::new(io::ErrorKind::TimedOut, format!("etcd has not answered within {PATIENCE:?}: is it there?"))
        })?;
        let Some(life) = all.life.clone().filter(|life| life.version == VERSION) else {
            return Err(invalid(format!("what is under {} in etcd is of another version", keys.prefix)));
        };
        let link = Link::new(&life.secret, replication.tls.as_ref());
        let (address, lease) = (replication.address.clone(), replication.lease);
        let replicas = Arc::new(Replicas::new((client, keys), (address, link), lease, stop.clone()));
        let (directory, mut desk) = Directory::new(config.clone(), &all.opened, stop);
        let mut followed = Followed::new();
        // It has shown nothing that it could contradict.
        let _ = followed.catch_up(&all.opened, all.at, &desk.views, desk.ticker.tick());
        let directory = Arc::new(directory.one_of(Arc::clone(&replicas)));
        let (desk, start) = (Some(desk), uuid::Uuid::new_v4().simple().to_string());
        let (writer, lease, introduced, earlier) = (None, None, false, Vec::new());
        let replica =
            Self { config, replication, life, replicas, followed, desk, writer, lease, start, introduced, earlier };
        Ok((directory, replica))
    }

    /// Serves for as long as it is polled, or until what is in etcd is another life.
    pub(crate) async fn run(&mut self) -> io::Result<()> {
        let replicas = Arc::clone(&self.replicas);
        tokio::select! {
            result = self.sessions() => result,
            () = replicas.guard_streams() => Ok(()),
        }
    }

    async fn sessions(&mut self) -> io::Result<()> {
        let mut failing = false;
        loop {
            match self.session().await {
                Ok(why) => {
                    warn!("this replica's lease is over: {why}");
                    failing = false;
                }
                Err(Over::Failed(failed)) => {
                    if !failing {
                        warn!("{failed}; trying on");
                    }
                    failing = true;
                }
                Err(Over::AnotherLife) => {
                    return Err(invalid("etcd has another registry now: start anew, to serve that".to_owned()));
                }
                Err(Over::AnotherAtItsAddress) => {
                    let address = &self.replicas.address;
                    return Err(invalid(format!("another replica is reached at {address} too: --advertise differs")));
                }
            }
            self.step_down();
            self.replicas.hold(None);
            self.replicas.set_writer(None);
            sleep(AGAIN).await;
        }
    }

    /// One lease, from its beginning to its end.
    async fn session(&mut self) -> Result<String, Over> {
        let replicas = Arc::clone(&self.replicas);
        if let Some(lease) = self.lease.take() {
            session::end(&replicas, lease).await;
        }
        let session = Session::begin(&replicas, self.replication.lease).await?;
        self.lease = Some(session.lease);
        tokio::select! {
            why = session.keep(&replicas) => Ok(why),
            over = self.serve(session.lease) => Err(over),
        }
    }

    async fn serve(&mut self, lease: i64) -> Over {
        loop {
            let elected = match self.follow(lease).await {
                Ok(elected) => elected,
                Err(over) => return over,
            };
            match self.write(elected).await {
                Ok(why) => info!("this replica does not write any more: {why}"),
                Err(over) => return over,
            }
            self.step_down();
        }
    }

    /// Shows what others write, until this one is elected; returns etcd's revision of that.
    async fn follow(&mut self, lease: i64) -> Result<i64, Over> {
        let all = self.read().await?;
        self.introduce(lease, &all).await?;
        self.followed.writer = all.writer;
        let create = WatchCreate {
            key: self.replicas.keys.prefix.clone().into_bytes(),
            end: prefix_end(&self.replicas.keys.prefix),
            // With what was read last: etcd says nothing of how far a watch is that has not begun.
            revision: all.revision,
        };
        let mut told = self.replicas.client.watch(create, self.replicas.beat()).await?;
        let mut ticks = interval(TICK);
        loop {
            self.replicas.set_writer(self.followed.writer.clone());
            match &self.followed.writer {
                Some(writer) if writer.lease == lease => return Ok(writer.elected),
                Some(_) => {}
                None => self.stand(lease).await?,
            }
            let desk = self.desk.as_mut().expect("who does not write has it");
            tokio::select! {
                watched = told.next() => {
                    // What it could not tell any more is read, when it begins anew.
                    let Watched { canceled, why, events } = watched.transpose()?.unwrap_or_else(Watched::end);
                    if canceled {
                        return Err(self.replicas.client.ended(&why).into());
                    }
                    let now = desk.ticker.tick();
                    self.replicas.set_sure(!desk.ticker.in_aftermath());
                    self.followed.take(events, (&self.replicas.keys, &self.life), &desk.views, now)?;
                    self.replicas.heard();
                }
                _ = ticks.tick() => {
                    desk.ticker.tick();
                    self.replicas.set_sure(!desk.ticker.in_aftermath());
                    if self.replicas.is_silent() {
                        return Err(self.replicas.client.ended("it is silent").into());
                    }
                    // Asked when this one was still the one that writes.
                    while desk.jobs.try_recv().is_ok() {}
                }
            }
        }
    }

    /// Writes what is asked for, until another one does. Says why it ended.
    async fn write(&mut self, elected: i64) -> Result<String, Over> {
        // Nobody else can write any more: this is all there is.
        let All { opened, at, changed, .. } = self.read().await?;
        let mut desk = self.desk.take().expect("who does not write has it");
        let now = desk.ticker.tick();
        desk.views.forget_pulses();
        desk.board.begin_again(opened.kv.forgotten, opened.kv.sessions_at);
        let (client, keys) = (self.replicas.client.clone(), self.replicas.keys.clone());
        let keeper = Keeper::Etcd(Keep::new(client, keys, elected, (at, changed)));
        let state = directory::state(&self.config, opened, now);
        let writer = self.writer.insert(Writer::new(state, keeper, desk));
        info!("this replica writes, from revision {} on", at.revision);
        self.replicas.set_writing(true);
        tokio::select! {
            why = writer.run() => Ok(why),
            () = forget(&self.replicas) => unreachable!("it goes on for ever"),
        }
    }

    /// Lets go of what only a writer has.
    fn step_down(&mut self) {
        self.replicas.set_writing(false);
        if let Some(writer) = self.writer.take() {
            let desk = writer.into_desk();
            desk.board.interrupt();
            desk.trouble.set(None);
            self.desk = Some(desk);
        }
    }

    /// Reads all there is, and shows it.
    async fn read(&mut self) -> Result<All, Over> {
        let all = read::all(&self.replicas.client, &self.replicas.keys).await?;
        self.replicas.heard();
        if let Some(desk) = &mut self.desk {
            let now = desk.ticker.tick();
            self.followed.catch_up(&all.opened, all.at, &desk.views, now)?;
        }
        Ok(all)
    }

    /// Says to the others where this one is. An earlier start that was reached there is over.
    async fn introduce(&mut self, lease: i64, All { fellows, .. }: &All) -> Result<(), Over> {
        let here = |(other, fellow): &&(i64, Fellow)| *other != lease && fellow.address == self.replicas.address;
        for (lease, fellow) in fellows.iter().filter(here) {
            let is_known = fellow.start == self.start || self.earlier.contains(lease);
            if self.introduced && !is_known {
                return Err(Over::AnotherAtItsAddress);
            }
            if !is_known {
                self.earlier.push(*lease);
            }
            session::end(&self.replicas, *lease).await;
        }
        let put = self.introduction(&Key::Replica(lease), lease);
        let missing = Compare::created(self.replicas.keys.of(&Key::Replica(lease)), 0);
        let _: TxnDone = self.replicas.client.call(TXN, Txn::new([missing], [put])).await?;
        self.introduced = true;
        Ok(())
    }

    /// Tries to be the one that writes. Who has won is seen by the watch.
    async fn stand(&self, lease: i64) -> Result<(), Failed> {
        let nobody = Compare::created(self.replicas.keys.of(&Key::Writer), 0);
        let put = self.introduction(&Key::Writer, lease);
        let _: TxnDone = self.replicas.client.call(TXN, Txn::new([nobody], [put])).await?;
        Ok(())
    }

    fn introduction(&self, key: &Key, lease: i64) -> Op {
        let value = rows::write(&Fellow { address: self.replicas.address.clone(), start: self.start.clone() });
        Op::Put(Put { key: self.replicas.keys.of(key), value, lease })
    }

    /// Lets another one write at once, if this one did.
    pub(crate) async fn close(mut self) {
        self.step_down();
        if let Some(lease) = self.lease.take() {
            // What is not ended now is over with its time.
            let _ = timeout(GOOD_BYE, session::end(&self.replicas, lease)).await;
        }
    }
}

fn invalid(what: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, what)
}
