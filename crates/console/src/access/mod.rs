//! Who may use the console, and how they prove who they are.
//!
//! | file | answers |
//! | --- | --- |
//! | `site` | under which names is the console reached, and is a request from its own page? |
//! | `guard` | may this request go on? |
//! | `password` | is this the password? |
//! | `session` | who is signed in? |
//! | `throttle` | how long has somebody to wait who was wrong? |
//! | `audit` | who did what? |

pub(crate) mod audit;
pub(crate) mod guard;
pub(crate) mod password;
pub(crate) mod session;
pub(crate) mod site;
pub(crate) mod throttle;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::SocketAddr;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use milkrun_core::{Error, Result, Secret};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

pub use self::audit::AUDIT_SHELF;
pub use self::password::PasswordHash;
pub use self::session::SESSION_SHELF;
pub use self::site::{Network, PublicUrl};
use crate::desk::Role;

/// Who somebody is where nobody has to sign in.
pub const LOCAL: &str = "local";

/// The shortest access token: shorter ones can be guessed.
pub const SHORTEST_TOKEN: usize = 20;

/// Who may use the console, and under which names it is reached.
#[derive(Clone, Debug)]
pub struct Access {
    users: BTreeMap<String, User>,
    tokens: Vec<AccessToken>,
    pub(crate) listen: SocketAddr,
    pub(crate) has_tls: bool,
    pub(crate) public_url: Option<PublicUrl>,
    pub(crate) proxies: Vec<Network>,
}

/// A person with a password.
#[derive(Clone, Debug)]
pub(crate) struct User {
    pub(crate) role: Role,
    pub(crate) password: PasswordHash,
}

/// A program with a token. Only the token's hash is kept.
#[derive(Clone, Debug)]
pub(crate) struct AccessToken {
    pub(crate) name: String,
    pub(crate) role: Role,
    hash: [u8; 32],
}

impl Access {
    /// A console that listens at `listen`, and has nobody yet who may use it.
    pub fn new(listen: SocketAddr, has_tls: bool) -> Self {
        let (users, tokens, proxies) = (BTreeMap::new(), Vec::new(), Vec::new());
        Self { users, tokens, listen, has_tls, public_url: None, proxies }
    }

    /// Lets a person in by password.
    #[must_use]
    pub fn with_user(mut self, name: impl Into<String>, role: Role, password: PasswordHash) -> Self {
        self.users.insert(name.into(), User { role, password });
        self
    }

    /// Lets a program in by token.
    #[must_use]
    pub fn with_token(mut self, name: impl Into<String>, role: Role, token: &Secret) -> Self {
        self.tokens.push(AccessToken { name: name.into(), role, hash: sha256(token.expose().as_bytes()) });
        self
    }

    /// Says under which address people reach the console, where it stands behind a proxy.
    #[must_use]
    pub fn reached_at(mut self, url: PublicUrl) -> Self {
        self.public_url = Some(url);
        self
    }

    /// Believes what these proxies say of the caller's address.
    #[must_use]
    pub fn behind(mut self, proxies: Vec<Network>) -> Self {
        self.proxies = proxies;
        self
    }

    /// Whether everybody on this machine is operator, and nobody else reaches the console.
    pub fn is_open(&self) -> bool {
        let is_local = self.listen.ip().is_loopback() && self.public_url.is_none() && self.proxies.is_empty();
        is_local && self.users.is_empty() && self.tokens.is_empty()
    }

    /// Refuses what would leave the console without a lock beyond this machine.
    ///
    /// # Errors
    /// [`ErrorKind::ConfigInvalid`](milkrun_core::ErrorKind::ConfigInvalid) says what to add.
    pub fn validate(&self) -> Result<()> {
        if self.is_open() || !self.users.is_empty() || !self.tokens.is_empty() {
            return Ok(());
        }
        let error = Error::config("the console is reached from other machines, and nobody has to sign in");
        Err(error.advise("add a user with `milkrun console password`, or an access token, or listen on 127.0.0.1"))
    }

    pub(crate) fn users(&self) -> &BTreeMap<String, User> {
        &self.users
    }

    pub(crate) fn user(&self, name: &str) -> Option<&User> {
        self.users.get(name)
    }

    pub(crate) fn token_named(&self, name: &str) -> Option<&AccessToken> {
        self.tokens.iter().find(|token| token.name == name)
    }

    /// The access token with that text. Every one is compared, in constant time.
    pub(crate) fn token(&self, text: &str) -> Option<&AccessToken> {
        let hash = sha256(text.as_bytes());
        let mut found = None;
        for token in &self.tokens {
            if bool::from(token.hash.ct_eq(&hash)) {
                found = Some(token);
            }
        }
        found
    }
}

impl AccessToken {
    /// Names the token without telling it.
    pub(crate) fn fingerprint(&self) -> String {
        hex(&sha256(&self.hash))
    }
}

/// 256 random bits as text that fits into a cookie.
pub(crate) fn random() -> String {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).expect("the system has random numbers");
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to memory cannot fail");
        text
    })
}

/// Whether two texts are the same, found out in a time that tells nothing of where they differ.
pub(crate) fn same(one: &str, other: &str) -> bool {
    bool::from(one.as_bytes().ct_eq(other.as_bytes()))
}
