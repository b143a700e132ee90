// Package extendedconnect makes net/http take the CONNECT of RFC 8441, by which WebSockets come over HTTP/2: importing it
// is all there is to do.
//
// net/http reads the environment for that while it is initialised, and takes no other word for it. Of the packages that
// can be initialised, Go takes the first by import path: this one needs os alone, as net/http does, and comes before it by
// name (specification of Go, section "Program initialization"). A test of pkg/proxy looks at what clients are told.
package extendedconnect

import "os"

func init() {
	const setting = "http2xconnect=1"
	debug := os.Getenv("GODEBUG")
	if debug != "" {
		debug += ","
	}
	// It fails for names and values that no environment can have.
	_ = os.Setenv("GODEBUG", debug+setting)
}
