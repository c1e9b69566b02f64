//! Messages that a vendor sends by itself to an address that it was told, such as an app ticket every ten minutes.

use std::fmt;

use async_trait::async_trait;

use crate::context::Context;
use crate::error::Result;

/// One message as it came in.
#[derive(Clone)]
pub struct PushMessage {
    /// The query of the address, without `?`.
    pub query: String,
    /// The body.
    pub body: String,
}

impl fmt::Debug for PushMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PushMessage({} bytes)", self.body.len())
    }
}

/// What is answered, and what it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PushReply {
    /// The body that the vendor expects, JSON text.
    pub body: String,
    /// The vendor's name for the kind of message, for the log.
    pub kind: String,
}

/// Takes the messages of one account's vendor.
#[async_trait]
pub trait PushReceiver: fmt::Debug + Send + Sync {
    /// Understands a message and keeps what it brings by [`Context::keep`], before it is answered.
    ///
    /// The same message may come several times.
    ///
    /// # Errors
    /// [`ErrorKind::Refused`](crate::ErrorKind::Refused) if it is not from the vendor or cannot be decrypted.
    async fn receive(&self, cx: &Context, message: &PushMessage) -> Result<PushReply>;
}
