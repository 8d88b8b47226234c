//! Providers: each hears requests for quotes on a channel of its own, and answers some of them, some time later.
//!
//! Each is registered by itself (service `providers`, id `UnicornManagementResource2`, number 2), so that some may share
//! a process and others run alone: for whoever asks there is no difference.
//!
//! | To see | read |
//! |---|---|
//! | what a provider answers, and **where to add one** | `answer` |
//! | how silent and how slow they are | [`Manner`] |
//! | how a request is heard and its answer survives | `attend` |
//! | how providers appear in the registry, and leave | [`run()`] |
//! | how they are started | [`Args`] |

mod answer;
mod args;
mod attend;
mod manner;
mod run;

use mainstay::contracts::quotes::{Rfq, provider_name};

pub use self::answer::Answer;
pub use self::args::Args;
pub use self::manner::{BadManner, Manner};
pub use self::run::{Config, run};

/// One provider.
#[derive(Debug, Clone, PartialEq)]
pub struct Provider {
    /// Its own number, the same across restarts.
    pub number: u32,
    /// How silent and how slow it is.
    pub manner: Manner,
}

impl Provider {
    /// The provider of this number, in the usual manner.
    pub fn new(number: u32) -> Self {
        Self { number, manner: Manner::default() }
    }

    /// What it quotes under, such as `UnicornManagementResource2`; also its id in the registry, and its channel.
    pub fn name(&self) -> String {
        provider_name(self.number)
    }

    /// Where it is found below its host and port, such as `/providers/UnicornManagementResource2`.
    pub fn path(&self) -> String {
        format!("/providers/{}", self.name())
    }

    /// What it answers to a request; `None` is silence. Asked again, it decides the same.
    pub fn answer(&self, rfq: &Rfq) -> Option<Answer> {
        answer::answer(self.number, &self.manner, rfq)
    }
}
