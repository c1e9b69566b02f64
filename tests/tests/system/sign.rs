//! `milkrun sign` gives the check values of the vendors' references, and signs values as they are written.

use serde_json::{Value, json};

use crate::milkrun::Ended;
use crate::place::Place;

fn place() -> Place {
    Place::new("")
}

/// Signs `input`; the text and the signature.
#[track_caller]
fn signed(place: &Place, arguments: &[&str], input: &str) -> (String, String) {
    let all: Vec<&str> = ["sign"].into_iter().chain(arguments.iter().copied()).collect();
    let ended = place.milkrun_told(&all, input).with(0);
    assert_eq!(ended.out.lines().count(), 1, "one line, whatever is signed: {ended}");
    let json = ended.json();
    let text = |name: &str| json[name].as_str().unwrap_or_else(|| panic!("no `{name}`: {ended}")).to_owned();
    assert_eq!(json.as_object().unwrap().len(), 2, "{ended}");
    (text("text"), text("sign"))
}

/// The input of Kuaimai's printed sample.
fn kuaimai(method: &str) -> String {
    json!({
        "secret": "helloworld",
        "sign_method": method,
        "params": {
            "method": "open.system.time.get", "appKey": "123456", "format": "json", "session": "test",
            "timestamp": "2020-09-21 16:58:00", "version": "1.0", "sign_method": method,
        },
    })
    .to_string()
}

#[test]
fn kuaimais_three_methods_give_the_printed_values() {
    let place = place();
    for (method, sign) in [
        ("hmac-sha256", "7905D5EF37CA177B9219DBFA603F773A7616F424D545E731AAFBB992408F6CEE"),
        ("hmac", "33F8A0DBB3DB1E60E210A7307DD15075"),
        ("md5", "F1D3BB43123A50C78EBCB84CD301A340"),
    ] {
        let text = format!(
            "appKey123456formatjsonmethodopen.system.time.getsessiontestsign_method{method}timestamp2020-09-21 \
             16:58:00version1.0"
        );
        assert_eq!(signed(&place, &["kuaimai"], &kuaimai(method)), (text.clone(), sign.to_owned()));
        // What the command line says counts, whatever stands in the object.
        let mut other: Value = serde_json::from_str(&kuaimai(method)).unwrap();
        other["sign_method"] = "md5".into();
        assert_eq!(signed(&place, &["kuaimai", "--method", method], &other.to_string()), (text, sign.to_owned()));
    }
}

#[test]
fn jushuitans_both_apis_give_the_check_values() {
    let place = place();
    let biz = r#"{"page_index":1,"page_size":100,"modified_begin":"2024-12-31 00:00:00","modified_end":"2024-12-31 23:59:59"}"#;
    let params = json!({
        "app_key": "ffeeddccbbaa99887766554433221100", "access_token": "0123456789abcdef0123456789abcdef",
        "timestamp": 1_735_689_600, "version": "2", "charset": "utf-8", "biz": biz,
    });
    let secret = "00112233445566778899aabbccddeeff";
    let new = json!({ "api": "new", "secret": secret, "params": params }).to_string();
    let (text, sign) = signed(&place, &["jushuitan"], &new);
    assert_eq!(sign, "2c9c188bafeaecda390b402b494ab6fd");
    assert_eq!(
        text,
        format!(
            "access_token0123456789abcdef0123456789abcdefapp_keyffeeddccbbaa99887766554433221100biz{biz}charsetutf-8\
             timestamp1735689600version2"
        )
    );
    let old = json!({
        "api": "old", "partnerkey": "k0000000000000000000000000000002", "method": "refresh.token",
        "partnerid": "p0000000000000000000000000000001", "token": "t0000000000000000000000000000003",
        "ts": "1735689600",
    });
    let (text, sign) = signed(&place, &["jushuitan"], &old.to_string());
    assert_eq!(sign, "c040d29e0543e34be8e894c2af53bc77");
    assert_eq!(text, "refresh.tokenp0000000000000000000000000000001tokent0000000000000000000000000000003ts1735689600");
}

