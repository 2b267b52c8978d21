//! HTTP checks: credentials, headers, statuses, redirects, encodings, and JSON values.
