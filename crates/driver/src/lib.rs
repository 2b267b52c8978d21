//! try / except for connections: dial, check the answer, and do what the matching clause says.

mod errno;
mod error;
mod lookup;
mod outq;

pub use error::Error;
pub use lookup::Family;
