//! The simulated vendors: how each is started, and the account that reaches it.

use std::io;
use std::time::Duration;

use milkrun_sandbox::{FaultRule, Sandbox, chanjet, jushuitan, kuaimai, qeasy, yonyou};

use crate::text::Lang;

/// A vendor that can be simulated. The names are those of the connectors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Vendor {
    ChanjetTplus,
    Jushuitan,
    #[default]
    Kuaimai,
    Qeasy,
    YonyouMdd,
}

/// How a simulator is wanted, whatever the vendor.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    pub(crate) seed: u64,
    pub(crate) port: u16,
    pub(crate) n_orders: u32,
    pub(crate) n_items: u32,
    pub(crate) n_documents: u32,
    /// Limits in place of the vendor's own.
    pub(crate) limits: Option<Vec<(u32, Duration)>>,
    pub(crate) latency: Duration,
    pub(crate) jitter: Duration,
    pub(crate) faults: Vec<FaultRule>,
}

/// One setting of an account.
#[derive(Clone, Debug)]
pub(crate) struct Setting {
    pub(crate) key: &'static str,
    pub(crate) value: String,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Text,
    Secret,
    /// TOML as it is.
    Toml,
}

impl Setting {
    fn text(key: &'static str, value: impl Into<String>) -> Self {
        Self { key, value: value.into(), kind: Kind::Text }
    }

    fn secret(key: &'static str, value: impl Into<String>) -> Self {
        Self { key, value: value.into(), kind: Kind::Secret }
    }

    fn toml(key: &'static str, value: impl Into<String>) -> Self {
        Self { key, value: value.into(), kind: Kind::Toml }
    }

    /// Whether it is a single text.
    pub(crate) fn is_plain(&self) -> bool {
        self.kind != Kind::Toml
    }

    pub(crate) fn is_secret(&self) -> bool {
        self.kind == Kind::Secret
    }

    /// Its value as TOML, a secret in plain text: those of simulators are made up.
    pub(crate) fn inline(&self) -> String {
        match self.kind {
            Kind::Toml => self.value.clone(),
            Kind::Text | Kind::Secret => format!("{:?}", self.value),
        }
    }
}

/// A running simulator, and the settings of an account for it.
#[derive(Debug)]
pub(crate) struct Simulated {
    pub(crate) vendor: Vendor,
    pub(crate) sandbox: Sandbox,
    pub(crate) settings: Vec<Setting>,
}

impl Simulated {
    /// The account as a table of `milkrun.toml`.
    pub(crate) fn account(&self, name: &str, value: impl Fn(&Setting) -> String) -> String {
        let connector = self.vendor.connector();
        let lines: Vec<_> =
            self.settings.iter().map(|setting| format!("{} = {}\n", setting.key, value(setting))).collect();
        format!("[accounts.{name}]\nconnector = \"{connector}\"\n{}", lines.concat())
    }
}

impl Vendor {
    /// The connector that speaks to it.
    pub(crate) fn connector(self) -> &'static str {
        match self {
            Self::ChanjetTplus => "chanjet-tplus",
            Self::Jushuitan => "jushuitan",
            Self::Kuaimai => "kuaimai",
            Self::Qeasy => "qeasy",
            Self::YonyouMdd => "yonyou-mdd",
        }
    }

    /// What an account for it is called in examples.
    pub(crate) fn account(self) -> &'static str {
        match self {
            Self::ChanjetTplus => "tplus",
            Self::Jushuitan => "jst",
            Self::Kuaimai => "km",
            Self::Qeasy => "qeasy",
            Self::YonyouMdd => "yy",
        }
    }

    /// The vendor's name.
    pub(crate) fn title(self, lang: Lang) -> &'static str {
        let (en, zh) = match self {
            Self::ChanjetTplus => ("Chanjet T+", "畅捷通 T+"),
            Self::Jushuitan => ("Jushuitan", "聚水潭"),
            Self::Kuaimai => ("Kuaimai", "快麦"),
            Self::Qeasy => ("qeasy", "轻易云"),
            Self::YonyouMdd => ("Yonyou", "用友"),
        };
        if lang == Lang::Zh { zh } else { en }
    }

    /// Starts it on this machine.
    ///
    /// # Errors
    /// If the port is taken.
    pub(crate) async fn start(self, wanted: &Wanted) -> io::Result<Simulated> {
        let (sandbox, settings) = match self {
            Self::ChanjetTplus => tplus(wanted).await?,
            Self::Jushuitan => jst(wanted).await?,
            Self::Kuaimai => km(wanted).await?,
            Self::Qeasy => platform(wanted).await?,
            Self::YonyouMdd => yy(wanted).await?,
        };
        Ok(Simulated { vendor: self, sandbox, settings })
    }
}

