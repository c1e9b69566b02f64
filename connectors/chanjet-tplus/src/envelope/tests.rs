//! Every envelope, and what is read out of it.

use milkrun_core::ErrorKind;

use super::*;

/// `shape: payload`, or `shape! code: message [hint] (trace)`.
fn opened(body: &str) -> String {
    match open(body) {
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::Malformed, "{body}");
            "malformed".to_owned()
        }
        Ok(Envelope { shape, content: Ok(json) }) => format!("{shape:?}: {json}"),
        Ok(Envelope { shape, content: Err(failure) }) => {
            let Failure { code, message, hint, trace } = failure;
            let hint = hint.map(|hint| format!(" [{hint}]")).unwrap_or_default();
            let trace = trace.map(|trace| format!(" ({trace})")).unwrap_or_default();
            format!("{shape:?}! {}: {message}{hint}{trace}", code.as_deref().unwrap_or("-"))
        }
    }
}

#[test]
fn every_envelope_is_told_apart() {
    let cases = [
        "[]",
        " [{\"ID\":1}]\n",
        "\"1999234567890123456\"",
        "1999234567890123456",
        "null",
        // A: the token service.
        r#"{"code":"200","message":"成功","result":{"access_token":"t"}}"#,
        r#"{"code":200,"message":"成功","result":{"access_token":"t"}}"#,
        r#"{"code":"14002","message":"refresh token used","result":null}"#,
        r#"{"code":"200","message":"","result":false}"#,
        // B: the self-built application.
        r#"{"result":true,"value":{"accessToken":"t"},"error":null}"#,
        r#"{"result":false,"value":null,"error":{"code":"4001","msg":"bad ticket","hint":"resend"},"traceId":"7"}"#,
        r#"{"result":false,"value":null,"error":"bad ticket"}"#,
        r#"{"result":true,"value":null,"error":{"code":"1","msg":"both"}}"#,
        // B': only the boolean false means failure.
        r#"{"result":[{"ID":1}]}"#,
        r#"{"result":{"Data":[]}}"#,
        r#"{"result":"[{\"ID\":1}]"}"#,
        r#"{"result":"false"}"#,
        r#"{"result":0}"#,
        r#"{"result":[],"error":null}"#,
        r#"{"result":false,"message":"no"}"#,
        r#"{"result":true,"access_token":"t","sid":"s"}"#,
        r#"{"result":null}"#,
        // C and the plain error.
        r#"{"code":"0","message":"","data":{"ID":1}}"#,
        r#"{"code":0,"data":null}"#,
        r#"{"code":"200","message":"ok"}"#,
        r#"{"code":null,"message":null,"data":{"ID":1}}"#,
        r#"{"code":null,"message":"?","data":null}"#,
        r#"{"code":"","message":"?"}"#,
        r#"{"code":"EXSV0011","message":"服务调用异常","data":null}"#,
        r#"{"code":"999","message":"refused"}"#,
        r#"{"code":50112,"msg":"quota","traceId":"8"}"#,
        // The error alone.
        r#"{"error":"too many requests"}"#,
        r#"{"error":{"code":"1","msg":"m"}}"#,
        // Any other object.
        r#"{"Data":[],"TotalCount":0}"#,
        r#"{"ID":1,"Code":"0101"}"#,
        // No answers.
        "",
        "<html></html>",
        "[1",
        "{\"a\":1}}",
        "nul",
    ];
    insta::assert_snapshot!(cases.map(|body| format!("{:90} {}", body.trim(), opened(body))).join("\n"));
}

