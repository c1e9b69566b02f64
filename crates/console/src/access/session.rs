//! Sessions: random ids of which only the hash is kept, with an end.

use std::sync::Arc;

use milkrun_core::notes::Notes;
use milkrun_core::{Clock, Result, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Access, hex, random, same, sha256};
use crate::desk::Role;

/// The shelf of the notes that has the sessions, by the hash of their ids.
pub const SESSION_SHELF: &str = "console.sessions";

/// A session ends when nobody has used it for so many seconds: twelve hours.
const IDLE_SECS: i64 = 12 * 3600;
/// And after so many seconds in any case: seven days.
const LONGEST_SECS: i64 = 7 * 24 * 3600;
/// Its use is written down at most once in so many seconds.
const NOTED_EVERY_SECS: i64 = 60;
/// Sessions of one person at a time; the oldest end.
const MOST: usize = 50;

/// How somebody proved who they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Proof {
    Password,
    Token,
}

/// A session as it is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Kept {
    user: String,
    proof: Proof,
    /// Names the password or token that opened it: with another one, it is void.
    opened_with: String,
    began: Timestamp,
    seen: Timestamp,
}

/// Somebody who is signed in.
#[derive(Clone, Debug)]
pub(crate) struct Who {
    pub(crate) user: String,
    pub(crate) role: Role,
}

/// All sessions.
#[derive(Debug)]
pub(crate) struct Sessions {
    notes: Arc<dyn Notes>,
    clock: Arc<dyn Clock>,
}

impl Kept {
    fn is_over(&self, now: Timestamp) -> bool {
        let since = |then: Timestamp| now.duration_since(then).as_secs();
        since(self.seen) >= IDLE_SECS || since(self.began) >= LONGEST_SECS
    }

    /// Who it is, with the role they have today.
    fn who(&self, access: &Access) -> Option<Who> {
        let (role, opened_with) = match self.proof {
            Proof::Password => access.user(&self.user).map(|user| (user.role, user.password.fingerprint())),
            Proof::Token => access.token_named(&self.user).map(|token| (token.role, token.fingerprint())),
        }?;
        same(&opened_with, &self.opened_with).then(|| Who { user: self.user.clone(), role })
    }
}

/// The name under which a session is kept.
fn name(id: &str) -> String {
    hex(&sha256(id.as_bytes()))
}

/// The token that changing requests of a session have to carry; the id cannot be found out from it.
pub(crate) fn csrf(id: &str) -> String {
    hex(&sha256(format!("csrf:{id}").as_bytes()))
}

impl Sessions {
    pub(crate) fn new(notes: Arc<dyn Notes>, clock: Arc<dyn Clock>) -> Self {
        Self { notes, clock }
    }

    /// Opens a session and returns its id, which nobody has seen before.
    pub(crate) async fn open(&self, user: &str, proof: Proof, opened_with: String) -> Result<String> {
        let now = self.clock.now();
        let mut changes = Vec::new();
        let mut own = Vec::new();
        for (name, text) in self.notes.notes(SESSION_SHELF).await? {
            match serde_json::from_str::<Kept>(&text) {
                Ok(kept) if kept.is_over(now) => changes.push((name, None)),
                Ok(kept) if kept.user == user && kept.proof == proof => own.push((kept.seen, name)),
                Ok(_) => {}
                Err(_) => changes.push((name, None)),
            }
        }
        own.sort();
        let n_surplus = (own.len() + 1).saturating_sub(MOST);
        changes.extend(own.into_iter().take(n_surplus).map(|(_, name)| (name, None)));
        let id = random();
        let kept = Kept { user: user.to_owned(), proof, opened_with, began: now, seen: now };
        changes.push((name(&id), Some(text(&kept))));
        self.notes.put_notes(SESSION_SHELF, changes).await?;
        Ok(id)
    }

    /// Who has the session of that id, if it has not ended.
    pub(crate) async fn who(&self, access: &Access, id: &str) -> Result<Option<Who>> {
        let name = name(id);
        let Some(kept) = self.notes.note(SESSION_SHELF, &name).await? else { return Ok(None) };
        let Ok(mut kept) = serde_json::from_str::<Kept>(&kept) else { return Ok(None) };
        let now = self.clock.now();
        let who = if kept.is_over(now) { None } else { kept.who(access) };
        if who.is_none() {
            self.notes.put_notes(SESSION_SHELF, vec![(name, None)]).await?;
        } else if now.duration_since(kept.seen).as_secs() >= NOTED_EVERY_SECS {
            kept.seen = now;
            self.notes.put_notes(SESSION_SHELF, vec![(name, Some(text(&kept)))]).await?;
        }
        Ok(who)
    }

    /// Whether the session is still good, without counting as a use of it.
    pub(crate) async fn is_good(&self, access: &Access, id: &str) -> Result<bool> {
        let Some(kept) = self.notes.note(SESSION_SHELF, &name(id)).await? else { return Ok(false) };
        let Ok(kept) = serde_json::from_str::<Kept>(&kept) else { return Ok(false) };
        Ok(!kept.is_over(self.clock.now()) && kept.who(access).is_some())
    }

    /// Ends a session.
    pub(crate) async fn close(&self, id: &str) -> Result<()> {
        self.notes.put_notes(SESSION_SHELF, vec![(name(id), None)]).await
    }
}

fn text(kept: &Kept) -> String {
    serde_json::to_string(kept).expect("plain data can be written")
}
