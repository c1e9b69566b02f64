//! No secret is in any error, log, note or debug output, whatever a server answers.

use std::io;
use std::sync::{Arc, Mutex};

use milkrun_alerts::{Channel, ChannelKind, Lang, MailServer, Security};
use milkrun_core::state::Verdict::Failed;
use milkrun_core::{Error, Notes as _, Secret};
use milkrun_testkit::http::Reply;
use tracing_subscriber::fmt::MakeWriter;

use crate::mail_server::SmtpServer;
use crate::support::{MINUTE, World, runs, serve};

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

const TOKEN: &str = "t0ken-0123456789";
const SECRET: &str = "SEC-9876543210";
const PASSWORD: &str = "pa55word";

fn everything_of(error: &Error) -> String {
    format!("{error} {error:?} {:?} {:?}", error.help(), error.context())
}

#[tokio::test]
async fn no_secret_shows_itself() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt().with_max_level(tracing_subscriber::filter::LevelFilter::TRACE);
    let guard = tracing::subscriber::set_default(subscriber.with_writer(log.clone()).finish());
    let smtp = SmtpServer::start("an0ther-one").await;
    // Servers that repeat what they were asked for, and one that is not there.
    let echo = serve(|request| {
        // This kind of robot has no secret beside its address.
        let secret = if request.path.contains("plain") { "" } else { SECRET };
        let said = format!("{} {:?} {} {secret}", request.path, request.query, request.body);
        let body = serde_json::json!({ "errcode": 310_000, "errmsg": said }).to_string();
        if request.path.contains("fail") { Reply::new(500, "text/plain", said) } else { Reply::json(body) }
    })
    .await;
    let nobody = serve(|_| Reply::Abort).await.url().to_owned();
    let mut channels = Vec::new();
    for base in [echo.url(), &format!("{}/fail", echo.url()), &nobody, "http://127.0.0.1:1"] {
        let (secret, keyword) = (Some(Secret::new(SECRET)), None);
        let path = || Secret::new(format!("{base}/hook/{TOKEN}"));
        let query = Secret::new(format!("{base}/send?access_token={TOKEN}"));
        channels.extend([
            ChannelKind::DingTalk { webhook: query, secret: secret.clone(), keyword },
            ChannelKind::WeCom { webhook: Secret::new(format!("{base}/plain?key={TOKEN}")) },
            ChannelKind::Feishu { webhook: path(), secret: secret.clone(), keyword: None },
            ChannelKind::Webhook { url: path(), secret },
        ]);
    }
    channels.push(ChannelKind::Mail(Box::new(MailServer {
        host: "127.0.0.1".to_owned(),
        port: Some(smtp.port),
        security: Security::None,
        user: Some("alerts@example.com".to_owned()),
        password: Some(Secret::new(PASSWORD)),
        from: "alerts@example.com".to_owned(),
        to: vec!["ops@example.com".to_owned()],
    })));
    let named = channels.into_iter().enumerate().map(|(i, kind)| {
        let lang = if i % 2 == 0 { Lang::Zh } else { Lang::En };
        Channel { name: format!("c{i}"), lang, kind }
    });
    let world = World::new(|settings| settings.channels.extend(named)).await;
    let mut shown = format!("{:?} {:?}", world.alerts, world.settings);
    let mut n_failed = 0;
    for _ in 0..4 {
        world.alerts.look(&runs(&[Failed])).await.unwrap();
        let delivered = world.alerts.deliver().await.unwrap();
        n_failed += delivered.failed.len();
        shown.extend(delivered.failed.iter().map(|(_, error)| everything_of(error)));
        world.clock.pass(MINUTE);
    }
    for channel in &world.settings.channels {
        shown.push_str(&channel.reaches());
        if let Err(error) = world.alerts.test(&channel.name).await {
            shown.push_str(&everything_of(&error));
        }
    }
    drop(guard);
    for shelf in ["alerts.incidents", "alerts.channels", "alerts.rhythms"] {
        shown.extend(world.notes.notes(shelf).await.unwrap().into_iter().map(|(_, text)| text));
    }
    shown.extend(world.hook.requests().into_iter().map(|request| request.body));
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(n_failed > 16 && log.contains("a message did not arrive") && shown.contains("***"), "{n_failed}");
    // The log has what the HTTP client says at its loudest too.
    assert!(log.contains("TRACE"), "{log}");
    for secret in [TOKEN, SECRET, PASSWORD, "cGE1NXdvcmQ"] {
        for text in [&shown, &log] {
            let at = text.find(secret);
            assert!(
                at.is_none(),
                "{secret}: {}",
                at.map_or("", |at| &text[text.floor_char_boundary(at.saturating_sub(300))..at])
            );
        }
    }
}
