// Package preview describes what changes if manifests are applied: which hosts and paths stop, start, or go elsewhere, which
// sessions move, and which problems appear. It translates the objects with and without the manifests, and compares the results.
// It applies nothing.
package preview
