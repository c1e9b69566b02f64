//! Tokens and secrets, sealed, and who may renew a token.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use milkrun_core::token::{Begin, StoredToken, Token};
use milkrun_core::{Error, ErrorKind, Secret};
use rusqlite::{Connection, OptionalExtension, params};

use crate::codec::{Written, from_id, id};
use crate::fault::Work;
use crate::key::MasterKey;
use crate::seal::{check_key, open, seal};
use crate::worker::Workers;

/// The key, or what to do without one.
pub(crate) fn require(key: Option<&MasterKey>) -> Work<&MasterKey> {
    key.ok_or_else(|| {
        Error::config("tokens and secrets are sealed, and no master key is set")
            .advise("give the key by the environment or as a key file; `milkrun init` makes one")
            .into()
    })
}

/// What a token is sealed under: it opens for no other account and no other generation.
fn token_name(account: &str, generation: i64) -> String {
    format!("token\0{generation}\0{account}")
}

fn secret_name(name: &str) -> String {
    format!("secret\0{name}")
}

pub(crate) fn load_token(conn: &Connection, key: Option<&MasterKey>, account: &str) -> Work<Option<StoredToken>> {
    let row: Option<(i64, String, Vec<u8>)> = conn
        .prepare_cached("SELECT generation, key_id, sealed FROM token WHERE account = ?1 AND sealed IS NOT NULL")?
        .query_row([account], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    let Some((generation, key_id, sealed)) = row else { return Ok(None) };
    let text = open(require(key)?, &key_id, &token_name(account, generation), &sealed)?;
    Ok(Some(StoredToken { generation: from_id(generation), token: Token::from_exposed(text.expose())? }))
}

/// A token's row but for the token.
struct Renewal {
    generation: i64,
    key_id: Option<String>,
    has_token: bool,
    fence: i64,
    worker: Option<String>,
    until: Option<Timestamp>,
    intent: bool,
}

fn renewal(conn: &Connection, account: &str) -> Work<Option<Renewal>> {
    let row = conn
        .prepare_cached(
            "SELECT generation, key_id, sealed IS NOT NULL, fence, worker, until, intent FROM token WHERE account = ?1",
        )?
        .query_row([account], |row| {
            Ok(Renewal {
                generation: row.get(0)?,
                key_id: row.get(1)?,
                has_token: row.get(2)?,
                fence: row.get(3)?,
                worker: row.get(4)?,
                until: row.get::<_, Option<Written<_>>>(5)?.map(|Written(until)| until),
                intent: row.get(6)?,
            })
        });
    Ok(row.optional()?)
}

pub(crate) fn begin_renewal(
    conn: &Connection,
    key: Option<&MasterKey>,
    workers: &Workers,
    account: &str,
    generation: u64,
    now: Timestamp,
    lasts: Duration,
) -> Work<Begin> {
    // A new token that cannot be sealed would be lost: find out before the vendor is asked.
    let key = require(key)?;
    conn.prepare_cached("INSERT INTO token(account) VALUES(?1) ON CONFLICT DO NOTHING")?.execute([account])?;
    let row = renewal(conn, account)?.expect("the row was inserted");
    if let Some(key_id) = &row.key_id {
        check_key(key, key_id)?;
    }
    let current = if row.has_token { from_id(row.generation) } else { 0 };
    if current != generation {
        return Ok(Begin::Moved);
    }
    if let Some(worker) = &row.worker
        && row.until.is_some_and(|until| now < until)
        && workers.is_alive(worker)?
    {
        return Ok(Begin::Busy);
    }
    let until = SignedDuration::try_from(lasts).ok().and_then(|lasts| now.checked_add(lasts).ok());
    let until = until.unwrap_or(Timestamp::MAX);
    conn.prepare_cached("UPDATE token SET fence = ?2, worker = ?3, until = ?4, intent = 1 WHERE account = ?1")?
        .execute(params![account, row.fence + 1, workers.own(), until.to_string()])?;
    Ok(Begin::Started { fence: from_id(row.fence + 1), unfinished: row.intent })
}

pub(crate) fn finish_renewal(
    conn: &Connection,
    key: Option<&MasterKey>,
    worker: &str,
    account: &str,
    fence: u64,
    token: &Token,
) -> Work<u64> {
    let key = require(key)?;
    let held = |row: &Renewal| row.fence == id(fence) && row.worker.as_deref() == Some(worker);
    let Some(row) = renewal(conn, account)?.filter(held) else {
        let error = Error::new(ErrorKind::Busy, "the right to renew the token was lost to another worker");
        return Err(error.with("account", account).into());
    };
    let generation = row.generation + 1;
    let sealed = seal(key, &token_name(account, generation), &Secret::new(token.expose()))?;
    conn.prepare_cached(
        "UPDATE token SET generation = ?2, key_id = ?3, sealed = ?4, worker = NULL, until = NULL, intent = 0, \
         since = ?5, expires = ?6, dead = NULL WHERE account = ?1",
    )?
    .execute(params![
        account,
        generation,
        key.id(),
        sealed,
        token.obtained_at.to_string(),
        token.expires_at.map(|at| at.to_string())
    ])?;
    Ok(from_id(generation))
}

pub(crate) fn abandon_renewal(conn: &Connection, worker: &str, account: &str, fence: u64, unknown: bool) -> Work<()> {
    conn.prepare_cached(
        "UPDATE token SET worker = NULL, until = NULL, intent = ?4 WHERE account = ?1 AND fence = ?2 AND worker = ?3",
    )?
    .execute(params![account, id(fence), worker, unknown])?;
    Ok(())
}

/// Forgets the token; its generation goes on, so that nobody takes the next one for it.
pub(crate) fn forget_token(conn: &Connection, account: &str) -> Work<bool> {
    let n_rows = conn.execute(
        "UPDATE token SET sealed = NULL, key_id = NULL, intent = 0, since = NULL, expires = NULL, dead = NULL \
         WHERE account = ?1 AND sealed IS NOT NULL",
        [account],
    )?;
    Ok(n_rows > 0)
}

pub(crate) fn put_secret(conn: &Connection, key: Option<&MasterKey>, name: &str, text: &Secret) -> Work<()> {
    let key = require(key)?;
    let other: Option<String> = conn
        .prepare_cached("SELECT key_id FROM secret WHERE key_id <> ?1 AND name <> ?2 LIMIT 1")?
        .query_row([key.id(), name], |row| row.get(0))
        .optional()?;
    if let Some(key_id) = other {
        check_key(key, &key_id)?;
    }
    let sealed = seal(key, &secret_name(name), text)?;
    conn.prepare_cached(
        "INSERT INTO secret VALUES(?1, ?2, ?3) \
         ON CONFLICT DO UPDATE SET key_id = excluded.key_id, sealed = excluded.sealed",
    )?
    .execute(params![name, key.id(), sealed])?;
    Ok(())
}

pub(crate) fn get_secret(conn: &Connection, key: Option<&MasterKey>, name: &str) -> Work<Option<Secret>> {
    let row: Option<(String, Vec<u8>)> = conn
        .prepare_cached("SELECT key_id, sealed FROM secret WHERE name = ?1")?
        .query_row([name], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((key_id, sealed)) = row else { return Ok(None) };
    let secret = open(require(key)?, &key_id, &secret_name(name), &sealed).map_err(|e| e.with("secret", name))?;
    Ok(Some(secret))
}

pub(crate) fn list_secrets(conn: &Connection) -> Work<Vec<String>> {
    let mut statement = conn.prepare_cached("SELECT name FROM secret ORDER BY name")?;
    let names = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    Ok(names)
}

pub(crate) fn remove_secret(conn: &Connection, name: &str) -> Work<bool> {
    Ok(conn.execute("DELETE FROM secret WHERE name = ?1", [name])? > 0)
}
