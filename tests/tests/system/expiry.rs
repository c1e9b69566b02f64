//! A token dies while eight processes use it: it is renewed once, and a kill at any step of that leaves a token that
//! can be used, or says what to do.

use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use milkrun_core::token::{Begin, StoredToken, TokenStore as _};
use milkrun_sandbox::jushuitan::AppKind;
use milkrun_sandbox::{Fault, FaultRule, chanjet, jushuitan, kuaimai};
use milkrun_store::{MasterKey, SqliteStore, StoreOptions};
use milkrun_testkit::dice::Dice;

use crate::installation::KEY;
use crate::milkrun::{Running, side_by_side};
use crate::place::Place;
use crate::simulator::Simulator;
use crate::vendor::{DAY, floor};

const PROCESSES: usize = 8;
/// How long the answer to a renewal is held back where a process is killed meanwhile.
const HELD: Duration = Duration::from_millis(150);

/// Whose token dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whose {
    Kuaimai,
    JushuitanOwn,
    JushuitanThirdParty,
    Tplus,
}

const ALL: [Whose; 4] = [Whose::Kuaimai, Whose::JushuitanOwn, Whose::JushuitanThirdParty, Whose::Tplus];

impl Whose {
    /// The method that renews.
    fn renewal(self) -> &'static str {
        match self {
            Self::Kuaimai => "open.token.refresh",
            Self::JushuitanOwn | Self::JushuitanThirdParty => "/openWeb/auth/refreshToken",
            Self::Tplus => "/auth/v2/refreshToken",
        }
    }

    fn stream(self) -> &'static str {
        match self {
            Self::Kuaimai => "orders",
            Self::JushuitanOwn | Self::JushuitanThirdParty => "orders-by-window",
            Self::Tplus => "inventory",
        }
    }

    /// Whether a person has to grant access again once the last refresh token is lost.
    fn needs_login(self) -> bool {
        matches!(self, Self::JushuitanThirdParty | Self::Tplus)
    }

    /// The codes that a person may bring, one for each login.
    fn codes() -> Vec<String> {
        (0..20).map(|n| format!("vErY-sEcReT-cOdE-{n}")).collect()
    }

    fn start(self, latency: Duration) -> Simulator {
        let secret = |what: &str| format!("vErY-sEcReT-{what}");
        match self {
            Self::Kuaimai => Simulator::kuaimai(kuaimai::Settings {
                n_orders: 120,
                n_items: 10,
                n_documents: 0,
                app_secret: secret("aPp"),
                session: secret("aCcEsS"),
                refresh_token: secret("rEfReSh"),
                limits: Vec::new(),
                history: DAY / 2,
                latency,
                ..kuaimai::Settings::default()
            }),
            Self::JushuitanOwn | Self::JushuitanThirdParty => Simulator::jushuitan(jushuitan::Settings {
                n_orders: 120,
                n_items: 10,
                n_documents: 0,
                app: if self.needs_login() { AppKind::ThirdParty } else { AppKind::Merchant },
                app_secret: secret("aPp"),
                access_token: secret("aCcEsS"),
                refresh_token: secret("rEfReSh"),
                codes: Self::codes(),
                limits: Vec::new(),
                history: DAY / 2,
                latency,
                ..jushuitan::Settings::default()
            }),
            Self::Tplus => Simulator::tplus(chanjet::Settings {
                n_inventory: 120,
                n_vouchers: 4,
                app_secret: secret("aPp"),
                access_token: secret("aCcEsS"),
                refresh_token: secret("rEfReSh"),
                codes: Self::codes(),
                // Who uses a refresh token twice loses the new one too.
                reuse: chanjet::Reuse::EndsSession,
                history: DAY / 2,
                latency,
                ..chanjet::Settings::default()
            }),
        }
    }

    /// An installation with an account `it`, and the flows `f0` to `f7` that all read from it.
    fn place(self, vendor: &Simulator) -> Place {
        let url = &vendor.url;
        let (session, own) = match self {
            Self::Kuaimai => {
                let key = kuaimai::Settings::default().app_key;
                ("session", format!("connector = \"kuaimai\"\napp_key = \"{key}\""))
            }
            Self::JushuitanOwn | Self::JushuitanThirdParty => {
                let app = if self.needs_login() { "third-party" } else { "own" };
                let key = jushuitan::Settings::default().app_key;
                let more = "calls_per_minute = 6000";
                ("access_token", format!("connector = \"jushuitan\"\napp_key = \"{key}\"\napp = \"{app}\"\n{more}"))
            }
            Self::Tplus => {
                let key = chanjet::Settings::default().app_key;
                let back = "redirect_uri = \"https://erp.example.com/callback\"";
                ("access_token", format!("connector = \"chanjet-tplus\"\napp_key = \"{key}\"\n{back}"))
            }
        };
        let accounts = format!(
            "[accounts.it]\n{own}\nbase_url = \"{url}\"\ncalls_per_second = 15\napp_secret = {{ env = \"APP\" }}\n\
             {session} = {{ env = \"ACCESS\" }}\nrefresh_token = {{ env = \"REFRESH\" }}\n\
             [accounts.files]\nconnector = \"file\"\nfolder = \"out\"\n"
        );
        let place = Place::new(&accounts).watching(&vendor.control);
        let place = place.secret("APP", "vErY-sEcReT-aPp").secret("ACCESS", "vErY-sEcReT-aCcEsS");
        let place = place.secret("REFRESH", "vErY-sEcReT-rEfReSh").hides("vErY-sEcReT-cOdE");
        let since = floor(vendor.control.now() - SignedDuration::try_from(2 * DAY).unwrap());
        for n in 0..PROCESSES {
            place.flow(&format!("f{n}"), &self.flow(since, n));
        }
        place
    }

    /// Another installation of the same account, which keeps its state where `first` does.
    fn beside(self, first: &Place, vendor: &Simulator) -> Place {
        let place = self.place(vendor);
        let store = first.path(".milkrun");
        let accounts = place.read("milkrun.toml");
        place.write("milkrun.toml", &format!("[store]\npath = \"{}\"\n{accounts}", store.display()));
        place
    }

    fn flow(self, since: Timestamp, n: usize) -> String {
        format!(
            "[source]\naccount = \"it\"\nstream = \"{}\"\nsince = \"{since}\"\npage_size = 30\n\n[sink]\n\
             account = \"files\"\ntarget = \"records-{n}\"\n",
            self.stream()
        )
    }
}

