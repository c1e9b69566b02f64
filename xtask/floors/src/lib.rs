//! What the server and the floor programs share: the orders, and how they are asked for.

pub mod ask;
pub mod orders;
