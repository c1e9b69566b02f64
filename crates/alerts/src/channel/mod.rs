//! The ways to people: what each kind needs, how many messages it takes, and how one is sent.

mod dingtalk;
mod feishu;
mod mail;
mod robot;
mod webhook;
mod wecom;

use jiff::Timestamp;
use milkrun_core::secret::strike_out;
use milkrun_core::{Error, Result, Secret};

use crate::incident::{Incident, Notice};
use crate::message::{Message, Style};
use crate::words::Lang;

pub use mail::{MailServer, Security};

/// A way to people.
#[derive(Clone, Debug)]
pub struct Channel {
    /// Its name, as the settings have it.
    pub name: String,
    /// The language of its messages.
    pub lang: Lang,
    /// How it is reached.
    pub kind: ChannelKind,
}

/// How a channel is reached. The address of a robot holds its token, so that it is a secret.
#[derive(Clone, Debug)]
pub enum ChannelKind {
    /// A DingTalk group robot.
    DingTalk {
        /// Its address.
        webhook: Secret,
        /// Signs each message, where the robot asks for it.
        secret: Option<Secret>,
        /// A word that each message has to hold, where the robot asks for it.
        keyword: Option<String>,
    },
    /// A WeCom group robot.
    WeCom {
        /// Its address.
        webhook: Secret,
    },
    /// A Feishu group robot.
    Feishu {
        /// Its address.
        webhook: Secret,
        /// Signs each message, where the robot asks for it.
        secret: Option<Secret>,
        /// A word that each message has to hold, where the robot asks for it.
        keyword: Option<String>,
    },
    /// E-mail.
    Mail(Box<MailServer>),
    /// Any HTTP endpoint that takes JSON.
    Webhook {
        /// Its address.
        url: Secret,
        /// Signs each message.
        secret: Option<Secret>,
    },
}

/// What a channel takes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// The most bytes of a message's title and body.
    pub(crate) bytes: usize,
    /// The most messages in any minute. What comes faster is put together into the next one.
    pub(crate) per_minute: usize,
    pub(crate) style: Style,
}

/// What is sent: the message as people read it, and what it is about.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Letter<'a> {
    pub(crate) message: &'a Message,
    pub(crate) notices: &'a [(Notice, &'a Incident)],
    pub(crate) now: Timestamp,
    /// The same for the same notices, so that a repetition can be recognised.
    pub(crate) id: &'a str,
}

impl ChannelKind {
    /// The names of all kinds as they are written.
    pub const NAMES: [&'static str; 5] = ["dingtalk", "wecom", "feishu", "mail", "webhook"];

    /// Its name as it is written.
    pub fn name(&self) -> &'static str {
        match self {
            Self::DingTalk { .. } => "dingtalk",
            Self::WeCom { .. } => "wecom",
            Self::Feishu { .. } => "feishu",
            Self::Mail(_) => "mail",
            Self::Webhook { .. } => "webhook",
        }
    }

    pub(crate) fn limits(&self) -> Limits {
        let of = |bytes, per_minute, style| Limits { bytes, per_minute, style };
        match self {
            // 20 in a minute, or the robot is silenced for ten; two are left for calls that arrive bunched together.
            Self::DingTalk { .. } => of(18_000, 18, Style::Markdown),
            Self::WeCom { .. } => of(3_900, 18, Style::Markdown),
            // 100 in a minute and 5 in a second; a request of 20 KB.
            Self::Feishu { .. } => of(15_000, 60, Style::Markdown),
            Self::Mail(_) => of(100_000, 18, Style::Plain),
            Self::Webhook { .. } => of(100_000, 60, Style::Plain),
        }
    }

    /// What must never be shown of it.
    fn secrets(&self) -> Vec<Secret> {
        let optional = |secret: &Option<Secret>| secret.iter().cloned().collect::<Vec<_>>();
        let (url, mut all) = match self {
            Self::DingTalk { webhook, secret, .. } | Self::Feishu { webhook, secret, .. } => {
                (webhook, optional(secret))
            }
            Self::WeCom { webhook } => (webhook, Vec::new()),
            Self::Webhook { url, secret } => (url, optional(secret)),
            Self::Mail(server) => return optional(&server.password),
        };
        all.push(url.clone());
        all.extend(robot::tokens(url));
        all
    }
}

impl Channel {
    /// Whom it reaches, without secrets: a host, or addresses.
    pub fn reaches(&self) -> String {
        match &self.kind {
            ChannelKind::DingTalk { webhook: url, .. }
            | ChannelKind::WeCom { webhook: url }
            | ChannelKind::Feishu { webhook: url, .. }
            | ChannelKind::Webhook { url, .. } => robot::host(url).unwrap_or_default(),
            ChannelKind::Mail(server) => server.to.join(", "),
        }
    }

    /// Refuses what cannot be meant, such as an address that is none.
    ///
    /// # Errors
    /// [`ErrorKind::ConfigInvalid`](milkrun_core::ErrorKind::ConfigInvalid) with the setting as the fact `setting`.
    pub fn validate(&self) -> Result<()> {
        match &self.kind {
            ChannelKind::DingTalk { webhook, .. }
            | ChannelKind::WeCom { webhook }
            | ChannelKind::Feishu { webhook, .. } => robot::check_address(webhook, "webhook"),
            ChannelKind::Webhook { url, .. } => robot::check_address(url, "url"),
            ChannelKind::Mail(server) => server.validate(),
        }
    }

    /// Sends a message.
    ///
    /// # Errors
    /// Why it did not arrive, or may not have; no secret is in it.
    pub(crate) async fn send(&self, client: &reqwest::Client, letter: Letter<'_>) -> Result<()> {
        let sent = match &self.kind {
            ChannelKind::DingTalk { webhook, secret, keyword } => {
                dingtalk::send(client, webhook, secret.as_ref(), keyword.as_deref(), letter).await
            }
            ChannelKind::WeCom { webhook } => wecom::send(client, webhook, letter).await,
            ChannelKind::Feishu { webhook, secret, keyword } => {
                feishu::send(client, webhook, secret.as_ref(), keyword.as_deref(), letter).await
            }
            ChannelKind::Mail(server) => server.send(letter).await,
            ChannelKind::Webhook { url, secret } => webhook::send(client, url, secret.as_ref(), letter).await,
        };
        sent.map_err(|error| self.without_secrets(&error))
    }

    /// The error without what a server may have repeated of the channel's secrets.
    fn without_secrets(&self, error: &Error) -> Error {
        let secrets = self.kind.secrets();
        let clean = |text: &str| strike_out(text, &secrets);
        let mut cleaned = Error::new(error.kind(), clean(error.message())).retry_as(error.retry());
        if let Some(help) = error.help() {
            cleaned = cleaned.advise(help.to_owned());
        }
        for (name, value) in error.context() {
            cleaned = cleaned.with(name, clean(value));
        }
        match std::error::Error::source(error) {
            Some(cause) => cleaned.caused_by(clean(&cause.to_string())),
            None => cleaned,
        }
    }
}
