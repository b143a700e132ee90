//go:build !linux

package proxy

import "net"

// isReset always returns false. On this platform a reset is detected by the next write.
func isReset(net.Conn) bool { return false }
