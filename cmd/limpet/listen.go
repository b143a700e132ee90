package main

import (
	"context"
	"net"
	"syscall"
)

// listen opens a TCP listener. If the system lets accepted connections inherit TCP keep-alive from the listener, it is set
// there: setting it on each connection costs four system calls.
func listen(addr string) (net.Listener, error) {
	inherited := net.ListenConfig{KeepAlive: -1, Control: func(_, _ string, c syscall.RawConn) error {
		var failed error
		if err := c.Control(func(fd uintptr) { failed = probeKeepAlive(fd) }); err != nil {
			return err
		}
		return failed
	}}
	if !keepAliveInherited {
		inherited = net.ListenConfig{}
	}
	return inherited.Listen(context.Background(), "tcp", addr)
}
