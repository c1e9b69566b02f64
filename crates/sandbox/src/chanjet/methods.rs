//! The endpoints of sections 2, 4 and 6 as tables.

use super::data::Entity;

/// What an endpoint does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// A step of the token service.
    Token(TokenStep),
    /// `*/Query`.
    Query(Query),
    /// `*/QueryPage`.
    QueryPage(Query),
    /// `*OpenApi/FindVoucherList`.
    FindVouchers(Entity),
    /// `*OpenApi/GetVoucherDTO`.
    VoucherDto(Entity),
    /// `*/Create`.
    Create(Target),
}

/// A step of the token service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenStep {
    /// Authorisation code; `true`: the older path, with `appKey` in the query.
    Exchange(bool),
    /// Refresh; `true`: the older path.
    Refresh(bool),
    AppAccessToken,
    PermanentCode,
    OrgAccessToken,
    UserToken,
    ResendTicket,
    ResendTempCode,
    SelfBuilt,
    /// On-premise login by name and password.
    Login,
}

impl TokenStep {
    /// The verbs it takes; the sources disagree on that of a refresh.
    pub(crate) fn verbs(self) -> &'static [&'static str] {
        match self {
            Self::Exchange(_) | Self::ResendTempCode => &["GET"],
            Self::Refresh(_) => &["GET", "POST"],
            _ => &["POST"],
        }
    }
}

/// A query of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Query {
    pub(crate) entity: Entity,
    /// The object that holds its parameters.
    pub(crate) wrapper: &'static str,
    pub(crate) default_size: usize,
}

/// What is written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    /// The name in the path, and under the control endpoints.
    pub(crate) name: &'static str,
    /// The entity that queries find it under.
    pub(crate) entity: Option<Entity>,
    pub(crate) answer: Natural,
    /// The field of its lines.
    pub(crate) lines: Option<&'static str>,
    /// Other fields that must be there.
    pub(crate) needs: &'static [&'static str],
}

/// What a create answers by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Natural {
    Null,
    Id,
    Object,
}

/// The path of business calls.
pub(crate) const BUSINESS: &str = "/tplus/api/v2/";

/// What a path does; `None` if there is none. Paths count letter by letter.
pub(crate) fn find(path: &str) -> Option<Action> {
    let step = match path {
        "/auth/v2/getToken" => Some(TokenStep::Exchange(false)),
        "/auth/getToken" => Some(TokenStep::Exchange(true)),
        "/auth/v2/refreshToken" => Some(TokenStep::Refresh(false)),
        "/auth/refreshToken" => Some(TokenStep::Refresh(true)),
        "/auth/appAuth/getAppAccessToken" => Some(TokenStep::AppAccessToken),
        "/auth/orgAuth/getPermanentAuthCode" => Some(TokenStep::PermanentCode),
        "/auth/orgAuth/getOrgAccessToken" => Some(TokenStep::OrgAccessToken),
        "/auth/token/getTokenByPermanentCode" => Some(TokenStep::UserToken),
        "/auth/appTicket/resend" => Some(TokenStep::ResendTicket),
        "/auth/orgTempAuthCode/resend" => Some(TokenStep::ResendTempCode),
        "/v1/common/auth/selfBuiltApp/generateToken" => Some(TokenStep::SelfBuilt),
        "/tplus/api/v2/collaborationapp/GetRealNameTPlusToken" => Some(TokenStep::Login),
        _ => None,
    };
    step.map(Action::Token).or_else(|| business(path.strip_prefix(BUSINESS)?))
}

