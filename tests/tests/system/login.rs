//! `milkrun login`: the link, the code in each of its forms, and a token that everything else then uses.

use milkrun_sandbox::jushuitan::AppKind;
use milkrun_sandbox::{chanjet, jushuitan};

use crate::place::Place;
use crate::simulator::Simulator;

const CODE: &str = "vErY-sEcReT-cOdE";

/// A simulated Jushuitan with a third party's app that was never granted access, and an account `shop` for it.
fn jushuitan() -> (Simulator, Place) {
    let settings = jushuitan::Settings {
        n_orders: 5,
        n_documents: 3,
        app: AppKind::ThirdParty,
        app_secret: "vErY-sEcReT-aPp".to_owned(),
        codes: vec![CODE.to_owned()],
        ..jushuitan::Settings::default()
    };
    let vendor = Simulator::jushuitan(settings.clone());
    let url = &vendor.url;
    let place = Place::new(&format!(
        "[accounts.shop]\nconnector = \"jushuitan\"\napp = \"third-party\"\nbase_url = \"{url}\"\n\
         login_url = \"{url}/auth\"\napp_key = \"{}\"\napp_secret = {{ env = \"APP\" }}\n",
        settings.app_key
    ));
    let place = place.watching(&vendor.control).secret("APP", &settings.app_secret).hides(CODE);
    (vendor, place)
}

/// The same for T+.
fn tplus() -> (Simulator, Place) {
    let settings = chanjet::Settings {
        n_inventory: 5,
        n_vouchers: 3,
        app_secret: "vErY-sEcReT-aPp".to_owned(),
        codes: vec![CODE.to_owned()],
        ..chanjet::Settings::default()
    };
    let vendor = Simulator::tplus(settings.clone());
    let place = Place::new(&format!(
        "[accounts.erp]\nconnector = \"chanjet-tplus\"\nbase_url = \"{}\"\napp_key = \"{}\"\n\
         redirect_uri = \"https://erp.example.com/回调?a=1\"\napp_secret = {{ env = \"APP\" }}\n",
        vendor.url, settings.app_key
    ));
    let place = place.watching(&vendor.control).secret("APP", &settings.app_secret).hides(CODE);
    (vendor, place)
}

/// What the browser would show at this address.
fn browse(link: &str) -> (u16, String) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let answer = reqwest::Client::builder().no_proxy().build().unwrap().get(link).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    })
}

#[test]
fn the_link_of_jushuitan_leads_to_a_code_and_the_code_to_a_token() {
    let (vendor, place) = jushuitan();
    let before = place.milkrun(&["check"]);
    assert_ne!(before.code, Some(0), "{before}");
    let said = before.out.clone() + &before.said();
    assert!(said.contains("milkrun login"), "{before}");

    // The name of the connector will do, as only one account uses it; in JSON too.
    let link = place.milkrun(&["login", "jushuitan", "--link"]).with(0);
    let link = link.out.trim();
    let json = place.milkrun(&["login", "shop", "--link", "--json"]).with(0).json();
    assert_eq!(json["account"], "shop");
    assert!(json["link"].as_str().unwrap().starts_with(&format!("{}/auth?", vendor.url)), "{json}");
    assert_eq!(vendor.control.stats().refreshes, 0, "a link alone asks for no token");

    // The vendor accepts the link, whose signature it checks, and sends the browser back.
    let (status, page) = browse(link);
    assert_eq!(status, 200, "{page}");
    let callback = page.split_once("callback\">").unwrap().1.split_once('<').unwrap().0;
    let address = format!("https://erp.example.com/back?{callback}#top\n");
    let ended = place.milkrun_told(&["login", "jushuitan"], &address).with(0);
    assert!(ended.said().contains("/auth?") && ended.out.contains("shop"), "{ended}");
    assert_eq!(vendor.control.stats().refreshes, 1);
    place.milkrun(&["check"]).with(0);

    // A link that was tampered with leads nowhere.
    let (_, page) = browse(&link.replace("app_key=", "app_key=0"));
    assert!(!page.contains("code="), "{page}");
}

#[test]
fn a_code_alone_will_do_and_serves_once() {
    for (vendor, place, account) in
        [jushuitan(), tplus()].into_iter().zip(["shop", "erp"]).map(|((v, p), account)| (v, p, account))
    {
        let ended = place.milkrun_told(&["login", account, "--json"], &format!("  {CODE} \n")).with(0);
        let json = ended.json();
        assert_eq!(json["account"], account);
        assert!(json["expires_at"].as_str().unwrap().starts_with("20"), "{json}");
        assert_eq!(vendor.control.stats().refreshes, 1, "{account}");
        let token = vendor.token("access_token");
        place.milkrun(&["check"]).with(0);

        // The token is renewed from then on by itself.
        vendor.control.kill_session();
        place.milkrun(&["check"]).with(0);
        assert_ne!(vendor.token("access_token"), token, "{account}");
        assert_eq!(vendor.control.stats().refreshes, 2, "{account}");

        // The same code again, and others, give no token and spoil none.
        for wrong in [CODE, "made-up", "https://erp.example.com/back?code=made-up&state=x"] {
            let ended = place.milkrun_told(&["login", account], wrong);
            assert!(!matches!(ended.code, Some(0) | None), "{account}: {ended}");
            assert!(ended.said().contains("milkrun login"), "{account}: {ended}");
            assert!(!(ended.out.clone() + &ended.err).contains("made-up"), "{account}: the code is shown: {ended}");
        }
        place.milkrun(&["check"]).with(0);
        assert_eq!(vendor.control.stats().refreshes, 2, "{account}");
    }
}

#[test]
fn the_link_of_tplus_says_whose_access_is_asked_for() {
    let (_vendor, place) = tplus();
    let link = place.milkrun(&["login", "chanjet-tplus", "--link"]).with(0).out;
    let link = reqwest::Url::parse(link.trim()).unwrap();
    let part = |name: &str| link.query_pairs().find(|(n, _)| n == name).map(|(_, value)| value.into_owned());
    assert_eq!(part("client_id").unwrap(), chanjet::Settings::default().app_key);
    assert_eq!(part("response_type").unwrap(), "code");
    assert_eq!(part("redirect_uri").unwrap(), "https://erp.example.com/回调?a=1");
    assert!(!part("state").unwrap().is_empty());
}

#[test]
fn who_cannot_log_in_is_told_why() {
    let (vendor, place) = jushuitan();
    let nothing = place.milkrun_told(&["login", "shop"], "\n").with(2);
    assert!(nothing.said().contains("no code was given") && nothing.said().contains("milkrun login"), "{nothing}");
    let unknown = place.milkrun(&["login", "shopp", "--link"]).with(2);
    assert!(unknown.said().contains("`shopp`") && unknown.said().contains("`shop`"), "{unknown}");
    place.write(
        "milkrun.toml",
        "[accounts.files]\nconnector = \"file\"\nfolder = \"out\"\n[accounts.more]\nconnector = \"file\"\nfolder = \"o\"\n",
    );
    let needless = place.milkrun(&["login", "files"]).with(2);
    assert!(needless.said().contains("milkrun check"), "{needless}");
    let several = place.milkrun(&["login", "file"]).with(2);
    assert!(several.said().contains("files") && several.said().contains("more"), "{several}");
    assert_eq!(vendor.control.stats().total_calls, 0);
}
