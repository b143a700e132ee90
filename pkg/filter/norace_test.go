//go:build !race

package filter

// allocationsAllowed is the maximum number of allocations of a filter that takes its memory from a pool.
const allocationsAllowed = 0
