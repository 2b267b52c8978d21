//! A certificate for loopback, by an authority of the place's own (openssl).
//!
//! What trusts it is given `ca.pem`; the system's trust store knows nothing of it. Start at
//! [`certify`].

use super::{Place, place::installed};

const CONFIG: &str = "
[req]
distinguished_name = nobody
[nobody]
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign
[server]
basicConstraints = critical, CA:FALSE
subjectAltName = DNS:localhost, IP:127.0.0.1
extendedKeyUsage = serverAuth
";

/// The authority, and what it certifies; all of it belongs to the server's user.
pub(super) struct Certified {
    pub(super) ca: String,
    pub(super) cert: String,
    pub(super) key: String,
}

/// Makes `ca.pem`, `cert.pem` and `key.pem` in the place, good for two days.
pub(super) fn certify(place: &Place) -> Certified {
    let path = |name| place.path(name);
    let (ca, cert, key) = (path("ca.pem"), path("cert.pem"), path("key.pem"));
    let (authority, config) = (path("ca-key.pem"), place.write("openssl.cnf", CONFIG));
    let openssl = installed("openssl", "openssl");
    let new = ["req", "-x509", "-new", "-nodes", "-days", "2", "-config", &*config, "-newkey"];
    let new = [&new[..], &["ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]].concat();
    let its = ["-subj", "/CN=a test", "-extensions", "authority", "-keyout", &authority];
    place.prepare(&openssl, &[&new[..], &its, &["-out", &ca]].concat());
    let its = ["-subj", "/CN=localhost", "-extensions", "server", "-keyout", &key];
    let by = ["-CA", &*ca, "-CAkey", &authority];
    place.prepare(&openssl, &[&new[..], &its, &by, &["-out", &cert]].concat());
    Certified { ca, cert, key }
}
