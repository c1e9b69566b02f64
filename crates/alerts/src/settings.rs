//! What an installation wants to be told, and where.

use std::time::Duration;

use jiff::tz::TimeZone;

use crate::channel::Channel;
use crate::quiet::QuietHours;
use crate::rule::Rules;

/// How long an incident is open before people are reminded of it, unless it is said otherwise.
pub const REMIND: Duration = Duration::from_hours(24);
/// The zone of quiet hours and of messages, unless it is said otherwise.
pub const ZONE: &str = "Asia/Shanghai";

/// What an installation wants to be told, and where.
#[derive(Clone, Debug)]
pub struct Settings {
    /// From where on something is wrong.
    pub rules: Rules,
    /// Who is told, by name.
    pub channels: Vec<Channel>,
    /// When nobody is disturbed.
    pub quiet_hours: Option<QuietHours>,
    /// The zone of the quiet hours, and of the times in messages.
    pub zone: TimeZone,
    /// Its name as it is written.
    pub zone_name: String,
    /// How long an incident is open before people are reminded of it, again and again.
    pub remind: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        let zone = TimeZone::get(ZONE).expect("the zone is bundled");
        Self {
            rules: Rules::default(),
            channels: Vec::new(),
            quiet_hours: None,
            zone,
            zone_name: ZONE.to_owned(),
            remind: REMIND,
        }
    }
}
