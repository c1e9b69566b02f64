//! A simulator without a socket, for deterministic simulations whose clock the caller owns.

use std::sync::Arc;
use std::time::Duration;

use crate::arrival::{Carriage, Frame, Judged, Shared};
use crate::control::Control;
use crate::vendor::{Answer, Inbound, Vendor};

/// A simulator that is called as a function; limits, faults, the vendor and the log are those of the server.
///
/// Nothing here waits, and its clock stands still until [`Control::set_clock`] or [`Control::advance_clock`] moves it,
/// whatever the settings say, so that a run under tokio's paused clock is the same on every machine. The time a call
/// takes comes back beside its answer; the caller lets it pass, and decides when to give up.
///
/// ```
/// use milkrun_sandbox::{Carried, kuaimai};
///
/// let vendor = kuaimai::in_process(kuaimai::Settings::default());
/// let form = [("content-type", "application/x-www-form-urlencoded")];
/// let outcome = vendor.call("POST", "/router", &form, b"method=open.system.time.get");
/// let Carried::Whole(answer) = outcome.carried else { panic!("no fault is on") };
/// assert_eq!(answer.status, 200);
/// ```
#[derive(Debug)]
pub struct InProcess {
    control: Control,
    shared: Arc<Shared>,
    path: &'static str,
}

/// What became of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// How long the call takes from the caller's side: latency, jitter and slowness by fault.
    pub took: Duration,
    /// What the caller gets.
    pub carried: Carried,
}

/// How an answer reaches the caller, if it does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Carried {
    /// It arrives.
    Whole(InProcessAnswer),
    /// The connection is reset and nothing was done (fault `reset`).
    Reset,
    /// The call was done, and the connection is reset instead of this answer (fault `lost-answer`).
    ///
    /// The caller must not act on the answer; a test may look at it.
    Lost(InProcessAnswer),
    /// The call was done, and the connection ends in the middle of this answer (fault `cut`).
    Cut(InProcessAnswer),
}

/// An HTTP answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InProcessAnswer {
    /// HTTP status.
    pub status: u16,
    /// Content type.
    pub content_type: &'static str,
    /// `Retry-After` in seconds.
    pub retry_after: Option<u64>,
    /// Body; under the fault `truncated` its first half.
    pub body: String,
}

impl InProcess {
    pub(crate) fn new(frame: Frame, vendor: Box<dyn Vendor>) -> Self {
        let path = vendor.path();
        let shared = Arc::new(Shared::new(Frame { clock_frozen: true, ..frame }, vendor));
        Self { control: Control::new(shared.clone()), shared, path }
    }

    /// The path of the vendor's interface, as at the end of [`Sandbox::url`](crate::Sandbox::url).
    pub fn path(&self) -> &'static str {
        self.path
    }

    /// A handle to look at the simulator, to change it, and to move its clock.
    pub fn control(&self) -> Control {
        self.control.clone()
    }

    /// Makes a call, which arrives and is answered at once.
    ///
    /// `path_and_query` is as on the wire, percent signs included; header names may have any case.
    pub fn call(&self, verb: &str, path_and_query: &str, headers: &[(&str, &str)], body: &[u8]) -> Outcome {
        let ways = self.shared.set_out();
        let headers: Vec<(String, String)> =
            headers.iter().map(|&(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect();
        let content_type = headers.iter().find(|(name, _)| name == "content-type").map_or("", |(_, value)| value);
        let (path, query) = path_and_query.split_once('?').unwrap_or((path_and_query, ""));
        let inbound = Inbound { verb, path, query, content_type, headers: &headers, body };
        let Judged { answer, carriage, hold } = self.shared.judge(&inbound, ways.back);
        let Answer { status, content_type, retry_after, body, .. } = answer;
        let answer = InProcessAnswer { status, content_type, retry_after, body };
        let carried = match carriage {
            Carriage::Whole => Carried::Whole(answer),
            Carriage::Reset => Carried::Reset,
            Carriage::Lost => Carried::Lost(answer),
            Carriage::Cut(_) => Carried::Cut(answer),
        };
        Outcome { took: ways.there.saturating_add(hold), carried }
    }
}
