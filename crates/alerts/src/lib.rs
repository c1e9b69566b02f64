//! Tells people what went wrong in an installation, once, and when it is well again.
