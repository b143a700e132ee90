//go:build race

package filter

// allocationsAllowed: under the race detector pools forget at random what is put back into them, on purpose. Run the
// tests whose names contain Alloc without it.
const allocationsAllowed = 100
