//! Slices, paging, proof, delivery: what turns streams into runs.