fn business(path: &str) -> Option<Action> {
    use Entity as E;
    let (entity, action) = path.split_once('/')?;
    let query = |entity, wrapper, default_size| Some(Query { entity, wrapper, default_size });
    if let Some(voucher) = entity.strip_suffix("OpenApi") {
        let entity = VOUCHERS.iter().find(|(name, _)| *name == voucher)?.1;
        return match action {
            "FindVoucherList" => Some(Action::FindVouchers(entity)),
            "GetVoucherDTO" => Some(Action::VoucherDto(entity)),
            _ => None,
        };
    }
    match action {
        "Query" => match entity {
            "inventory" => query(E::Inventory, "param", 100),
            "partner" => query(E::Partner, "param", 100),
            "warehouse" => query(E::Warehouse, "param", 100),
            "person" => query(E::Person, "param", 100),
            "department" => query(E::Department, "param", 100),
            "UnitGroup" => query(E::UnitGroup, "param", 100),
            "currentStock" => query(E::CurrentStock, "param", 100),
            "purchaseOrder" => query(E::PurchaseOrder, "param", 100),
            "bom" => query(E::Bom, "dto", 20),
            _ => None,
        }
        .map(Action::Query),
        "Query2" if entity == "Project" => query(E::Project, "param", 100).map(Action::Query),
        "QueryByTime" if entity == "currentStock" => query(E::CurrentStock, "queryParam", 100).map(Action::Query),
        "QueryPage" => match entity {
            "inventory" => query(E::Inventory, "param", 100),
            "partner" => query(E::Partner, "param", 100),
            "bom" => query(E::Bom, "param", 20),
            "saleOrder" => query(E::SaleOrder, "param", 100),
            _ => None,
        }
        .map(Action::QueryPage),
        "Create" => TARGETS.iter().find(|target| target.name == entity).copied().map(Action::Create),
        _ => None,
    }
}

/// The vouchers that have an `OpenApi`, by the name before it.
const VOUCHERS: [(&str, Entity); 8] = [
    ("SaleOrder", Entity::SaleOrder),
    ("SaleDelivery", Entity::SaleDelivery),
    ("PurchaseOrder", Entity::PurchaseOrder),
    ("PurchaseArrival", Entity::PurchaseArrival),
    ("PurchaseReceive", Entity::PurchaseReceive),
    ("OtherReceive", Entity::OtherReceive),
    ("OtherDispatch", Entity::OtherDispatch),
    ("SaleDispatch", Entity::SaleDispatch),
];

/// The names that fields of a voucher begin with in `FindVoucherList`.
pub(crate) fn roots(entity: Entity) -> &'static [&'static str] {
    match entity {
        Entity::SaleOrder => &["SaleOrder"],
        Entity::SaleDelivery => &["SaleDelivery"],
        Entity::PurchaseOrder => &["PurchaseOrder"],
        // The page leaves open whether arrivals are stock vouchers in this respect.
        Entity::PurchaseArrival => &["PurchaseArrival", "RDRecord"],
        _ => &["RDRecord"],
    }
}

/// The field of a voucher's lines.
pub(crate) fn lines(entity: Entity) -> &'static str {
    match entity {
        Entity::SaleOrder => "SaleOrderDetails",
        Entity::SaleDelivery => "SaleDeliveryDetails",
        Entity::PurchaseOrder => "PurchaseOrderDetails",
        Entity::PurchaseArrival => "PurchaseArrivalDetails",
        Entity::Bom => "BOMChilds",
        _ => "RDRecordDetails",
    }
}

/// Everything that can be written.
pub(crate) const TARGETS: [Target; 11] = [
    target("inventory", Some(Entity::Inventory), Natural::Id, None, &["Code", "Name"]),
    target("partner", Some(Entity::Partner), Natural::Id, None, &["Code", "Name"]),
    target("person", Some(Entity::Person), Natural::Id, None, &["Code", "Name"]),
    target("saleOrder", Some(Entity::SaleOrder), Natural::Object, Some("SaleOrderDetails"), &["VoucherDate"]),
    target("saleDelivery", Some(Entity::SaleDelivery), Natural::Null, Some("SaleDeliveryDetails"), &["VoucherDate"]),
    target(
        "purchaseOrder",
        Some(Entity::PurchaseOrder),
        Natural::Object,
        Some("PurchaseOrderDetails"),
        &["VoucherDate"],
    ),
    target("purchaseArrival", Some(Entity::PurchaseArrival), Natural::Null, None, &["VoucherDate"]),
    target("otherReceive", Some(Entity::OtherReceive), Natural::Null, Some("RDRecordDetails"), &["VoucherDate"]),
    target("otherDispatch", Some(Entity::OtherDispatch), Natural::Null, Some("RDRecordDetails"), &["VoucherDate"]),
    target("saleDispatch", Some(Entity::SaleDispatch), Natural::Null, Some("RDRecordDetails"), &["VoucherDate"]),
    target("doc", None, Natural::Object, Some("Entrys"), &["VoucherDate"]),
];

const fn target(
    name: &'static str,
    entity: Option<Entity>,
    answer: Natural,
    lines: Option<&'static str>,
    needs: &'static [&'static str],
) -> Target {
    Target { name, entity, answer, lines, needs }
}
