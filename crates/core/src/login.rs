//! Granting access in a browser: the link that a person opens, and the code that it ends with.

use std::fmt;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::context::Context;
use crate::error::Result;
use crate::secret::Secret;
use crate::token::Token;

/// How a person grants one account access to the vendor's data.
#[async_trait]
pub trait Login: fmt::Debug + Send + Sync {
    /// The address to open at `now`; it holds no secret.
    ///
    /// # Errors
    /// [`ErrorKind::ConfigInvalid`](crate::ErrorKind::ConfigInvalid) names the setting that is missing for it.
    fn link(&self, now: Timestamp) -> Result<String>;

    /// Trades the code that the vendor gave in the browser for the first token. The caller stores it.
    ///
    /// # Errors
    /// [`ErrorKind::TokenDead`](crate::ErrorKind::TokenDead) if the code is wrong, used or too old.
    async fn redeem(&self, cx: &Context, code: &Secret) -> Result<Token>;
}