#[test]
fn lists_are_found_in_every_envelope() {
    let read = |body: &str| -> Result<(usize, Option<u64>), String> {
        let list = list(&Arc::new(body.to_owned())).map_err(|error| error.message().to_owned())?;
        for record in &list.records {
            assert!(record.place_in(&list.body).is_some(), "{body}");
        }
        Ok((list.records.len(), list.total))
    };
    for (body, n, total) in [
        ("[]", 0, None),
        ("[{\"ID\":1},{\"ID\":2}]", 2, None),
        (r#"{"Data":[{"ID":1}]}"#, 1, None),
        (r#"{"Data":[{"ID":1}],"TotalCount":"7"}"#, 1, Some(7)),
        (r#"{"Data":null,"TotalCount":0}"#, 0, Some(0)),
        (r#"{"result":[{"ID":1}]}"#, 1, None),
        (r#"{"result":{"Data":[{"ID":1}],"TotalCount":1}}"#, 1, Some(1)),
        (r#"{"result":"[{\"ID\":1,\"Name\":\"\\u4ed3\"}]"}"#, 1, None),
        (r#"{"result":"{\"Data\":[{\"ID\":1}],\"TotalCount\":1}"}"#, 1, Some(1)),
        (r#"{"code":"0","message":"","data":[{"ID":1}]}"#, 1, None),
        (r#"{"code":"0","data":{"Data":[],"TotalCount":3}}"#, 0, Some(3)),
        (r#"{"result":true,"value":[{"ID":1}],"error":null}"#, 1, None),
        (r#"[{"A":1,"TotalCount":2},{"A":2,"TotalCount":"2"}]"#, 2, Some(2)),
        (r#"[{"A":1,"TotalCount":2},{"A":2,"TotalCount":3}]"#, 2, None),
    ] {
        assert_eq!(read(body), Ok((n, total)), "{body}");
    }
    let refused = [
        "null",
        "\"服务器忙\"",
        "17",
        "{}",
        "[1]",
        r#"{"Data":null}"#,
        r#"{"TotalCount":0}"#,
        r#"{"Data":null,"TotalCount":2}"#,
        r#"{"Data":[],"TotalCount":-1}"#,
        r#"{"result":null}"#,
        r#"{"result":"done"}"#,
        r#"{"result":true}"#,
        r#"{"code":"0","data":null}"#,
        r#"{"code":"999","message":"no","data":[]}"#,
        r#"{"ID":1}"#,
        r#"[{"A":1,"TotalCount":"many"}]"#,
    ];
    let reasons = refused.map(|body| format!("{body:50} {}", read(body).unwrap_err()));
    insta::assert_snapshot!(reasons.join("\n"));
}

#[test]
fn rows_by_position_become_objects() {
    let asked = vec!["SaleDelivery.ID".to_owned(), "SaleDelivery.Code".to_owned()];
    let body = r#"{"code":"0","message":"","data":{"Columns":["SaleDelivery.ID","a\"b"],
        "Rows":[[1999234567890123456,"1"],["2", 12.0000 ]],"TotalPageNum":3,"TotalCount":"5"}}"#;
    let read = table(body, &asked).unwrap();
    let rows = [r#"{"SaleDelivery.ID":1999234567890123456,"a\"b":"1"}"#, r#"{"SaleDelivery.ID":"2","a\"b":12.0000}"#];
    assert_eq!((read.rows, read.total, read.n_pages), (rows.map(String::from).to_vec(), Some(5), Some(3)));
    let unnamed = table(r#"{"code":"200","data":{"Rows":[[1,2]]}}"#, &asked).unwrap();
    assert_eq!(unnamed.rows, [r#"{"SaleDelivery.ID":1,"SaleDelivery.Code":2}"#]);
    let bare = table(r#"{"code":"0","data":{"Columns":["Code","ID","Memo"],"Rows":[[2,1,3]]}}"#, &asked).unwrap();
    assert_eq!(bare.rows, [r#"{"SaleDelivery.Code":2,"SaleDelivery.ID":1,"Memo":3}"#]);
    let empty = table(r#"{"code":"0","data":{"Columns":[],"Rows":null,"TotalCount":0}}"#, &asked).unwrap();
    assert!(empty.rows.is_empty());
    for body in [
        "null",
        "[]",
        r#"{"code":"0","data":null}"#,
        r#"{"code":"0","data":{"Columns":["a"]}}"#,
        r#"{"code":"0","data":{"Columns":["a"],"Rows":null}}"#,
        r#"{"code":"0","data":{"Columns":["a"],"Rows":[[1,2]]}}"#,
        r#"{"code":"0","data":{"Columns":[{"Name":"a"}],"Rows":[[1]]}}"#,
        r#"{"code":"0","data":{"Columns":["a"],"Rows":[{"a":1}]}}"#,
    ] {
        assert_eq!(table(body, &asked).unwrap_err().kind(), ErrorKind::Malformed, "{body}");
    }
}

#[test]
fn creates_give_an_id_or_none() {
    for (body, id) in [
        ("null", None),
        ("\"1999234567890123456\"", Some("1999234567890123456")),
        ("1999234567890123456", Some("1999234567890123456")),
        ("\"\"", None),
        (r#"{"code":"0","message":"","data":{"ID":"17","Code":"X"}}"#, Some("17")),
        (r#"{"code":"0","message":"","data":"17"}"#, Some("17")),
        (r#"{"code":"0","message":"","data":null}"#, None),
        (r#"{"code":"0","message":"","data":{}}"#, None),
        (r#"{"ID":17}"#, Some("17")),
        (r#"{"result":true}"#, None),
        (r#"{"result":"{\"ID\":1999234567890123456}"}"#, Some("1999234567890123456")),
        (r#"{"result":true,"value":"17","error":null}"#, Some("17")),
    ] {
        assert_eq!(created(body).unwrap().as_deref(), id, "{body}");
    }
    for body in ["[]", "", r#"{"code":"999","message":"no"}"#] {
        assert_eq!(created(body).unwrap_err().kind(), ErrorKind::Malformed, "{body}");
    }
}

#[test]
fn documents_are_objects() {
    for body in [r#"{"ID":1}"#, r#"{"code":"0","data":{"ID":1}}"#, r#"{"result":"{\"ID\":1}"}"#] {
        assert_eq!(document(body).unwrap(), "{\"ID\":1}", "{body}");
    }
    for body in ["null", "[]", "\"x\"", r#"{"code":"0","data":null}"#] {
        assert_eq!(document(body).unwrap_err().kind(), ErrorKind::Malformed, "{body}");
    }
}
