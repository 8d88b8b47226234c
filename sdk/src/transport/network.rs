//! What connections are made over.

/// The machine's own network, or a simulated one.
#[derive(Debug, Clone, Default)]
pub(crate) enum Network {
    #[default]
    Tcp,
    #[cfg(feature = "testing")]
    Simulated(crate::testing::Network),
}
