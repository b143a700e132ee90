// Package publish makes changes of the Snapshot, or of the endpoints of one Service, live in the data plane. Both sources of
// configuration (controllers, manifest) use it.
//
// Changed objects are translated incrementally. The hosts that changed are compiled into the next Table, which is published.
// Endpoints are written to their pools directly, without a new Table, and without waiting for other changes. The package
// decides the order in which the parts of a change take effect, and measures the duration. Package translate decides the
// meaning of the objects. The Reports are returned to the caller, which reports the problems.
package publish
