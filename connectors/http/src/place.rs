//! Where in a call a value goes, and a call that is being completed.

use milkrun_core::transport::{Body, Call, Wire};
use milkrun_core::{Error, Result};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::json::{Tree, quoted};
use crate::rules::is_path;

/// Where a value goes: exactly one of the three.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// A header of this name.
    pub header: Option<String>,
    /// A parameter of this name in the address.
    pub query: Option<String>,
    /// A form field of this name, or this path in a JSON body.
    pub body: Option<String>,
}

impl Place {
    /// A header.
    pub(crate) fn header(name: &str) -> Self {
        Self { header: Some(name.to_owned()), ..Self::default() }
    }

    /// Refuses none and several, and names that cannot be.
    ///
    /// # Errors
    /// [`ErrorKind::ConfigInvalid`](milkrun_core::ErrorKind::ConfigInvalid) names the setting.
    pub(crate) fn validate(&self, at: &str) -> Result<()> {
        let all = [&self.header, &self.query, &self.body];
        if all.iter().filter(|place| place.is_some()).count() != 1 {
            return Err(Error::config(format!("`{at}` has to be one of `header`, `query` and `body`")));
        }
        self.header.iter().try_for_each(|name| check_header(at, name))?;
        if self.query.as_ref().is_some_and(String::is_empty) || self.body.as_ref().is_some_and(|path| !is_path(path)) {
            return Err(Error::config(format!("`{at}` has an empty name")));
        }
        Ok(())
    }
}

/// Refuses what is no name of a header.
///
/// # Errors
/// [`ErrorKind::ConfigInvalid`](milkrun_core::ErrorKind::ConfigInvalid) names the setting.
pub(crate) fn check_header(at: &str, name: &str) -> Result<()> {
    let is_name = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
    if name.is_empty() || !name.bytes().all(is_name) {
        return Err(Error::config(format!("`{at}` has a header whose name cannot be one")).with("header", name));
    }
    let own = ["content-type", "content-length", "host"];
    if own.iter().any(|known| name.eq_ignore_ascii_case(known)) {
        return Err(Error::config(format!("`{at}` sets a header that is set by itself")).with("header", name));
    }
    Ok(())
}

/// A call whose parts can still be added to.
#[derive(Clone)]
pub(crate) struct Draft {
    pub(crate) address: String,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) call: Call,
    /// How many parameters the address had as it came.
    n_given: usize,
}

impl Draft {
    /// A call of that address with these parameters.
    pub(crate) fn new(address: String, query: Vec<(String, String)>, call: Call) -> Self {
        Self { address, query, call, n_given: 0 }
    }

    /// Takes a call apart.
    pub(crate) fn of(call: &Call) -> Self {
        let (address, query) = call.url.split_once('?').unwrap_or((&call.url, ""));
        let query: Vec<_> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        Self { address: address.to_owned(), n_given: query.len(), query, call: call.clone() }
    }

    /// Puts a value in its place.
    ///
    /// # Errors
    /// [`ErrorKind::ConfigInvalid`](milkrun_core::ErrorKind::ConfigInvalid) if the call has no such place.
    pub(crate) fn put(&mut self, place: &Place, value: String) -> Result<()> {
        if let Some(name) = &place.header {
            self.call.headers.push((name.to_ascii_lowercase(), value));
        } else if let Some(name) = &place.query {
            self.query.push((name.clone(), value));
        } else if let Some(path) = &place.body {
            match &mut self.call.body {
                Body::Form(fields) => fields.push((path.clone(), value)),
                Body::Json(text) => {
                    let mut tree = Tree::parse(text).map_err(|cause| {
                        Error::config("a value has to go into a body that is no JSON object")
                            .with("path", path)
                            .caused_by(cause)
                    })?;
                    tree.set(path, quoted(&value))?;
                    *text = tree.text();
                }
                Body::Empty => {
                    return Err(
                        Error::config("a value has to go into the body of a call that has none").with("path", path)
                    );
                }
            }
        }
        Ok(())
    }

    /// The parameters of the address and of the form.
    pub(crate) fn parameters(&self) -> Vec<(&str, &str)> {
        let form = if let Body::Form(fields) = &self.call.body { fields.as_slice() } else { &[] };
        self.query.iter().chain(form).map(|(name, value)| (name.as_str(), value.as_str())).collect()
    }

    /// The call with its address put together.
    pub(crate) fn into_call(self) -> Call {
        let Self { address, query, call, n_given } = self;
        if n_given > 0 && query.len() == n_given {
            // A link of the vendor stays as it was written.
            return call;
        }
        let url = if query.is_empty() {
            address
        } else {
            let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(&query).finish();
            format!("{address}?{query}")
        };
        Call { url, ..call }
    }

    /// The call as it goes on the wire.
    pub(crate) fn into_wire(self) -> Wire {
        Wire::plain(&self.into_call())
    }
}
