//! The four ways to a token, at the sandbox.

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{KeyPair as _, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use milkrun_core::{ErrorKind, PushMessage, Result, Secret, connector};
use milkrun_sandbox::chanjet::{OnPremise, Settings};
use milkrun_testkit::conformance::{self, Opened};

use crate::sandbox::{Organisation, settings};

struct Account {
    organisation: Organisation,
    opened: Opened,
}

impl Account {
    async fn open(settings: Settings, account: &str) -> Self {
        let organisation = Organisation::start(settings).await.with_account(account);
        let clock = organisation.clock();
        let opened = conformance::open(connector("chanjet-tplus").unwrap(), &organisation, &clock).unwrap();
        Self { organisation, opened }
    }

    async fn check(&self) -> Result<()> {
        self.opened.source().check(&self.opened.cx).await
    }

    /// Takes what the platform sends by itself.
    async fn take_pushes(&self) {
        let receiver = self.opened.account.pushes.as_ref().unwrap();
        for body in self.organisation.control.pushes() {
            let message = PushMessage { query: String::new(), body };
            let reply = receiver.receive(&self.opened.cx, &message).await.unwrap();
            assert_eq!(reply.body, "{\"result\":\"success\"}");
        }
    }
}

#[tokio::test]
async fn a_code_from_the_browser_serves_once() {
    let account = Account::open(settings(), "redirect_uri = 'https://erp.example.com/callback'").await;
    assert_eq!(account.check().await.unwrap_err().kind(), ErrorKind::TokenDead);
    let cx = &account.opened.cx;
    let login = account.opened.account.login.as_ref().unwrap();
    let vault = cx.transport().unwrap().vault().unwrap();
    let code = Secret::new(settings().codes.remove(0));
    vault.replace(login.redeem(cx, &code)).await.unwrap();
    account.check().await.unwrap();
    // From then on it is renewed.
    account.organisation.control.kill_session();
    account.check().await.unwrap();
    let again = vault.replace(login.redeem(cx, &code)).await.unwrap_err();
    assert_eq!(again.kind(), ErrorKind::TokenDead);
    account.check().await.unwrap();
}

#[tokio::test]
async fn a_store_application_lives_by_what_is_pushed() {
    let Settings { message_secret, user_permanent_code, .. } = settings();
    let account = format!(
        "grant = 'store-app'\nmessage_secret = '{message_secret}'\nuser_auth_permanent_code = '{user_permanent_code}'"
    );
    let account = Account::open(settings(), &account).await;
    assert_eq!(account.check().await.unwrap_err().kind(), ErrorKind::TokenDead, "no ticket yet");
    account.take_pushes().await;
    account.check().await.unwrap();
    account.organisation.control.kill_session();
    account.check().await.unwrap();
    account.take_pushes().await;
    account.organisation.control.kill_session();
    account.check().await.unwrap();
}

#[tokio::test]
async fn a_self_built_application_lives_by_its_ticket() {
    for (secret, self_built_refresh) in [("1234567890abcdef", true), ("00112233445566778899aabbccddeeff", false)] {
        let settings = Settings { message_secret: secret.to_owned(), self_built_refresh, ..settings() };
        let certificate = settings.certificate.clone();
        let account = format!("grant = 'self-built'\nmessage_secret = '{secret}'\ncertificate = '{certificate}'");
        let account = Account::open(settings, &account).await;
        assert_eq!(account.check().await.unwrap_err().kind(), ErrorKind::TokenDead, "no ticket yet");
        account.take_pushes().await;
        account.check().await.unwrap();
        account.organisation.control.kill_session();
        account.check().await.unwrap();
    }
}

#[tokio::test]
async fn on_premise_calls_are_signed() {
    let key = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
    let private: Pkcs8V1Der<'_> = key.as_der().unwrap();
    let public: PublicKeyX509Der<'_> = key.public_key().as_der().unwrap();
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----", STANDARD.encode(private.as_ref()));
    let on_premise = OnPremise {
        public_key: public.as_ref().to_vec(),
        user_name: "张三".to_owned(),
        password: "p-1".to_owned(),
        account: "3".to_owned(),
    };
    let settings = Settings { on_premise: Some(on_premise), ..settings() };
    let account = |password: &str| {
        let who = format!("user_name = '张三'\npassword = '{password}'\naccount_number = '3'");
        format!("edition = 'on-premise'\n{who}\npem = '''{pem}'''")
    };
    let good = Account::open(settings.clone(), &account("p-1")).await;
    good.check().await.unwrap();
    good.organisation.control.kill_session();
    good.check().await.unwrap();
    let error = Account::open(settings, &account("p-2")).await.check().await.unwrap_err();
    assert!(error.help().unwrap().contains("`password`"), "{error:?}");
}

#[tokio::test]
async fn bodies_are_signed_where_a_key_is_set() {
    let settings = Settings { sign_key: Some("sgnKey-0f1e2d3c".to_owned()), ..settings() };
    let tokens = format!("access_token = '{}'", settings.access_token);
    let good = Account::open(settings.clone(), &format!("{tokens}\nsign_key = 'sgnKey-0f1e2d3c'")).await;
    good.check().await.unwrap();
    assert!(Account::open(settings, &tokens).await.check().await.is_err());
}