/// The token in the vault was had so long ago: older than any that is not renewed.
const OLD: SignedDuration = SignedDuration::from_hours(8 * 24);

/// Makes the token of a place old, in the vault itself: nobody can wait that long, and the machine's clock stays.
fn grows_old(place: &Place) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let options = StoreOptions { key: Some(MasterKey::from_text(KEY).unwrap()), owner: None };
        let store = SqliteStore::open(&place.path(".milkrun"), options).unwrap();
        let StoredToken { generation, mut token } = store.load_token("it").await.unwrap().unwrap();
        token.obtained_at -= OLD;
        let now = Timestamp::now();
        let begun = store.begin_renewal("it", generation, now, Duration::from_mins(1)).await.unwrap();
        let Begin::Started { fence, .. } = begun else { panic!("somebody renews: {begun:?}") };
        store.finish_renewal("it", fence, &token).await.unwrap();
    });
}

impl Whose {
    /// The token has to be renewed: the vendor refuses it, or, with Kuaimai, who renews no dead one, it is old.
    fn dies(self, vendor: &Simulator, place: &Place) {
        match self {
            Self::Kuaimai => grows_old(place),
            _ => vendor.control.kill_session(),
        }
    }
}

/// Starts a process for each flow, in turn in one of these places, lets `act` happen after the first has made its
/// calls, and awaits all ends.
fn storm(whose: Whose, vendor: &Simulator, places: &[&Place], act: impl FnOnce()) {
    let place = |n: usize| places[n % places.len()];
    let start = |n: usize| place(n).start(&["run", &format!("f{n}"), "--json"]);
    let mut processes: Vec<Running> = (0..PROCESSES).map(start).collect();
    let begun = vendor.control.stats().total_calls;
    assert!(processes[0].until(|| vendor.control.stats().total_calls > begun), "{whose:?}: nobody has called");
    act();
    for (n, process) in processes.into_iter().enumerate() {
        let ended = process.wait();
        assert_eq!(ended.code, Some(0), "{whose:?}, process {n}: {ended}");
        assert_eq!(ended.json()["flows"][0]["verdict"], "reconciled", "{whose:?}, process {n}: {ended}");
        let records = place(n).read(&format!("out/records-{n}.jsonl"));
        assert_eq!(records.lines().count(), 120, "{whose:?}, process {n}");
    }
}

#[test]
fn eight_processes_find_a_dead_token_and_renew_it_once() {
    side_by_side(ALL, |whose| {
        let vendor = whose.start(Duration::from_millis(5));
        let place = whose.place(&vendor);
        place.milkrun(&["check"]).with(0);
        whose.dies(&vendor, &place);
        storm(whose, &vendor, &[&place, &whose.beside(&place, &vendor)], || {});
        assert_eq!(vendor.n_calls(whose.renewal()), 1, "{whose:?}: renewals on the wire");
        assert_eq!(vendor.control.stats().refreshes, 1, "{whose:?}");
    });
}

#[test]
fn a_token_that_dies_in_the_middle_is_renewed_once() {
    side_by_side(ALL.into_iter().filter(|whose| *whose != Whose::Kuaimai), |whose| {
        let vendor = whose.start(Duration::from_millis(10));
        let place = whose.place(&vendor);
        // The renewal takes long, so that all processes come to wait for it.
        let slow = FaultRule::new(Fault::Slow { delay: HELD }).method(whose.renewal());
        vendor.control.add_fault(slow);
        storm(whose, &vendor, &[&place], || vendor.control.kill_session());
        assert_eq!(vendor.n_calls(whose.renewal()), 1, "{whose:?}: renewals on the wire");
        assert_eq!(vendor.control.stats().refreshes, 1, "{whose:?}");
    });
}

