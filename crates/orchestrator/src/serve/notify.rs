//! Tells the service manager how the program does: a datagram to the socket that it names, as `sd_notify` does.

use std::time::Duration;

use crate::environment::Environment;

/// The way to the service manager, if there is one.
#[derive(Debug)]
pub(crate) struct Manager {
    #[cfg(unix)]
    socket: Option<(std::os::unix::net::UnixDatagram, std::os::unix::net::SocketAddr)>,
    /// How often it wants to hear that the program lives.
    pub(crate) watchdog: Option<Duration>,
}

impl Manager {
    /// The one that started this process.
    pub(crate) fn of(environment: &Environment) -> Self {
        let is_own = environment.variable("WATCHDOG_PID").is_none_or(|pid| pid == std::process::id().to_string());
        let micros = environment.variable("WATCHDOG_USEC").filter(|_| is_own).and_then(|text| text.parse().ok());
        Self {
            #[cfg(unix)]
            socket: environment.variable("NOTIFY_SOCKET").and_then(|name| open(&name)),
            // Twice as often as it asks for, so that a busy moment is no death.
            watchdog: micros.map(|micros: u64| Duration::from_micros(micros / 2)).filter(|every| !every.is_zero()),
        }
    }

    /// Says one thing, such as `READY=1`. Nobody can be told if it is not heard.
    #[cfg(unix)]
    pub(crate) fn tell(&self, what: &str) {
        if let Some((socket, address)) = &self.socket {
            let _ = socket.send_to_addr(what.as_bytes(), address);
        }
    }

    /// Says nothing: there is no such thing here.
    #[cfg(not(unix))]
    pub(crate) fn tell(&self, _: &str) {}
}

/// A socket in the file system, or one without a file: `@name`.
#[cfg(unix)]
fn open(name: &str) -> Option<(std::os::unix::net::UnixDatagram, std::os::unix::net::SocketAddr)> {
    use std::os::unix::net::{SocketAddr, UnixDatagram};
    let address = match name.strip_prefix('@') {
        None => SocketAddr::from_pathname(name).ok()?,
        #[cfg(target_os = "linux")]
        Some(name) => <SocketAddr as std::os::linux::net::SocketAddrExt>::from_abstract_name(name).ok()?,
        #[cfg(not(target_os = "linux"))]
        Some(_) => return None,
    };
    Some((UnixDatagram::unbound().ok()?, address))
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn the_manager_is_told_at_the_socket_that_it_names() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let socket = std::os::unix::net::UnixDatagram::bind(&path).unwrap();
        let name = path.display().to_string();
        let own = std::process::id().to_string();
        let manager = Manager::of(&Environment::of(&[
            ("NOTIFY_SOCKET", &name),
            ("WATCHDOG_USEC", "30000000"),
            ("WATCHDOG_PID", &own),
        ]));
        assert_eq!(manager.watchdog, Some(Duration::from_secs(15)));
        manager.tell("READY=1");
        let mut heard = [0; 20];
        let n = socket.recv(&mut heard).unwrap();
        assert_eq!(&heard[..n], b"READY=1");
        let alone = Manager::of(&Environment::of(&[("WATCHDOG_USEC", "30000000"), ("WATCHDOG_PID", "1")]));
        assert_eq!(alone.watchdog, None);
        alone.tell("READY=1");
    }
}
