// Package publish is the one step that both sources of configuration share: it turns a change of the Snapshot, or of one
// Service's endpoints, into what the data plane serves.
//
// A Snapshot is built, compiled, and swapped in; endpoints go straight to their pools, without a new Table. It decides the
// order in which the parts of a change take effect, and measures how long that took. What the objects mean is decided
// in pkg/translate; who is told about problems, by the caller, who gets the Reports back.
package publish