/// When a process is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Moment {
    /// So long after its start.
    Early(Duration),
    /// So long after the vendor has renewed the token; its answer is held back for [`HELD`].
    Renewed(Duration),
    /// As soon as the new token is used.
    Used,
}

/// One process that finds a dead token is killed at that moment; whether the tokens were lost by that.
fn killed(whose: Whose, vendor: &Simulator, place: &Place, moment: Moment, dice: &mut Dice) -> bool {
    let what = format!("{whose:?}, {moment:?}");
    whose.dies(vendor, place);
    let n_renewals = vendor.n_calls(whose.renewal());
    let n_calls = || vendor.control.stats().total_calls;
    vendor.control.add_fault(FaultRule::new(Fault::Slow { delay: HELD }).next(1).method(whose.renewal()));
    let mut life = place.start(&["check"]);
    let after = |begun: Instant, wait: Duration| move || begun.elapsed() >= wait;
    let renewed = |life: &mut Running| life.until(|| vendor.n_calls(whose.renewal()) > n_renewals);
    match moment {
        Moment::Early(wait) => {
            life.until(after(Instant::now(), wait));
        }
        Moment::Renewed(wait) => {
            assert!(renewed(&mut life), "{what}: the token was not renewed");
            life.until(after(Instant::now(), wait));
        }
        Moment::Used => {
            assert!(renewed(&mut life), "{what}: the token was not renewed");
            let before = n_calls();
            life.until(|| n_calls() > before);
        }
    }
    drop(life.kill());
    vendor.control.clear_faults();
    let next = place.milkrun(&["check"]);
    if next.code == Some(0) {
        return false;
    }
    // Nothing but a person can help: the vendor has replaced the tokens, and its answer is gone.
    let said = format!("{}{}", next.out, next.said());
    assert!(whose.needs_login() && moment != Moment::Used, "{what}: {next}");
    assert!(said.contains("milkrun login"), "{what}: no precise instruction: {next}");
    let code = vendor.control.session()["codes"][0].as_str().unwrap().to_owned();
    let given = if dice.below(2) == 0 { code } else { format!("https://erp.example.com/back?code={code}&state=1") };
    place.milkrun_told(&["login", "it"], &format!("{given}\n")).with(0);
    place.milkrun(&["check"]).with(0);
    true
}

#[test]
fn a_session_that_nobody_can_renew_ends_every_process_with_the_same_instruction() {
    let vendor = Whose::Kuaimai.start(Duration::from_millis(5));
    let place = Whose::Kuaimai.place(&vendor);
    place.milkrun(&["check"]).with(0);
    vendor.control.kill_session();
    let flows: Vec<String> = (0..PROCESSES).map(|n| format!("f{n}")).collect();
    let processes: Vec<Running> = flows.iter().map(|flow| place.start(&["run", flow])).collect();
    for process in processes {
        let ended = process.wait().with(1);
        let said = format!("{}{}", ended.out, ended.said());
        assert!(said.contains("support") && said.contains("milkrun check"), "no precise instruction: {ended}");
    }
    // Support has made it good again: nothing was spoilt, and everything goes on.
    vendor.control.revive_session();
    place.milkrun(&["run", "--all"]).with(0);
    assert_eq!(vendor.control.stats().refreshes, 0);
}

#[test]
fn a_kill_at_any_step_of_a_renewal_leaves_a_token_or_says_what_to_do() {
    side_by_side(ALL, |whose| {
        let mut dice = Dice::new(7 + whose as u64);
        let ms = Duration::from_millis;
        let early = |dice: &mut Dice| Moment::Early(ms(dice.below(150)));
        let renewed = |dice: &mut Dice| Moment::Renewed(ms(dice.below(2 * 150)));
        let mut moments = vec![Moment::Renewed(Duration::ZERO), Moment::Used, Moment::Renewed(Duration::ZERO)];
        for _ in 0..4 {
            moments.extend([early(&mut dice), renewed(&mut dice)]);
        }
        let (mut lost, n_moments) = (0, moments.len());
        let mut held: Option<(Simulator, Place)> = None;
        for moment in moments {
            // A session of Kuaimai is renewed once an hour at most.
            let fresh = held.take().filter(|_| whose != Whose::Kuaimai);
            let (vendor, place) = fresh.unwrap_or_else(|| {
                let vendor = whose.start(Duration::ZERO);
                let place = whose.place(&vendor);
                place.milkrun(&["check"]).with(0);
                (vendor, place)
            });
            lost += u32::from(killed(whose, &vendor, &place, moment, &mut dice));
            held = Some((vendor, place));
        }
        println!("{whose:?}: {n_moments} kills, {lost} of them lost the tokens");
        // Whose tokens can be had by a call loses none; the others lose them while the answer is on its way.
        assert_eq!(lost > 0, whose.needs_login(), "{whose:?}: {lost} lost");
    });
}
