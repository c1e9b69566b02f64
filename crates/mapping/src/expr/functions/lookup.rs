//! `lookup`: a value from a table that was loaded with the flow.

use super::{Answer, Wrong, wrong};
use crate::expr::kind::Env;
use crate::expr::meter;
use crate::expr::value::Val;
use crate::keys::instead_of;
use crate::tables::Table;

pub(super) fn lookup(env: &Env, _: &Val, [table, key]: &[Val; 2]) -> Answer {
    Ok(find(env, table, key, None)?.unwrap_or_default())
}

pub(super) fn lookup_column(env: &Env, _: &Val, [table, key, column]: &[Val; 3]) -> Answer {
    Ok(find(env, table, key, Some(column))?.unwrap_or_default())
}

pub(super) fn required(env: &Env, _: &Val, [table, key]: &[Val; 2]) -> Answer {
    find(env, table, key, None)?.ok_or_else(|| missed(table, key))
}

pub(super) fn required_column(env: &Env, _: &Val, [table, key, column]: &[Val; 3]) -> Answer {
    find(env, table, key, Some(column))?.ok_or_else(|| missed(table, key))
}

fn missed(table: &Val, key: &Val) -> Wrong {
    Wrong(key.clone(), format!("is not in the table {table}"))
}

/// The value of the first row that fits; `key` is a value of the first column, or an object of column and value.
fn find(env: &Env, table: &Val, key: &Val, column: Option<&Val>) -> Result<Option<Val>, Wrong> {
    let name = table.as_str().ok_or_else(|| wrong(table, "the name of a table"))?;
    let known = env.tables.get(name).ok_or_else(|| {
        let names: Vec<&str> = env.tables.names().collect();
        Wrong(table.clone(), format!("is not a table: {}", instead_of(name, &names)))
    })?;
    let place = |column: &str| {
        let names: Vec<&str> = known.columns().iter().map(String::as_str).collect();
        known.column(column).ok_or_else(|| {
            Wrong(Val::text(column), format!("is not a column of the table `{name}`: {}", instead_of(column, &names)))
        })
    };
    let wanted = match column {
        None => usize::from(known.columns().len() > 1),
        Some(column) => place(column.as_str().ok_or_else(|| wrong(column, "the name of a column"))?)?,
    };
    let (mut where_, mut values) = (Vec::new(), Vec::new());
    match key {
        Val::Obj(obj) => {
            for (column, value) in &obj.fields {
                where_.push(place(column)?);
                values.push(comparable(value)?);
            }
            if where_.is_empty() {
                return Err(Wrong(key.clone(), "names no column to look for".to_owned()));
            }
        }
        key => {
            where_.push(0);
            values.push(comparable(key)?);
        }
    }
    // What is null is found nowhere.
    let values: Option<Vec<String>> = values.into_iter().collect();
    Ok(values.and_then(|values| row(known, &where_, &values, wanted)))
}

fn row(table: &Table, where_: &[usize], values: &[String], wanted: usize) -> Option<Val> {
    let json = table.find(where_, values, wanted)?;
    meter::pay_bytes(json.len());
    Some(super::lists::of_json(json)).filter(|value| !matches!(value, Val::Null))
}

/// The plain text of a value; null gives `None`.
fn comparable(value: &Val) -> Result<Option<String>, Wrong> {
    match value {
        Val::Null => Ok(None),
        value => value.plain().map(|text| Some(text.to_string())).ok_or_else(|| wrong(value, "a plain value")),
    }
}
