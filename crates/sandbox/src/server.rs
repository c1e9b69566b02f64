//! The HTTP server: arrival, limits, faults and the log, around whatever the vendor answers.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State as Shares};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::clock::Clock;
use crate::control::{self, Control};
use crate::dice::Dice;
use crate::faults::{Fault, FaultRule, Faults};
use crate::limits::Limiter;
use crate::stats::{CallLog, CallRecord};
use crate::vendor::{Answer, Call, Inbound, Moment, Vendor};
use crate::wire::{Listener, Switch};

/// Largest request body; the vendors' own limits lie far below.
const BODY_LIMIT: usize = 8 << 20;

/// What each simulator is started with, whatever the vendor.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    pub(crate) seed: u64,
    pub(crate) port: u16,
    pub(crate) limits: Vec<(u32, Duration)>,
    pub(crate) latency: Duration,
    pub(crate) jitter: Duration,
    pub(crate) clock_start: Timestamp,
    pub(crate) clock_frozen: bool,
    pub(crate) faults: Vec<FaultRule>,
}

/// A running simulator; it stops when dropped.
#[derive(Debug)]
pub struct Sandbox {
    control: Control,
    address: SocketAddr,
    path: &'static str,
    close: watch::Sender<bool>,
    server: JoinHandle<()>,
}

impl Sandbox {
    /// Address of the vendor's interface, such as `http://127.0.0.1:40123/router`.
    pub fn url(&self) -> String {
        format!("http://{}{}", self.address, self.path)
    }

    /// Address of the control endpoints: `http://127.0.0.1:40123/_sandbox`.
    pub fn control_url(&self) -> String {
        format!("http://{}/_sandbox", self.address)
    }

    /// The port it listens on.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// A handle to look at and change the simulator while it runs; it can be cloned and outlives the server.
    pub fn control(&self) -> Control {
        self.control.clone()
    }

    /// Stops: answers calls in work, without their artificial delays, and closes all connections.
    pub async fn stop(self) {
        self.close.send_replace(true);
        // The task ends by itself; a panic in it has been printed already.
        let _ = self.server.await;
    }

    /// Waits until the server ends, which it does only when something else stops it.
    pub async fn wait(self) {
        let _ = self.server.await;
    }
}

/// All that changes while the simulator runs.
pub(crate) struct State {
    pub(crate) vendor: Box<dyn Vendor>,
    pub(crate) clock: Clock,
    pub(crate) limiter: Limiter,
    pub(crate) faults: Faults,
    pub(crate) log: CallLog,
    calls: u64,
}

/// The state with what is needed around it.
pub(crate) struct Shared {
    state: Mutex<State>,
    seed: u64,
    latency: Duration,
    jitter: Duration,
    closing: watch::Receiver<bool>,
}

impl Shared {
    /// The state; what a panicking call left is still used, since every step leaves it whole.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits, unless the server is being stopped.
    async fn delay(&self, by: Duration) {
        if by.is_zero() {
            return;
        }
        let mut closing = self.closing.clone();
        tokio::select! {
            () = tokio::time::sleep(by) => {}
            _ = closing.wait_for(|closing| *closing) => {}
        }
    }

    /// Half of the latency and up to half of the jitter.
    fn one_way(&self, dice: &mut Dice) -> Duration {
        let most = i64::try_from(self.jitter.as_micros() / 2).unwrap_or(i64::MAX - 1);
        self.latency / 2 + Duration::from_micros(dice.below(most + 1).unsigned_abs())
    }
}

/// Starts a vendor's simulator on `127.0.0.1` in the current tokio runtime.
///
/// # Errors
/// If the port is taken.
pub(crate) async fn start(frame: Frame, vendor: Box<dyn Vendor>) -> io::Result<Sandbox> {
    let path = vendor.path();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, frame.port)).await?;
    let address = listener.local_addr()?;
    let mut faults = Faults::default();
    frame.faults.into_iter().for_each(|rule| faults.add(rule));
    let (close, closing) = watch::channel(false);
    let state = State {
        vendor,
        clock: Clock::new(Some(frame.clock_start), frame.clock_frozen),
        limiter: Limiter::new(&frame.limits),
        faults,
        log: CallLog::default(),
        calls: 0,
    };
    let shared = Arc::new(Shared {
        state: Mutex::new(state),
        seed: frame.seed,
        latency: frame.latency,
        jitter: frame.jitter,
        closing: closing.clone(),
    });
    let service = control::routes().fallback(call).with_state(shared.clone());
    let mut closed = closing;
    let server = axum::serve(Listener(listener), service.into_make_service_with_connect_info::<Switch>())
        .with_graceful_shutdown(async move {
            // An error means that the handle is gone, which ends the server too.
            let _ = closed.wait_for(|closing| *closing).await;
        });
    let server = tokio::spawn(async move {
        // Serving ends with the shutdown signal and knows no other error.
        let _ = server.await;
    });
    Ok(Sandbox { control: Control::new(shared), address, path, close, server })
}

