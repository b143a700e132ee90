// Package shards provides a map whose copies share what has not changed. Readers use a Map without locks while a writer
// makes the next one. It is for maps with a key for each host of a fleet, where copying the whole map for each change would
// cost more than the change.
package shards
