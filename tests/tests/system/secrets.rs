//! No secret leaves: not in output, errors, logs at the lowest level, state or journal.
//!
//! Every [`Installation`] looks for its secrets in all its files and in everything its processes wrote, the log of
//! everything included; what follows are the ways that no other test takes.

use std::fs;

use milkrun_sandbox::kuaimai::{Rotation, Settings};
use milkrun_sandbox::{Fault, FaultRule};

use crate::installation::Installation;
use crate::vendor::{DAY, Vendor, settings};

fn vendor() -> Vendor {
    Vendor::start(Settings { n_orders: 100, history: DAY / 2, rotation: Rotation::Both, ..settings() })
}

#[test]
fn a_vendor_that_repeats_secrets_in_its_messages_is_struck_out() {
    let vendor = vendor();
    let own = vendor.settings.clone();
    let installation = Installation::of_orders(&vendor, "attempts = 1");
    // The session is renewed first, so that the current one is known to the vault alone.
    vendor.fault(FaultRule::new(Fault::vendor_code("invalid_session")).next(1));
    installation.milkrun(&["run", "orders"]).with(0);
    let now = vendor.control.session();
    assert_ne!(now["session"].as_str(), Some(&*own.session));
    let message =
        format!("user {} of {} may not, says {}", now["session"].as_str().unwrap(), own.session, own.app_secret);
    for code in ["20014", "25", "never-heard-of"] {
        vendor.fault(FaultRule::new(Fault::VendorCode { code: code.to_owned(), message: message.clone() }));
        for arguments in [&["run", "orders"][..], &["run", "orders", "--json"], &["preview", "orders"], &["check"]] {
            let ended = installation.milkrun(arguments);
            // The fault strikes orders alone, and a check asks for warehouses.
            assert_eq!(ended.code == Some(0), arguments == ["check"], "{ended}");
            let said = ended.out.clone() + &ended.said();
            assert!(ended.code == Some(0) || said.contains("user *** of *** may not, says ***"), "{ended}");
        }
        installation.milkrun(&["status", "--json"]).with(0);
        installation.assert_no_secret();
        vendor.control.clear_faults();
    }
}

#[test]
fn mistakes_beside_secrets_do_not_show_them() {
    let vendor = vendor();
    let installation = Installation::of_orders(&vendor, "");
    let own = &vendor.settings;
    let good = format!(
        "[accounts.km]\nconnector = \"kuaimai\"\nbase_url = \"{}\"\napp_key = \"{}\"\napp_secret = \"{}\"\n\
         session = \"{}\"\nrefresh_token = \"{}\"\n\n[accounts.files]\nconnector = \"file\"\nfolder = \"out\"\n",
        vendor.url, own.app_key, own.app_secret, own.session, own.refresh_token
    );
    let twice = format!("app_secret = \"{}\"\nsession", own.app_secret);
    let mistakes = [
        good.replace("session = ", "sesion = "),
        good.replace("session = \"", "session = \" "),
        good.replace("session = \"", "session = \"\\q"),
        good.replace("session = \"", "session = 'x' \""),
        good.replace("\nsession", &format!("\n{twice}")),
        good.replace(&format!("\"{}\"", own.app_secret), &format!("[\"{}\"]", own.app_secret)),
        good.replace("app_key = ", "app_key = 5 # "),
        good.replace("kuaimai", "kwaimai"),
        good.clone(),
    ];
    for text in mistakes {
        fs::write(installation.path("milkrun.toml"), &text).unwrap();
        for arguments in [&["check", "--offline"][..], &["check", "--offline", "--json"], &["run", "orders"]] {
            let ended = installation.milkrun(arguments);
            assert_eq!(ended.code == Some(0), text == good, "{ended}");
        }
    }
    // Only the file that holds them may hold them.
    fs::remove_file(installation.path("milkrun.toml")).unwrap();
}

#[test]
fn a_secret_in_the_vault_is_sealed_and_serves() {
    let vendor = vendor();
    let mut installation = Installation::of_orders(&vendor, "");
    let accounts = fs::read_to_string(installation.path("milkrun.toml")).unwrap();
    let accounts = accounts.replace("{ env = \"KM_SESSION\" }", "{ vault = \"km-session\" }");
    fs::write(installation.path("milkrun.toml"), accounts).unwrap();
    installation.unset("KM_SESSION");
    let missing = installation.milkrun(&["run", "orders"]).with(2);
    assert!(missing.said().contains("milkrun secret set km-session"), "{missing}");
    installation.milkrun_told(&["secret", "set", "km-session"], &format!("{}\n", vendor.settings.session)).with(0);
    let listed = installation.milkrun(&["secret", "list", "--json"]).with(0).json();
    assert!(listed.to_string().contains("km-session"), "{listed}");
    installation.milkrun(&["run", "orders"]).with(0);
    installation.orders().assert_are(&vendor.orders());
    installation.milkrun(&["secret", "remove", "km-session"]).with(0);
    installation.milkrun(&["run", "orders"]).with(2);
}
