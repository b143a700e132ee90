// Package house tests the structure of the code: which package may import which (docs/architecture.md), and that
// every package has documentation.
package house