type Started = (Sandbox, Vec<Setting>);

/// Fills what all vendors' settings have in common.
macro_rules! common {
    ($settings:ident, $wanted:ident) => {
        $settings.seed = $wanted.seed;
        $settings.port = $wanted.port;
        $settings.latency = $wanted.latency;
        $settings.jitter = $wanted.jitter;
        $settings.faults.clone_from(&$wanted.faults);
        if let Some(limits) = &$wanted.limits {
            $settings.limits.clone_from(limits);
        }
    };
}

async fn km(wanted: &Wanted) -> io::Result<Started> {
    let mut own = kuaimai::Settings {
        n_orders: wanted.n_orders,
        n_items: wanted.n_items,
        n_documents: wanted.n_documents,
        ..kuaimai::Settings::default()
    };
    common!(own, wanted);
    let sandbox = kuaimai::start(own.clone()).await?;
    let settings = vec![
        Setting::text("base_url", sandbox.url()),
        Setting::text("app_key", own.app_key),
        Setting::secret("app_secret", own.app_secret),
        Setting::secret("session", own.session),
        Setting::secret("refresh_token", own.refresh_token),
    ];
    Ok((sandbox, settings))
}

async fn jst(wanted: &Wanted) -> io::Result<Started> {
    let mut own = jushuitan::Settings {
        n_orders: wanted.n_orders,
        n_items: wanted.n_items,
        n_documents: wanted.n_documents,
        ..jushuitan::Settings::default()
    };
    common!(own, wanted);
    let sandbox = jushuitan::start(own.clone()).await?;
    let settings = vec![
        Setting::text("base_url", sandbox.url()),
        Setting::text("app_key", own.app_key),
        Setting::secret("app_secret", own.app_secret),
        Setting::secret("access_token", own.access_token),
        Setting::secret("refresh_token", own.refresh_token),
    ];
    Ok((sandbox, settings))
}

async fn tplus(wanted: &Wanted) -> io::Result<Started> {
    let mut own = chanjet::Settings {
        n_inventory: wanted.n_items,
        n_vouchers: wanted.n_documents,
        // Documents of other simulated vendors name items and shops of their own.
        known_codes_only: false,
        ..chanjet::Settings::default()
    };
    common!(own, wanted);
    let sandbox = chanjet::start(own.clone()).await?;
    let settings = vec![
        Setting::text("base_url", sandbox.url()),
        Setting::text("app_key", own.app_key),
        Setting::secret("app_secret", own.app_secret),
        Setting::secret("access_token", own.access_token),
        Setting::secret("refresh_token", own.refresh_token),
    ];
    Ok((sandbox, settings))
}

async fn yy(wanted: &Wanted) -> io::Result<Started> {
    let mut own = yonyou::Settings { n_documents: wanted.n_documents, ..yonyou::Settings::default() };
    common!(own, wanted);
    if wanted.limits.is_some() {
        (own.quota, own.finance_quota) = (None, None);
    }
    let sandbox = yonyou::start(own.clone()).await?;
    let url = sandbox.url();
    let settings = vec![
        Setting::text("discovery_url", url),
        Setting::text("tenant_id", own.tenant_id),
        Setting::text("app_key", own.app_key),
        Setting::secret("app_secret", own.app_secret),
    ];
    Ok((sandbox, settings))
}

async fn platform(wanted: &Wanted) -> io::Result<Started> {
    let mut own = qeasy::Settings { n_records: wanted.n_documents, ..qeasy::Settings::default() };
    common!(own, wanted);
    if wanted.limits.is_some() {
        own.quota = None;
    }
    let sandbox = qeasy::start(own.clone()).await?;
    let platform = format!(
        "{{ host = {:?}, app_key = {:?}, app_secret = {:?}, streams = [{{ name = \"records\", scheme = {:?} }}], \
         targets = [{{ name = \"records\", scheme = {:?} }}] }}",
        sandbox.url(),
        own.app_key,
        own.app_secret,
        own.source_scheme,
        own.sink_scheme
    );
    Ok((sandbox, vec![Setting::toml("platform", platform)]))
}
