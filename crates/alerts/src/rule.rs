//! The rules as data: their names, what they watch, and from where on something is wrong.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::bound::{Bound, BoundKind};
use crate::words::{Lang, Phrase};

/// What is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// The last runs of a flow failed.
    RunFailed,
    /// The last runs of a flow could not prove that nothing is missing, or left documents in the outbox.
    RunUnreconciled,
    /// A flow has records that were refused for good.
    DeadLetters,
    /// A flow is behind.
    Lag,
    /// A flow finds no records where there always are some.
    NoRecords,
    /// An account's access ends soon.
    TokenExpires,
    /// An account's token was refused.
    TokenRefused,
    /// Few calls are left to an account for the day or the month.
    QuotaLow,
    /// The disk is nearly full.
    DiskLow,
    /// A channel does not take messages.
    ChannelFailed,
}

/// A row of the table of rules.
#[derive(Clone, Copy, Debug)]
pub struct RuleSpec {
    /// Which rule.
    pub rule: Rule,
    /// Its name as it is written.
    pub name: &'static str,
    /// What its bound may be, where it has one.
    pub kind: Option<BoundKind>,
    /// Its bound unless it is said otherwise, as it is written.
    pub default: Option<&'static str>,
    /// Whether a flow may have a bound of its own.
    pub is_of_flow: bool,
    title: Phrase,
}

/// The rules, in the order they are shown.
pub const RULES: &[RuleSpec] = &[
    RuleSpec {
        rule: Rule::RunFailed,
        name: "run-failed",
        kind: Some(BoundKind::Count),
        default: Some("1"),
        is_of_flow: true,
        title: Phrase { en: "so many runs of a flow failed in succession", zh: "流程连续失败达到此次数" },
    },
    RuleSpec {
        rule: Rule::RunUnreconciled,
        name: "run-unreconciled",
        kind: Some(BoundKind::Count),
        default: Some("1"),
        is_of_flow: true,
        title: Phrase {
            en: "so many runs in succession did not prove that everything arrived",
            zh: "连续未能证明数据全部到达的运行达到此次数",
        },
    },
    RuleSpec {
        rule: Rule::DeadLetters,
        name: "dead-letters",
        kind: Some(BoundKind::Count),
        default: Some("1"),
        is_of_flow: true,
        title: Phrase { en: "a flow has so many dead letters", zh: "流程的死信达到此数量" },
    },
    RuleSpec {
        rule: Rule::Lag,
        name: "lag",
        kind: Some(BoundKind::Time),
        default: Some("2h"),
        is_of_flow: true,
        title: Phrase {
            en: "a flow is behind by more than this, beyond the pause of its timetable",
            zh: "流程的落后时间（不计时间表本身的间隔）超过此时长",
        },
    },
    RuleSpec {
        rule: Rule::NoRecords,
        name: "no-records",
        kind: Some(BoundKind::Silence),
        default: Some("2x"),
        is_of_flow: true,
        title: Phrase {
            en: "a flow finds no records for so long, or for so many times its longest usual silence",
            zh: "流程无新记录的时间超过此时长，或超过平时最长间隔的此倍数",
        },
    },
    RuleSpec {
        rule: Rule::TokenExpires,
        name: "token-expires",
        kind: Some(BoundKind::Time),
        default: Some("7d"),
        is_of_flow: false,
        title: Phrase {
            en: "an account's access ends within this time unless a person acts",
            zh: "账户的授权将在此时长内到期，需人工处理",
        },
    },
    RuleSpec {
        rule: Rule::TokenRefused,
        name: "token-refused",
        kind: None,
        default: None,
        is_of_flow: false,
        title: Phrase {
            en: "an account's token was refused, or its renewal", zh: "账户的令牌或其续期被拒绝"
        },
    },
    RuleSpec {
        rule: Rule::QuotaLow,
        name: "quota-low",
        kind: Some(BoundKind::Percent),
        default: Some("10%"),
        is_of_flow: false,
        title: Phrase {
            en: "less than this share of an account's calls is left for the day or the month",
            zh: "账户当日或当月的剩余调用次数低于此比例",
        },
    },
    RuleSpec {
        rule: Rule::DiskLow,
        name: "disk-low",
        kind: Some(BoundKind::Space),
        default: Some("2GB"),
        is_of_flow: false,
        title: Phrase {
            en: "less than this is free on the disk of the state", zh: "状态所在磁盘的可用空间低于此值"
        },
    },
    RuleSpec {
        rule: Rule::ChannelFailed,
        name: "channel-failed",
        kind: Some(BoundKind::Count),
        default: Some("3"),
        is_of_flow: false,
        title: Phrase {
            en: "a channel failed so many times in succession; the others tell it",
            zh: "某通道连续失败达到此次数，由其他通道通知",
        },
    },
];

