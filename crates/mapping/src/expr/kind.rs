//! What an evaluation may see besides its input: the zone and the tables, and nothing of the world outside.

use std::sync::Arc;

use jaq_core::data::HasLut;
use jaq_core::{DataT, Lut};
use jiff::tz::TimeZone;

use super::value::Val;
use crate::tables::Tables;

/// What functions know.
#[derive(Clone, Debug)]
pub(crate) struct Env {
    /// The zone of times without an offset.
    pub(crate) zone: TimeZone,
    /// The tables of `lookup`.
    pub(crate) tables: Arc<Tables>,
}

/// Names the types of an evaluation for jaq.
#[derive(Debug)]
pub(crate) struct Kind;

impl DataT for Kind {
    type V<'a> = Val;
    type Data<'a> = Data<'a>;
}

/// The compiled terms, and what functions know.
#[derive(Clone)]
pub(crate) struct Data<'a> {
    pub(crate) lut: &'a Lut<Kind>,
    pub(crate) env: &'a Env,
}

impl<'a> HasLut<'a, Kind> for Data<'a> {
    fn lut(&self) -> &'a Lut<Kind> {
        self.lut
    }
}
