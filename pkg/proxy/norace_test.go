//go:build !race

package proxy

// allocationsAllowed is per request: not one in twenty.
const allocationsAllowed = 0.05
