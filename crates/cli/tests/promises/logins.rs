//! Logins: credentials in a target, and recipes that use them.
