//! How a service's clients behave: part of its contract, so that every client behaves alike.

use std::error::Error;
use std::fmt;
use std::time::Duration;

/// Whether a request may be sent a second time when it is not known what became of the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Idempotence {
    /// As HTTP says (RFC 9110, 9.2.2): `GET`, `HEAD`, `PUT`, `DELETE` and `OPTIONS` may, `POST` and `PATCH` may not.
    ByMethod,
    /// Every call of the service may be repeated.
    Always,
    /// No call of the service may be repeated once it was sent.
    Never,
}

/// The rules by which clients call a service.
///
/// | Rule | Default | Range |
/// |---|---|---|
/// | [`timeout`](Policy::timeout) of one attempt | 10 s | > 0, ≤ 1 h |
/// | [`deadline`](Policy::deadline) of the whole call | the timeout | > 0, ≤ 1 h |
/// | [`failure_limit`](Policy::failure_limit) in a row that opens a breaker | 3 | ≥ 1 |
/// | [`retest_delay`](Policy::retest_delay) of an open breaker | 30 s | > 0, ≤ 24 h |
/// | [`health_path`](Policy::health_path) to probe in half-open | none: one live call is the probe | starts with `/`, visible ASCII |
/// | [`idempotence`](Policy::idempotence) | by HTTP method | |
/// | [`keep_last_good`](Policy::keep_last_good) of calls that only read | 10 min | ≤ 24 h, or nothing is kept |
/// | [`answer_limit`](Policy::answer_limit) | 1 MiB | 1 byte to 1 GiB |
/// | [`http2`](Policy::http2): all calls of an instance over one connection | no: HTTP/1.1, a connection for each call under way | |
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    timeout: Duration,
    deadline: Option<Duration>,
    failure_limit: u32,
    retest_delay: Duration,
    health_path: Option<&'static str>,
    idempotence: Idempotence,
    keep_last_good: Option<Duration>,
    answer_limit: usize,
    http2: bool,
}

const MIB: usize = 1024 * 1024;
const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

impl Policy {
    /// The policy of a contract that is silent.
    pub const DEFAULT: Policy = Policy {
        timeout: Duration::from_secs(10),
        deadline: None,
        failure_limit: 3,
        retest_delay: Duration::from_secs(30),
        health_path: None,
        idempotence: Idempotence::ByMethod,
        keep_last_good: Some(Duration::from_secs(10 * 60)),
        answer_limit: MIB,
        http2: false,
    };

    /// Starts from [`Policy::DEFAULT`].
    pub const fn builder() -> PolicyBuilder {
        PolicyBuilder(Policy::DEFAULT)
    }

    /// Starts from this policy, for a client that differs from its contract.
    pub const fn to_builder(self) -> PolicyBuilder {
        PolicyBuilder(self)
    }

    /// The longest one attempt may take, from picking an instance to the last byte of its answer.
    pub const fn timeout(&self) -> Duration {
        self.timeout
    }

    /// The longest a whole call may take: resolving, waiting, every attempt.
    pub const fn deadline(&self) -> Duration {
        match self.deadline {
            Some(deadline) => deadline,
            None => self.timeout,
        }
    }

    /// How many failures in a row open an instance's breaker.
    pub const fn failure_limit(&self) -> u32 {
        self.failure_limit
    }

    /// How long a breaker stays open before its instance is tested again.
    pub const fn retest_delay(&self) -> Duration {
        self.retest_delay
    }

