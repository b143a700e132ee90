package main

import (
	"context"
	"net"
	"syscall"
)

// listen opens a listener for clients. Their connections have the probes of TCP keep-alive from it, where the system
// hands them down: setting them for each costs four system calls.
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
