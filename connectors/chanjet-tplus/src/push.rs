//! Messages that the platform sends by itself: decrypted, and what they bring kept.

use aws_lc_rs::cipher::{AES_128, AES_256, DecryptionContext, PaddedBlockDecryptingKey, UnboundCipherKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use milkrun_core::record::plain_text;
use milkrun_core::{
    Context, Error, ErrorKind, PushMessage, PushReceiver, PushReply, Record, Result, Secret, async_trait,
};

/// The name under which the app ticket is kept.
pub(crate) const APP_TICKET: &str = "app-ticket";
/// The name under which the temporary authorisation code of an organisation is kept, until it is traded in.
pub(crate) const TEMP_AUTH_CODE: &str = "temp-auth-code";

/// Takes the messages of one application.
#[derive(Debug)]
pub(crate) struct Receiver {
    /// What messages are encrypted with.
    secret: Secret,
}

impl Receiver {
    pub(crate) fn new(secret: Secret) -> Self {
        Self { secret }
    }
}

/// Whether that text can be the secret of messages: 16 characters, or 32 hexadecimal digits.
pub(crate) fn is_message_secret(secret: &Secret) -> bool {
    let text = secret.expose();
    text.is_ascii() && !secret.is_unusable() && (text.len() == 16 || (text.len() == 32 && unhex(text).is_some()))
}

/// The keys that a secret may mean, the likeliest first.
///
/// 16 characters are the key. Of 32 hexadecimal digits one SDK makes 16 bytes, and another one takes their 32
/// characters: whichever decrypts a message is right.
fn keys(secret: &Secret) -> Vec<Vec<u8>> {
    let text = secret.expose();
    let mut keys: Vec<Vec<u8>> = if text.len() == 32 { unhex(text).into_iter().collect() } else { Vec::new() };
    keys.push(text.as_bytes().to_vec());
    keys
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |b: u8| char::from(b).to_digit(16).and_then(|n| u8::try_from(n).ok());
    text.as_bytes().chunks(2).map(|pair| Some(digit(pair[0])? << 4 | digit(*pair.get(1)?)?)).collect()
}

/// Decrypts AES in ECB mode with PKCS5 padding; `None` if the key or the padding does not fit.
fn decrypt(key: &[u8], bytes: &[u8]) -> Option<String> {
    let algorithm = match key.len() {
        16 => &AES_128,
        32 => &AES_256,
        _ => return None,
    };
    let key = PaddedBlockDecryptingKey::ecb_pkcs7(UnboundCipherKey::new(algorithm, key).ok()?).ok()?;
    let mut bytes = bytes.to_vec();
    let plain = key.decrypt(&mut bytes, DecryptionContext::None).ok()?;
    String::from_utf8(plain.to_vec()).ok()
}

/// The message inside an encrypted one.
///
/// # Errors
/// [`ErrorKind::Refused`] if no key fits.
fn open(secret: &Secret, encrypted: &str) -> Result<Record> {
    let foreign = || Error::new(ErrorKind::Refused, "the message cannot be decrypted");
    let bytes = STANDARD.decode(encrypted.trim()).map_err(|_| foreign())?;
    keys(secret)
        .iter()
        .filter_map(|key| decrypt(key, &bytes))
        .find_map(|text| Record::parse(text).ok())
        .ok_or_else(|| foreign().advise("compare `message_secret` with the one of the application at the platform"))
}

/// The answer that the platform takes for "received".
const RECEIVED: &str = r#"{"result":"success"}"#;

#[async_trait]
impl PushReceiver for Receiver {
    async fn receive(&self, cx: &Context, message: &PushMessage) -> Result<PushReply> {
        let refused = |what| Error::new(ErrorKind::Refused, what);
        let outer = Record::parse(message.body.trim()).map_err(|_| refused("the message is no JSON object"))?;
        let encrypted = outer.get("encryptMsg").and_then(plain_text);
        let encrypted = encrypted.ok_or_else(|| refused("the message has no `encryptMsg`"))?;
        let inner = open(&self.secret, &encrypted)?;
        let kind = inner.get("msgType").and_then(plain_text).unwrap_or_default().into_owned();
        let (path, name) = match kind.as_str() {
            "APP_TICKET" => ("appTicket", APP_TICKET),
            "TEMP_AUTH_CODE" => ("tempAuthCode", TEMP_AUTH_CODE),
            // Other messages bring nothing to keep; unanswered, they would come again and again.
            _ => return Ok(PushReply { body: RECEIVED.to_owned(), kind }),
        };
        let value = content(&inner, path).ok_or_else(|| refused("the message lacks what its kind brings"))?;
        cx.keep(name, &value).await?;
        Ok(PushReply { body: RECEIVED.to_owned(), kind })
    }
}

/// A field of `bizContent`, which is an object or its JSON text.
fn content(message: &Record, name: &str) -> Option<Secret> {
    let json = message.get("bizContent")?;
    let text = if json.starts_with('"') { plain_text(json)?.into_owned() } else { json.to_owned() };
    let content = Record::parse(text.trim()).ok()?;
    let value = plain_text(content.get(name)?)?.trim().to_owned();
    (!value.is_empty()).then(|| Secret::new(value))
}

#[cfg(test)]
pub(crate) mod tests {
    use aws_lc_rs::cipher::PaddedBlockEncryptingKey;
    use milkrun_testkit::http::Reply;

    use super::*;
    use crate::fixture::Stage;

    const KEY: &str = "1234567890abcdef";

    /// What the platform sends.
    pub(crate) fn encrypted(key: &[u8], text: &str) -> PushMessage {
        let algorithm = if key.len() == 16 { &AES_128 } else { &AES_256 };
        let key = PaddedBlockEncryptingKey::ecb_pkcs7(UnboundCipherKey::new(algorithm, key).unwrap()).unwrap();
        let mut bytes = text.as_bytes().to_vec();
        key.encrypt(&mut bytes).unwrap();
        let body = format!("{{\"encryptMsg\": \"{}\"}}", STANDARD.encode(bytes));
        PushMessage { query: String::new(), body }
    }

    #[test]
    fn decrypts_as_the_check_value_says() {
        let bytes = STANDARD.decode("aQVDx9KX3a1Lf3xsdTOPdALexWUsAhX5OvafAJ8PbVg=").unwrap();
        assert_eq!(decrypt(KEY.as_bytes(), &bytes).as_deref(), Some("0123456789abcdef"));
        assert_eq!(decrypt(b"1234567890abcdeF", &bytes), None);
        assert_eq!(decrypt(KEY.as_bytes(), &bytes[..20]), None);
        assert_eq!(decrypt(b"short", &bytes), None);
    }

    #[test]
    fn both_meanings_of_32_digits_are_tried() {
        let hex = "00112233445566778899aabbccddeeff";
        let secret = Secret::new(hex);
        assert!(is_message_secret(&secret) && is_message_secret(&Secret::new(KEY)));
        for key in [unhex(hex).unwrap(), hex.as_bytes().to_vec()] {
            let message = encrypted(&key, "{\"msgType\":\"X\"}");
            let outer = Record::parse(message.body).unwrap();
            let inner = open(&secret, &plain_text(outer.get("encryptMsg").unwrap()).unwrap()).unwrap();
            assert_eq!(inner.text(), "{\"msgType\":\"X\"}");
        }
        for bad in
            ["", "short", "123456789012345\n", "zz112233445566778899aabbccddeeff", "密密密密密密密密密密密密密密密密"]
        {
            assert!(!is_message_secret(&Secret::new(bad)), "{bad}");
        }
    }

    #[tokio::test]
    async fn tickets_and_codes_are_kept_and_the_rest_is_answered() {
        let stage = Stage::start("grant = 'store-app'", |_| Reply::json("null")).await;
        let receiver = Receiver::new(Secret::new(KEY));
        let send = async |text: &str| receiver.receive(&stage.cx, &encrypted(KEY.as_bytes(), text)).await;
        for _ in 0..2 {
            let reply = send(r#"{"msgType":"APP_TICKET","bizContent":{"appTicket":"t-1"},"time":1}"#).await.unwrap();
            assert_eq!((reply.body.as_str(), reply.kind.as_str()), (RECEIVED, "APP_TICKET"));
        }
        send(r#"{"msgType":"TEMP_AUTH_CODE","bizContent":"{\"tempAuthCode\":\"c-1\",\"state\":\"\"}"}"#).await.unwrap();
        assert_eq!(send(r#"{"msgType":"PAY_ORDER_SUCCESS","bizContent":{}}"#).await.unwrap().kind, "PAY_ORDER_SUCCESS");
        assert_eq!(stage.cx.kept(APP_TICKET).await.unwrap(), Some(Secret::new("t-1")));
        assert_eq!(stage.cx.kept(TEMP_AUTH_CODE).await.unwrap(), Some(Secret::new("c-1")));
        assert_eq!(send(r#"{"msgType":"APP_TICKET","bizContent":{}}"#).await.unwrap_err().kind(), ErrorKind::Refused);
        let foreign = encrypted(b"another-16-bytes", r#"{"msgType":"APP_TICKET","bizContent":{"appTicket":"t-2"}}"#);
        for message in [foreign, PushMessage { query: String::new(), body: "{}".into() }] {
            assert_eq!(receiver.receive(&stage.cx, &message).await.unwrap_err().kind(), ErrorKind::Refused);
        }
        assert_eq!(stage.cx.kept(APP_TICKET).await.unwrap(), Some(Secret::new("t-1")));
    }
}
