//! Time and size limits: probes, lookups, files, descriptors, and rehearsals.
