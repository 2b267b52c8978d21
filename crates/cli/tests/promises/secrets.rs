//! Secrets and control characters: masked and escaped in every message.
