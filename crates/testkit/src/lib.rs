//! What tests share: the conformance suite, an in-memory store, a fixture server.