    /// Where a probe in half-open asks; only an answer of 2xx is a success. Without it, exactly one live call is
    /// the probe.
    pub const fn health_path(&self) -> Option<&'static str> {
        self.health_path
    }

    /// Whether a request may be repeated once it was sent.
    pub const fn idempotence(&self) -> Idempotence {
        self.idempotence
    }

    /// How long the last good answer is kept for when no live one can be had; `None` keeps nothing. Only answers to
    /// safe methods (`GET`, `HEAD`) are kept: a change that was made some time ago is not this change.
    pub const fn keep_last_good(&self) -> Option<Duration> {
        self.keep_last_good
    }

    /// The longest answer, in bytes: a longer one does not decode. Short answers deserve a short limit where instances
    /// are not trusted, as decoding takes time.
    pub const fn answer_limit(&self) -> usize {
        self.answer_limit
    }

    /// Whether instances are asked over HTTP/2: one connection to each, which all calls share, or one for each tokio
    /// runtime that calls come from. Over TLS the instance must agree to it; without TLS it is taken to know HTTP/2.
    /// Clients need the feature `http2` for it.
    ///
    /// The instance bounds how many calls may be under way at once; those beyond wait for it within their timeout.
    pub const fn http2(&self) -> bool {
        self.http2
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// Builds a [`Policy`]; nothing is checked before [`build`](PolicyBuilder::build).
#[derive(Debug, Clone, Copy)]
#[must_use]
pub struct PolicyBuilder(Policy);

impl PolicyBuilder {
    /// Sets [`Policy::timeout`].
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.0.timeout = timeout;
        self
    }

    /// Sets [`Policy::deadline`].
    pub const fn deadline(mut self, deadline: Duration) -> Self {
        self.0.deadline = Some(deadline);
        self
    }

    /// Sets [`Policy::failure_limit`].
    pub const fn failure_limit(mut self, failures: u32) -> Self {
        self.0.failure_limit = failures;
        self
    }

    /// Sets [`Policy::retest_delay`].
    pub const fn retest_delay(mut self, delay: Duration) -> Self {
        self.0.retest_delay = delay;
        self
    }

    /// Sets [`Policy::health_path`].
    pub const fn health_path(mut self, path: &'static str) -> Self {
        self.0.health_path = Some(path);
        self
    }

    /// Clears [`Policy::health_path`]: one live call is the probe.
    pub const fn no_health_path(mut self) -> Self {
        self.0.health_path = None;
        self
    }

    /// Sets [`Policy::idempotence`].
    pub const fn idempotence(mut self, idempotence: Idempotence) -> Self {
        self.0.idempotence = idempotence;
        self
    }

    /// Sets [`Policy::keep_last_good`].
    pub const fn keep_last_good(mut self, age: Duration) -> Self {
        self.0.keep_last_good = Some(age);
        self
    }

    /// Keeps no answers: no live answer is then an error at once.
    pub const fn forget_last_good(mut self) -> Self {
        self.0.keep_last_good = None;
        self
    }

    /// Sets [`Policy::answer_limit`].
    pub const fn answer_limit(mut self, bytes: usize) -> Self {
        self.0.answer_limit = bytes;
        self
    }

    /// Sets [`Policy::http2`].
    pub const fn http2(mut self) -> Self {
        self.0.http2 = true;
        self
    }

    /// Clears [`Policy::http2`]: HTTP/1.1.
    pub const fn http1(mut self) -> Self {
        self.0.http2 = false;
        self
    }

    /// Checks the rules.
    ///
    /// # Errors
    /// Names the rule that is out of its range (see the table at [`Policy`]).
    pub const fn build(self) -> Result<Policy, BadPolicy> {
        let policy = self.0;
        if policy.timeout.is_zero() || longer(policy.timeout, HOUR) {
            return Err(BadPolicy("timeout must be more than 0 and at most 1 hour"));
        }
        let deadline = policy.deadline();
        if deadline.is_zero() || longer(deadline, HOUR) {
            return Err(BadPolicy("deadline must be more than 0 and at most 1 hour"));
        }
        if policy.failure_limit == 0 {
            return Err(BadPolicy("failure limit must be at least 1"));
        }
        if policy.retest_delay.is_zero() || longer(policy.retest_delay, DAY) {
            return Err(BadPolicy("retest delay must be more than 0 and at most 24 hours"));
        }
        if let Some(path) = policy.health_path
            && !is_path(path.as_bytes())
        {
            return Err(BadPolicy("health path must start with / and hold visible ASCII without #"));
        }
        if let Some(age) = policy.keep_last_good
            && (age.is_zero() || longer(age, DAY))
        {
            return Err(BadPolicy("keep-last-good must be more than 0 and at most 24 hours"));
        }
        if policy.answer_limit == 0 || policy.answer_limit > 1024 * MIB {
            return Err(BadPolicy("answer limit must be at least 1 byte and at most 1 GiB"));
        }
        Ok(policy)
    }

    /// As [`build`](PolicyBuilder::build), for a contract's `const POLICY`: a rule out of range does not compile.
    ///
    /// # Panics
    /// Outside of a `const`, when a rule is out of its range.
    pub const fn build_const(self) -> Policy {
        match self.build() {
            Ok(policy) => policy,
            Err(BadPolicy(rule)) => panic!("{}", rule),
        }
    }
}

const fn is_path(path: &[u8]) -> bool {
    let mut at = 0;
    while at < path.len() {
        if !path[at].is_ascii_graphic() || path[at] == b'#' {
            return false;
        }
        at += 1;
    }
    !path.is_empty() && path[0] == b'/'
}

const fn longer(a: Duration, b: Duration) -> bool {
    a.as_nanos() > b.as_nanos()
}

/// A rule of a [`Policy`] is out of its range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadPolicy(&'static str);

impl fmt::Display for BadPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Error for BadPolicy {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_out_of_range_are_refused_by_name() {
        let second = Duration::from_secs(1);
        for (builder, rule) in [
            (Policy::builder().failure_limit(0), "failure limit"),
            (Policy::builder().timeout(Duration::ZERO), "timeout"),
            (Policy::builder().answer_limit(0), "answer limit"),
            (Policy::builder().answer_limit(1024 * MIB + 1), "answer limit"),
            (Policy::builder().timeout(HOUR + second), "timeout"),
            (Policy::builder().deadline(Duration::ZERO), "deadline"),
            (Policy::builder().retest_delay(Duration::ZERO), "retest delay"),
            (Policy::builder().retest_delay(DAY + second), "retest delay"),
            (Policy::builder().health_path("health"), "health path"),
            (Policy::builder().health_path("/health check"), "health path"),
            (Policy::builder().health_path(""), "health path"),
            (Policy::builder().keep_last_good(Duration::ZERO), "keep-last-good"),
        ] {
            let error = builder.build().unwrap_err().to_string();
            assert!(error.starts_with(rule), "{error:?} does not name {rule:?}");
        }
    }

    #[test]
    fn the_deadline_is_the_timeout_unless_set() {
        let policy = Policy::builder().timeout(Duration::from_secs(2)).build_const();
        assert_eq!(policy.deadline(), Duration::from_secs(2));
        let policy = policy.to_builder().deadline(Duration::from_secs(5)).build_const();
        assert_eq!(policy.deadline(), Duration::from_secs(5));
    }

    #[test]
    fn http2_is_asked_for() {
        assert!(!Policy::DEFAULT.http2());
        let policy = Policy::builder().http2().build_const();
        assert!(policy.http2());
        assert_eq!(policy.to_builder().http1().build(), Ok(Policy::DEFAULT));
    }

    #[test]
    fn the_default_passes_its_own_rules() {
        assert_eq!(Policy::builder().build(), Ok(Policy::DEFAULT));
    }
}
