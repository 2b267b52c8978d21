//! A password, or the value of a header, that was written with a server: kept to be sent, shown
//! by nothing.
//!
//! It has no `Display` and no `Serialize`, and its `Debug` is `Secret(***)`, so that no label,
//! message, event or record can hold it by accident. Start at [`Secret`].

use alloc::sync::Arc;
use core::fmt;

/// A password. A clone costs a reference count.
///
/// ```
/// use redial_core::Server;
///
/// let server = Server::parse("redis://app:s3cret@cache")?;
/// let password = server.password().unwrap();
/// assert_eq!(password.expose(), "s3cret");
/// assert_eq!(format!("{password:?}"), "Secret(***)");
/// assert!(!format!("{server:?}").contains("s3cret"));
/// # Ok::<(), redial_core::Mistake>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Secret(Arc<str>);

impl Secret {
    pub(super) fn new(text: &str) -> Self {
        Self(text.into())
    }

    /// Returns the password, percent-encoded as it was written in the URL; the value of a header is
    /// decoded. For the bytes that are sent only.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// `Secret(***)`
impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(***)")
    }
}