impl Rule {
    /// Its row in the table.
    pub fn spec(self) -> &'static RuleSpec {
        RULES.iter().find(|spec| spec.rule == self).expect("every rule is in the table")
    }

    /// Its name as it is written.
    pub fn name(self) -> &'static str {
        self.spec().name
    }

    /// The rule of that name.
    pub fn of(name: &str) -> Option<Self> {
        RULES.iter().find(|spec| spec.name == name).map(|spec| spec.rule)
    }
}

impl RuleSpec {
    /// What it watches.
    pub fn title(&self, lang: Lang) -> &'static str {
        self.title.get(lang)
    }

    /// The rule as it is unless it is said otherwise.
    pub fn setting(&self) -> Setting {
        let bound = self.kind.zip(self.default).and_then(|(kind, text)| kind.parse(text));
        Setting { is_on: true, bound }
    }
}

/// How one rule is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Whether it is watched.
    pub is_on: bool,
    /// From where on something is wrong, where the rule has a bound.
    pub bound: Option<Bound>,
}

/// How all rules are set: for the installation, and for single flows.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    /// What differs from the table.
    pub all: BTreeMap<Rule, Setting>,
    /// What differs from that for a flow.
    pub flows: BTreeMap<String, BTreeMap<Rule, Setting>>,
}

impl Rules {
    /// How a rule is set for the installation.
    pub fn setting(&self, rule: Rule) -> Setting {
        self.all.get(&rule).copied().unwrap_or_else(|| rule.spec().setting())
    }

    /// How a rule is set for a flow.
    pub fn of_flow(&self, flow: &str, rule: Rule) -> Setting {
        let own = self.flows.get(flow).and_then(|rules| rules.get(&rule)).copied();
        own.unwrap_or_else(|| self.setting(rule))
    }

    /// Whether the flow has a setting of its own.
    pub(crate) fn is_set_for(&self, flow: &str, rule: Rule) -> bool {
        self.flows.get(flow).is_some_and(|rules| rules.contains_key(&rule))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sound() {
        for spec in RULES {
            assert_eq!(Rule::of(spec.name), Some(spec.rule));
            assert_eq!(serde_json::to_string(&spec.rule).unwrap(), format!("\"{}\"", spec.name));
            assert_eq!(spec.kind.is_some(), spec.setting().bound.is_some(), "{}", spec.name);
            assert_ne!(spec.title(Lang::Zh), spec.title(Lang::En));
        }
    }

    #[test]
    fn a_flow_may_have_a_setting_of_its_own() {
        let on = |n| Setting { is_on: true, bound: Some(Bound::Count(n)) };
        let mut rules = Rules::default();
        assert_eq!(rules.of_flow("orders", Rule::RunFailed), on(1));
        rules.all.insert(Rule::RunFailed, on(2));
        rules.flows.insert("orders".to_owned(), BTreeMap::from([(Rule::RunFailed, on(3))]));
        assert_eq!(rules.of_flow("orders", Rule::RunFailed), on(3));
        assert_eq!(rules.of_flow("stock", Rule::RunFailed), on(2));
    }
}
