//! E-mail over SMTP.

use std::time::SystemTime;

use lettre::message::header::ContentType;
use lettre::message::{Mailbox, SinglePart};
use lettre::transport::smtp::AsyncSmtpTransport;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::{AsyncTransport as _, Message as Mail, Tokio1Executor};
use milkrun_core::{Error, ErrorKind, Result, Secret};

use super::Letter;
use super::robot::TIMEOUT;

/// Where e-mail goes out, and whom it goes to.
#[derive(Clone, Debug)]
pub struct MailServer {
    /// The server's name.
    pub host: String,
    /// Its port; left out, it is what the kind of connection usually has.
    pub port: Option<u16>,
    /// How the connection is kept secret.
    pub security: Security,
    /// Who sends, where the server wants to know.
    pub user: Option<String>,
    /// Its password.
    pub password: Option<Secret>,
    /// The sender: `alerts@example.com` or `Milkrun <alerts@example.com>`.
    pub from: String,
    /// The recipients, in the same form.
    pub to: Vec<String>,
}

/// How a connection is kept secret.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Security {
    /// TLS from the first byte, usually on port 465.
    #[default]
    Tls,
    /// TLS after a greeting, usually on port 587; without it nothing is sent.
    StartTls,
    /// Not at all, usually on port 25: for a server on the same machine.
    None,
}

impl Security {
    /// The names of all kinds as they are written.
    pub const NAMES: [&'static str; 3] = ["tls", "starttls", "none"];

    /// The kind of that name.
    pub fn of(name: &str) -> Option<Self> {
        match name {
            "tls" => Some(Self::Tls),
            "starttls" => Some(Self::StartTls),
            "none" => Some(Self::None),
            _ => None,
        }
    }

    fn port(self) -> u16 {
        match self {
            Self::Tls => 465,
            Self::StartTls => 587,
            Self::None => 25,
        }
    }
}

impl MailServer {
    /// Whether an address has the form of one: `name@host` or `Name <name@host>`.
    pub fn is_address(text: &str) -> bool {
        text.parse::<Mailbox>().is_ok()
    }

    pub(super) fn validate(&self) -> Result<()> {
        let no_address =
            |setting| Err(Error::config("an address has to be of the form name@host").with("setting", setting));
        if !Self::is_address(&self.from) {
            return no_address("from");
        }
        if self.to.is_empty() || !self.to.iter().all(|to| Self::is_address(to)) {
            return no_address("to");
        }
        if self.user.is_some() != self.password.is_some() {
            return Err(Error::config("`user` and `password` go together").with("setting", "password"));
        }
        // A password would go over the wire for everybody to read.
        if self.security == Security::None && self.password.is_some() && !is_local(&self.host) {
            return Err(Error::config("a password is only sent over a connection that is kept secret")
                .with("setting", "security")
                .advise("write security = \"tls\" or \"starttls\""));
        }
        Ok(())
    }

    pub(super) async fn send(&self, letter: Letter<'_>) -> Result<()> {
        let mail = self.write(letter)?;
        let transport = self.transport()?;
        transport.send(mail).await.map(drop).map_err(|error| failed(&error))
    }

    fn write(&self, letter: Letter<'_>) -> Result<Mail> {
        let unusable = |setting: &'static str| {
            move |error: lettre::address::AddressError| {
                Error::config("an address has to be of the form name@host").with("setting", setting).caused_by(error)
            }
        };
        let from: Mailbox = self.from.parse().map_err(unusable("from"))?;
        let id = format!("<{}@{}>", letter.id, from.email.domain());
        let mut mail = Mail::builder()
            .from(from)
            .date(SystemTime::from(letter.now))
            .message_id(Some(id))
            .subject(format!("[Milkrun] {}", letter.message.title));
        for to in &self.to {
            mail = mail.to(to.parse().map_err(unusable("to"))?);
        }
        let part = SinglePart::builder().header(ContentType::TEXT_PLAIN).body(letter.message.body.clone());
        mail.singlepart(part).map_err(|e| Error::new(ErrorKind::Unexpected, "the mail cannot be written").caused_by(e))
    }

    fn transport(&self) -> Result<AsyncSmtpTransport<Tokio1Executor>> {
        let tls = || {
            TlsParameters::new(self.host.clone())
                .map_err(|e| Error::config("the mail server's name cannot be used for TLS").caused_by(e))
        };
        let tls = match self.security {
            Security::Tls => Tls::Wrapper(tls()?),
            Security::StartTls => Tls::Required(tls()?),
            Security::None => Tls::None,
        };
        let mut transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&self.host)
            .port(self.port.unwrap_or(self.security.port()))
            .tls(tls)
            .timeout(Some(TIMEOUT));
        if let (Some(user), Some(password)) = (&self.user, &self.password) {
            transport = transport.credentials(Credentials::new(user.clone(), password.expose().to_owned()));
        }
        Ok(transport.build())
    }
}

fn is_local(host: &str) -> bool {
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// What the mail server's answer means.
fn failed(error: &lettre::transport::smtp::Error) -> Error {
    let code = error.status().map(|code| code.to_string());
    let (kind, message, help) = match code.as_deref() {
        Some("530" | "534" | "535" | "538") => (
            ErrorKind::Forbidden,
            "the mail server refuses user or password",
            "check `user` and `password`; many providers want a password for programs instead of the usual one",
        ),
        _ if error.is_permanent() => (
            ErrorKind::Refused,
            "the mail server refused the mail",
            "check `from` and `to`: most servers send only from the address of `user`",
        ),
        _ if error.is_transient() => (
            ErrorKind::Unavailable,
            "the mail server does not take the mail at the moment",
            "wait some minutes and try again; if it stays so, ask whoever runs the mail server",
        ),
        _ if error.is_tls() => (
            ErrorKind::Unavailable,
            "no secret connection to the mail server can be made",
            "check that `security` fits `port`, 465 for tls and 587 for starttls, and that `host` is the name in its certificate",
        ),
        _ if error.is_timeout() => (
            ErrorKind::OutcomeUnknown,
            "the mail server did not answer in time",
            "look whether the mail has arrived; if not, check `host`, `port` and `security`",
        ),
        _ if error.is_client() => (
            ErrorKind::Refused,
            "the mail server cannot do what the settings ask for",
            "check `security`, and whether the server takes `user` and `password` at that port",
        ),
        _ => (
            ErrorKind::Unavailable,
            "the mail server cannot be reached",
            "check `host` and `port`, and that this machine reaches them: name, network, firewall",
        ),
    };
    let told = Error::new(kind, message).caused_by(error.to_string()).advise(help);
    match code {
        Some(code) => told.with("code", code),
        None => told,
    }
}
