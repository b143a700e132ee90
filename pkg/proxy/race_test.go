//go:build race

package proxy

// allocationsAllowed: under the race detector pools forget at random what is put back into them, on purpose. Run the
// test without it to see the real figure.
const allocationsAllowed = 8
