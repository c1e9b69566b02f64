//! Opens the channels of `[alerts]`: secrets are fetched, and mistakes are shown where they stand.

use std::collections::BTreeMap;

use milkrun_alerts::{Channel, ChannelKind, MailServer, Rules, Settings};
use milkrun_core::diagnostic::Diagnostic;
use milkrun_core::{ErrorKind, Result, Secret};

use super::accounts::Secrets;
use crate::config::{ChannelConfig, Findings, Held, HeldFrom, Installation, Reports, RobotConfig, Way};
use crate::text::{self, Lang, fill};

/// A stand-in for the address of a robot that stands elsewhere, for looking at a channel without using it.
const STAND_IN: &str = "https://robot.invalid/0123456789abcdef";

/// What the installation wants to be told, and where; channels that cannot be used are missing.
///
/// # Errors
/// Only those of the vault itself; what is wrong with a channel goes into `reports`.
pub(crate) async fn open_alerts(
    installation: &Installation,
    secrets: Secrets<'_>,
    lang: Lang,
    reports: &mut Reports,
) -> Result<Settings> {
    let config = &installation.alerts;
    let mut settings = Settings::default();
    let of_flows = installation.flows.iter().filter(|flow| !flow.alerts.is_empty());
    let flows: BTreeMap<_, _> = of_flows.map(|flow| (flow.name.clone(), flow.alerts.clone())).collect();
    settings.rules = Rules { all: config.rules.clone(), flows };
    settings.quiet_hours = config.quiet_hours;
    if let Some(remind) = config.remind {
        settings.remind = remind;
    }
    if let Some((zone, name)) = &config.zone {
        (settings.zone, settings.zone_name) = (zone.clone(), name.clone());
    }
    for channel in &config.channels {
        let mut findings = Findings::new(lang);
        if let Some(kind) = open(installation, channel, secrets, &mut findings).await? {
            let opened = Channel { name: channel.name.clone(), lang: channel.lang, kind };
            match opened.validate() {
                Ok(()) => settings.channels.push(opened),
                Err(error) => {
                    let at = error.fact("setting").and_then(|setting| channel.span_of(setting));
                    let message = lang.retell(error.message()).into_owned();
                    let mistake = Diagnostic::new(at.unwrap_or_else(|| channel.span.clone()), message);
                    findings.mistakes.push(match error.help() {
                        Some(help) => mistake.help(lang.retell(help)),
                        None => mistake,
                    });
                }
            }
        }
        reports.add(&channel.file, findings);
    }
    Ok(settings)
}

async fn open(
    installation: &Installation,
    channel: &ChannelConfig,
    secrets: Secrets<'_>,
    findings: &mut Findings,
) -> Result<Option<ChannelKind>> {
    let mut fetch = Fetch { installation, channel, secrets, findings };
    Ok(match &channel.kind {
        Way::DingTalk(robot) => fetch.robot(robot).await?.map(|(webhook, secret)| ChannelKind::DingTalk {
            webhook,
            secret,
            keyword: robot.keyword.clone(),
        }),
        Way::Feishu(robot) => fetch.robot(robot).await?.map(|(webhook, secret)| ChannelKind::Feishu {
            webhook,
            secret,
            keyword: robot.keyword.clone(),
        }),
        Way::WeCom(robot) => fetch.robot(robot).await?.map(|(webhook, _)| ChannelKind::WeCom { webhook }),
        Way::Webhook(robot) => fetch.robot(robot).await?.map(|(url, secret)| ChannelKind::Webhook { url, secret }),
        Way::Mail(mail) => {
            let password = match &mail.password {
                None => None,
                Some(held) => match fetch.secret(held).await? {
                    None => return Ok(None),
                    found => found,
                },
            };
            Some(ChannelKind::Mail(Box::new(MailServer {
                host: mail.host.clone(),
                port: mail.port,
                security: mail.security,
                user: mail.user.clone(),
                password,
                from: mail.from.clone(),
                to: mail.to.clone(),
            })))
        }
    })
}

/// Fetches the secrets of one channel.
struct Fetch<'a> {
    installation: &'a Installation,
    channel: &'a ChannelConfig,
    secrets: Secrets<'a>,
    findings: &'a mut Findings,
}

impl Fetch<'_> {
    /// The address of a robot and its secret; `None` if one of them cannot be had.
    async fn robot(&mut self, robot: &RobotConfig) -> Result<Option<(Secret, Option<Secret>)>> {
        let address = self.secret(&robot.address).await?;
        let secret = match &robot.secret {
            None => Some(None),
            Some(held) => self.secret(held).await?.map(Some),
        };
        Ok(address.zip(secret))
    }

    async fn secret(&mut self, held: &Held) -> Result<Option<Secret>> {
        let fetched = match (&held.from, self.secrets) {
            (HeldFrom::Inline(secret), _) => Ok(secret.clone()),
            (HeldFrom::Source(source), Secrets::Fetched { environment, vault, .. }) => {
                source.fetch(self.findings.lang, &self.installation.dir, environment, vault).await
            }
            (HeldFrom::Source(_), Secrets::StandIn) => return Ok(Some(Secret::new(STAND_IN))),
        };
        match fetched {
            Ok(secret) => {
                if let Secrets::Fetched { scrubber, .. } = self.secrets {
                    scrubber.hide(&secret);
                }
                Ok(Some(secret))
            }
            // A vault that cannot be read is not the setting's fault.
            Err(error) if error.kind() != ErrorKind::ConfigInvalid => Err(error.with("channel", &self.channel.name)),
            Err(error) => {
                let message = fill!(
                    self.findings.lang,
                    text::CHANNEL_SECRET_MISSING,
                    channel = self.channel.name,
                    setting = held.setting,
                    reason = error.message()
                );
                let mistake = Diagnostic::new(held.span.clone(), message);
                self.findings.mistakes.push(match error.help() {
                    Some(help) => mistake.help(help),
                    None => mistake,
                });
                Ok(None)
            }
        }
    }
}
