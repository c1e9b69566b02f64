//! Files: JSON, JSON Lines and CSV, plain or compressed.
