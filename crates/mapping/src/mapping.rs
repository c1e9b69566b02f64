//! The public face: a compiled mapping and the options it is compiled with.

use std::ops::Range;
use std::sync::Arc;

use jiff::tz::TimeZone;
use milkrun_core::FieldSpec;
use milkrun_core::diagnostic::Diagnostic;
use milkrun_core::stream::Unit;
use toml::de::DeTable;
use xxhash_rust::xxh3::{Xxh3, xxh3_64};

use crate::checks::Checks;
use crate::compile::{Compiled, Compiler};
use crate::expr::kind::Env;
use crate::filter::Condition;
use crate::identity::{IdRule, Identity};
use crate::layout::Wanted;
use crate::rule::{Body, Source};
use crate::tables::Tables;

/// Raised when the same rules begin to write other documents, so that their version changes too.
const EDITION: u32 = 1;

/// What is known about the stream whose records are mapped.
#[derive(Clone, Debug)]
pub struct Options<'a> {
    /// The zone of times without an offset, and of times written unless a rule says otherwise.
    pub zone: TimeZone,
    /// Units and special values of the stream's fields.
    pub units: &'a [Unit],
    /// The tables that expressions may look values up in.
    pub tables: Arc<Tables>,
    /// What the target asks of its documents.
    pub fields: &'a [FieldSpec],
    /// Where the records come from, so that an id can be made for those that have none.
    pub identity: Option<Identity>,
}

/// Asia/Shanghai, nothing known about units, and no tables, nothing asked.
impl Default for Options<'_> {
    fn default() -> Self {
        let zone = TimeZone::get("Asia/Shanghai").expect("the zone database is built in");
        Self { zone, units: &[], tables: Arc::default(), fields: &[], identity: None }
    }
}

/// The rules that turn a record into documents, compiled once and shared by all threads.
#[derive(Debug)]
pub struct Mapping {
    pub(crate) body: Body,
    pub(crate) filter: Option<Condition>,
    /// Whether the filter has to wait for the exploded element.
    pub(crate) filter_needs_element: bool,
    pub(crate) explode: Option<Source>,
    /// The names the rules ask for: 0 the record, 1 the exploded element if there is one, then each `each`.
    pub(crate) scopes: Vec<Wanted>,
    /// What expressions know besides the record; `None` if there are none.
    pub(crate) env: Option<Env>,
    pub(crate) checks: Checks,
    pub(crate) id: Option<IdRule>,
    warnings: Vec<Diagnostic>,
    version: u64,
}

impl Mapping {
    /// The mapping that gives every record as it came, byte for byte.
    pub fn identity() -> Self {
        Self {
            body: Body::AsCame,
            filter: None,
            filter_needs_element: false,
            explode: None,
            scopes: vec![Wanted::default()],
            env: None,
            checks: Checks::default(),
            id: None,
            warnings: Vec::new(),
            version: xxh3_64(b"identity"),
        }
    }

    /// Compiles the `[mapping]` table of a flow file.
    ///
    /// # Errors
    /// All mistakes at once, in the order of the text; their spans are bytes of the text that the table was parsed from.
    pub fn compile(table: &DeTable<'_>, options: &Options<'_>) -> Result<Self, Vec<Diagnostic>> {
        let mut compiler = Compiler::new(options);
        let compiled = compiler.mapping(table);
        let in_order = |d: &Diagnostic| (d.span.start, d.span.end);
        let (mut mistakes, mut warnings) = (compiler.mistakes.0, compiler.warnings.0);
        mistakes.sort_by_key(in_order);
        warnings.sort_by_key(in_order);
        let Some(Compiled { body, filter, explode, checks, id }) = compiled.filter(|_| mistakes.is_empty()) else {
            debug_assert!(!mistakes.is_empty(), "a mapping is refused only with a reason");
            return Err(mistakes);
        };
        if matches!(body, Body::AsCame) && filter.is_none() && explode.is_none() && id.is_none() {
            return Ok(Self { checks, warnings, ..Self::identity() });
        }
        let mut rules = format!("{EDITION} {} ", zone_name(&options.zone));
        crate::reader::canonical_without(table, "checks", &mut rules);
        rules.push_str(&compiler.implied);
        let mut version = Xxh3::new();
        version.update(rules.as_bytes());
        let env = compiler.has_expressions.then(|| {
            options.tables.feed(&mut version);
            Env { zone: options.zone.clone(), tables: Arc::clone(&options.tables) }
        });
        let version = version.digest();
        let filter_needs_element = filter.as_ref().is_some_and(Condition::needs_element);
        Ok(Self {
            body,
            filter,
            filter_needs_element,
            explode,
            scopes: compiler.scopes,
            env,
            checks,
            id,
            warnings,
            version,
        })
    }

    /// Compiles a text whose root is the mapping table, with the default options.
    ///
    /// # Errors
    /// All mistakes at once, those of TOML's own grammar too.
    pub fn compile_str(text: &str) -> Result<Self, Vec<Diagnostic>> {
        Self::compile_str_with(text, &Options::default())
    }

    /// Compiles a text whose root is the mapping table.
    ///
    /// # Errors
    /// All mistakes at once, those of TOML's own grammar too.
    pub fn compile_str_with(text: &str, options: &Options<'_>) -> Result<Self, Vec<Diagnostic>> {
        let (table, errors) = DeTable::parse_recoverable(text);
        if errors.is_empty() {
            return Self::compile(table.get_ref(), options);
        }
        let span = |e: &toml::de::Error| -> Range<usize> { e.span().unwrap_or(0..text.len()) };
        Err(errors.iter().map(|e| Diagnostic::new(span(e), e.message())).collect())
    }

    /// What is allowed and most likely not meant, in the order of the text.
    pub fn warnings(&self) -> &[Diagnostic] {
        &self.warnings
    }

    /// A number that changes with the rules and with nothing else: not with comments, blanks, or the machine.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// [`Mapping::version`] as people and the history read it.
    pub fn fingerprint(&self) -> String {
        format!("{:016x}", self.version)
    }

    /// Whether a record may give more than one document, or none.
    pub fn explodes(&self) -> bool {
        self.explode.is_some() || matches!(self.body, Body::Transform(_))
    }

    /// Whether every record gives itself, byte for byte.
    pub fn is_identity(&self) -> bool {
        let as_came = matches!(self.body, Body::AsCame) && self.filter.is_none() && self.explode.is_none();
        as_came && self.checks.is_empty() && self.id.is_none()
    }
}

fn zone_name(zone: &TimeZone) -> String {
    zone.iana_name().map_or_else(|| format!("{zone:?}"), str::to_owned)
}

const _: () = {
    const fn shared_by_threads<T: Send + Sync>() {}
    shared_by_threads::<Mapping>();
};
