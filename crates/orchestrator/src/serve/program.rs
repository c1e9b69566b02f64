//! `milkrun serve`: begins, looks at the files now and then, and ends in good order when it is asked to.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use milkrun_console::router;
use milkrun_core::Result;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;

use super::house::{Closed, House};
use super::notify::Manager;
use crate::cli;
use crate::commands::{Failure, Here, Outcome, asked, cannot_listen};
use crate::config;
use crate::desk::OpenDesk;
use crate::text::{self, fill};
use crate::wiring::{At, Secrets, open_console};

/// How often the files are looked at.
const LOOK: Duration = Duration::from_millis(500);
/// How long runs under way are waited for at the end.
const PATIENCE: Duration = Duration::from_secs(9);

/// Serves until the process is asked to end.
pub(crate) async fn serve(here: Here<'_>, ask: &cli::Serve) -> Outcome {
    let out = here.out;
    let house = House::open(here).await.map_err(|closed| match closed {
        Closed::Error(error) => Failure::Error(error),
        Closed::Mistakes(reports) => Failure::Mistakes(reports),
    })?;
    // Dropped at the end: until then, a second program is told who is here.
    let _alone = house.state.store.hold("serve")?;
    let manager = Manager::of(here.environment);
    let (closes, closing) = watch::channel(false);
    let console = if ask.no_console { None } else { Some(Console::open(&house, ask.listen, closing).await?) };
    let n_flows = house.loaded().usable.len();
    let address = console.as_ref().map(|console| console.address.clone());
    out.json(&json!({ "console": address, "flows": n_flows, "process": std::process::id() }));
    out.line(fill!(out.lang, text::SERVING, dir = house.dir.display(), flows = n_flows));
    if let Some(address) = &address {
        out.line(fill!(out.lang, text::CONSOLE_AT, address = address));
    }
    house.follow_timetables().await?;
    let beside = [tokio::spawn(Arc::clone(&house).watch_for_incidents()), tokio::spawn(Arc::clone(&house).keep_tidy())];
    manager.tell("READY=1");
    tokio::select! {
        () = asked() => {}
        () = keep(&house, &manager) => {}
    }
    manager.tell("STOPPING=1");
    out.note(out.say(text::STOPPING));
    closes.send_replace(true);
    beside.iter().for_each(tokio::task::JoinHandle::abort);
    house.close(PATIENCE).await;
    if let Some(console) = console {
        console.ended().await;
    }
    Ok(0)
}

/// The console while it is served.
struct Console {
    address: String,
    task: tokio::task::JoinHandle<Result<()>>,
}

impl Console {
    /// Begins to serve; it ends when `closing` says so.
    async fn open(
        house: &Arc<House>,
        listen: Option<SocketAddr>,
        mut closing: watch::Receiver<bool>,
    ) -> Result<Self, Failure> {
        let lang = house.out.lang;
        let (installation, mut reports) = config::load(&house.dir, lang)?;
        let listen = listen.unwrap_or(installation.console.listen);
        let taken = |e: std::io::Error| cannot_listen(e, listen, lang).advise(lang.say(text::CHOOSE_ADDRESS));
        let listener = TcpListener::bind(listen).await.map_err(taken)?;
        let at = listener.local_addr().map_err(taken)?;
        let secrets = Secrets::Fetched {
            environment: &house.environment,
            vault: Some(&house.state.store),
            scrubber: &house.out.scrubber,
        };
        let opened = open_console(&installation, At::Bound(at), secrets, lang, &mut reports).await?;
        let Some((access, tls)) = opened else {
            reports.only_flows(&house.dir, &[]);
            return Err(Failure::Mistakes(reports));
        };
        let scheme = if tls.is_some() { "https" } else { "http" };
        let desk = Arc::new(OpenDesk(Arc::clone(house)));
        let notes = Arc::clone(&house.state.store) as Arc<dyn milkrun_core::notes::Notes>;
        let router = router(desk, access, notes, Arc::clone(&house.state.clock));
        let task = tokio::spawn(milkrun_console::serve(listener, router, tls, async move {
            // An error means that the program is gone, which is an end too.
            let _ = closing.wait_for(|closing| *closing).await;
        }));
        Ok(Self { address: format!("{scheme}://{at}"), task })
    }

    /// Returns when it has ended.
    async fn ended(self) {
        match self.task.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::error!(%error, "the console ended"),
            Err(error) => tracing::error!(%error, "the console ended"),
        }
    }
}

/// Looks at the files, and tells the manager that the program lives.
async fn keep(house: &Arc<House>, manager: &Manager) {
    let mut look = tokio::time::interval(LOOK);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut last_told = tokio::time::Instant::now();
    loop {
        let is_due = house.timetable.sleep(house.state.clock.now());
        let outcome = tokio::select! {
            _ = look.tick() => house.look_at_files().await.map(drop),
            () = is_due => house.do_what_is_due().await,
        };
        if let Err(error) = outcome {
            tracing::error!(%error, help = error.help(), "files or timetables could not be looked at");
        }
        if let Some(every) = manager.watchdog
            && last_told.elapsed() >= every
        {
            last_told = tokio::time::Instant::now();
            manager.tell("WATCHDOG=1");
        }
    }
}
