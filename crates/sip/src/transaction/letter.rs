//! The timers of transactions.

/// The timers of RFC 3261 section 17 and RFC 6026 by their letters. Timer C is a proxy's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Letter {
    /// INVITE is sent again.
    A,
    /// INVITE is given up.
    B,
    /// Copies of a failure of our INVITE are no longer awaited.
    D,
    /// Another request is sent again.
    E,
    /// Another request is given up.
    F,
    /// A failure of their INVITE is sent again.
    G,
    /// The ACK for a failure is no longer awaited.
    H,
    /// Copies of that ACK are no longer awaited.
    I,
    /// Copies of another request of theirs are no longer awaited.
    J,
    /// Copies of the response to another request are no longer awaited.
    K,
    /// Copies of an INVITE that we answered with 2xx are no longer awaited.
    L,
    /// Further 2xx to our INVITE are no longer awaited.
    M,
}
