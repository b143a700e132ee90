// Package publish makes changes of the Snapshot, or of the endpoints of one Service, live in the data plane. Both sources of
// configuration (controllers, manifest) use it.
//
// A Snapshot is translated, compiled into a Table, and published. Endpoints are written to their pools directly, without a
// new Table. The package decides the order in which the parts of a change take effect, and measures the duration. Package
// translate decides the meaning of the objects. The Reports are returned to the caller, which reports the problems.
package publish
