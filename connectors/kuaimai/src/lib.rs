//! Kuaimai ERP (快麦ERP).