/// Serves one call to the vendor's interface.
async fn call(
    Shares(shared): Shares<Arc<Shared>>,
    ConnectInfo(switch): ConnectInfo<Switch>,
    request: Request,
) -> Response {
    let (head, body) = request.into_parts();
    let mut dice = {
        let mut state = shared.state();
        state.calls += 1;
        Dice::new(shared.seed, u64::MAX, state.calls)
    };
    let body = axum::body::to_bytes(body, BODY_LIMIT).await;
    shared.delay(shared.one_way(&mut dice)).await;
    let Ok(body) = body else {
        return respond(Answer::html(413, "Request Entity Too Large"));
    };
    let content_type = head.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let text = |value: &HeaderValue| value.to_str().ok().map(str::to_owned);
    let headers: Vec<_> = head.headers.iter().filter_map(|(n, v)| Some((n.as_str().to_owned(), text(v)?))).collect();
    let inbound = Inbound {
        verb: head.method.as_str(),
        path: head.uri.path(),
        query: head.uri.query().unwrap_or_default(),
        content_type,
        headers: &headers,
        body: &body,
    };
    let (answer, hold) = judge(&mut shared.state(), &inbound, &switch);
    shared.delay(hold + shared.one_way(&mut dice)).await;
    respond(answer)
}

/// Answers a call that has arrived; also says how much longer to hold the answer back.
fn judge(state: &mut State, inbound: &Inbound<'_>, switch: &Switch) -> (Answer, Duration) {
    let at_ms = state.clock.now_ms();
    let call = match state.vendor.understand(inbound) {
        Ok(call) => call,
        Err(answer) => {
            log(state, at_ms, Call::default(), &answer, &[]);
            return (answer, Duration::ZERO);
        }
    };
    if let Err(refusal) = state.limiter.admit(state.clock.elapsed()) {
        let answer = state.vendor.throttled(refusal);
        log(state, at_ms, call, &answer, &[]);
        return (answer, Duration::ZERO);
    }
    let faults = state.faults.strike(&call.method);
    let instead = faults.iter().find_map(|fault| match fault {
        Fault::Reset => {
            switch.reset();
            Some(Answer { outcome: "reset".to_owned(), ..Answer::html(200, "") })
        }
        Fault::Html => Some(Answer { outcome: "html".to_owned(), ..Answer::html(200, "系统维护中") }),
        Fault::EmptyBody => {
            Some(Answer { outcome: "empty-body".to_owned(), body: String::new(), ..Answer::html(200, "") })
        }
        Fault::HttpStatus { status } => Some(Answer::html(*status, "Service Unavailable")),
        Fault::VendorCode { code, message } => Some(state.vendor.envelope(code, message)),
        _ => None,
    });
    let mut answer = instead.unwrap_or_else(|| {
        let moment = Moment { now_ms: at_ms, n: state.calls, faults: &faults };
        state.vendor.answer(&call, moment)
    });
    state.faults.note_drift(&call.method, answer.drifted);
    log(state, at_ms, call, &answer, &faults);
    let mut hold = Duration::ZERO;
    for fault in &faults {
        match fault {
            Fault::Truncated => {
                let half = answer.body.floor_char_boundary(answer.body.len() / 2);
                answer.body.truncate(half);
            }
            Fault::LostAnswer => switch.reset(),
            // The head takes 100 to 200 bytes; a small body is cut off within the head.
            Fault::Cut => switch.cut_after(if answer.body.len() > 300 { 100 + answer.body.len() / 2 } else { 50 }),
            Fault::Slow { delay } => hold += *delay,
            _ => {}
        }
    }
    (answer, hold)
}

fn log(state: &mut State, at_ms: i64, call: Call, answer: &Answer, faults: &[Fault]) {
    let boxed = |text: Option<String>| text.map(String::into_boxed_str);
    state.log.push(CallRecord {
        n: 0,
        at_ms,
        method: call.method.into(),
        page_no: boxed(call.page_no),
        page_size: boxed(call.page_size),
        window: boxed(call.window),
        key: boxed(call.key),
        outcome: answer.outcome.as_str().into(),
        rows: answer.rows,
        faults: faults.iter().map(Fault::name).collect(),
    });
}

fn respond(answer: Answer) -> Response {
    let mut response = Response::new(Body::from(answer.body));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(answer.content_type));
    if let Some(seconds) = answer.retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}