#[test]
fn yonyou_and_tplus_give_the_check_values() {
    let place = place();
    // A signature of what is not there yet is the same as one of null.
    for params in [
        json!({ "timestamp": 1_568_098_531_823_u64, "appKey": "41832a3d2df94989b500da6a22268747" }),
        json!({ "appKey": "41832a3d2df94989b500da6a22268747", "timestamp": "1568098531823", "signature": null }),
    ] {
        let input = json!({ "secret": "9c1f0f4f6d8a4c6f9d1b2a3c4d5e6f708192a3b4", "params": params });
        let (text, sign) = signed(&place, &["yonyou-mdd"], &input.to_string());
        assert_eq!(text, "appKey41832a3d2df94989b500da6a22268747timestamp1568098531823");
        assert_eq!(sign, "jXtkiq2x7DL0WnNeCLIUYecDMk0NRqsgEz/Vnqynat8=", "before the address is encoded");
    }
    let body = r#"{"param":{"PageIndex":1,"PageSize":100}}"#;
    for spaced in [body, "{ \"param\":\n\t{\"PageIndex\": 1, \"PageSize\":100}}"] {
        let input = json!({
            "sign_key": "sgnKey-0f1e2d3c", "app_key": "ptPrU0YV", "timestamp": "1605167299197", "body": spaced,
        });
        let (text, sign) = signed(&place, &["chanjet-tplus"], &input.to_string());
        assert_eq!(text, format!("appKey=ptPrU0YV&bizContent={body}&timestamp=1605167299197"));
        assert_eq!(sign, "9411ee2f3a45b3284b54e0d247e5a575", "white space takes no part");
    }
}

#[test]
fn values_are_signed_as_they_are_written() {
    let place = place();
    let params = r#"{"z":null,"名称":"红色 短袖&=+%","price":1.50,"id":6920000000000000001,"e":1E+2,"on":true,
        "json":"{\"行\": [1.00, {\"a\":null}]}","escaped":"\u7ea2\/\n"}"#;
    let text =
        "e1E+2escaped红/\nid6920000000000000001json{\"行\": [1.00, {\"a\":null}]}ontrueprice1.50名称红色 短袖&=+%";
    for (connector, input) in [
        ("kuaimai", format!("{{\"secret\":\"s\",\"sign_method\":\"md5\",\"params\":{params}}}")),
        ("jushuitan", format!("{{\"api\":\"new\",\"secret\":\"s\",\"params\":{params}}}")),
        ("yonyou-mdd", format!("{{\"secret\":\"s\",\"params\":{params}}}")),
    ] {
        let (signed_text, sign) = signed(&place, &[connector], &input);
        assert_eq!(signed_text, text, "{connector}");
        // One more zero is another number to the vendor.
        let other = signed(&place, &[connector], &input.replace("1.50", "1.5"));
        assert_ne!(other.1, sign, "{connector}");
    }
    // The text is UTF-8 in both languages, and nothing of it is escaped away.
    let input = r#"{"sign_key":"k","app_key":"a","timestamp":1,"body":"{\"名\":\"红&=+%\"}"}"#;
    let (text, _) = signed(&place, &["chanjet-tplus", "--lang", "zh"], input);
    assert_eq!(text, "appKey=a&bizContent={\"名\":\"红&=+%\"}&timestamp=1");
}

#[test]
fn mistakes_are_named_and_nothing_is_signed() {
    let place = place();
    let told = |arguments: &[&str], input: &str| {
        let all: Vec<&str> = ["sign"].into_iter().chain(arguments.iter().copied()).collect();
        let ended: Ended = place.milkrun_told(&all, input).with(2);
        assert_eq!(ended.out, "", "{ended}");
        ended.said()
    };
    for (arguments, input, parts) in [
        (vec!["kuaimai"], "secret=s", vec!["no JSON object", "standard input"]),
        (vec!["kuaimai"], "[]", vec!["no JSON object"]),
        (vec!["kuaimai"], "", vec!["no JSON object"]),
        (vec!["jushuitan"], r#"{"secret":"s","parms":{}}"#, vec!["`parms`", "`params`"]),
        (vec!["yonyou-mdd"], r#"{"params":{}}"#, vec!["`secret`"]),
        (vec!["chanjet-tplus"], r#"{"sign_key":"k","app_key":"a","body":""}"#, vec!["`timestamp`"]),
        (vec!["kuaimai"], r#"{"secret":"s","params":{"list":[1,2]}}"#, vec!["`list`", "inside a text"]),
        (vec!["kuaimai"], r#"{"secret":"s","sign_method":"sha1","params":{}}"#, vec!["`sha1`", "hmac-sha256"]),
        (vec!["kuaimai", "--method", "md6"], r#"{"secret":"s","params":{}}"#, vec!["`md6`", "md5"]),
        (vec!["jushuitan"], r#"{"api":"older","secret":"s"}"#, vec!["`older`", "old"]),
        (vec!["kuaima"], "{}", vec!["`kuaima`", "kuaimai"]),
        (vec!["file"], "{}", vec!["`file`", "jushuitan", "kuaimai", "yonyou-mdd"]),
    ] {
        let said = told(&arguments, input);
        for part in parts {
            assert!(said.contains(part), "{arguments:?} {input}: `{part}` is not in\n{said}");
        }
    }
    let said = told(&["file", "--lang", "zh"], "{}");
    assert!(said.contains("错误") && said.contains("kuaimai"), "{said}");
}
