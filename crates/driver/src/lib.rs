//! try / except for connections: dial, check the answer, and do what the matching clause says.

mod attempt;
mod cause;
mod connection;
mod dial;
mod errno;
mod error;
mod lookup;
mod marks;
mod outq;
mod socket;
mod stream;
mod tls;
mod wire;

pub use attempt::{Settings, attempt};
pub use connection::Connection;
pub use error::Error;
pub use lookup::Family;
pub use tls::{TlsOptions, TlsSetup};
