// Package observe is what Limpet tells about itself while it serves: every metric, in one place, and the access log.
//
// It decides names, labels and formats. What happened, and when it counts, is decided by those who call it.
package observe
