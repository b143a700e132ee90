// Package sketch counts the distinct sessions of a sliding window of time, without storing them.
//
// A Window divides time into slices. Requests add sessions to the current slice, without a lock and without a memory
// allocation for a session that the slice has. Completed slices are kept as HyperLogLog sketches (Flajolet et al., 2007;
// github.com/axiomhq/hyperloglog), which can be merged with those of other replicas. A small slice is exact. Larger ones have a
// standard error of 1.6 %.
package sketch
