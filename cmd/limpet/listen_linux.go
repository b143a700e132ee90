package main

import (
	"os"
	"syscall"
)

const optionsInherited = true

// socketOption is one of a listener, most of which its connections inherit.
type socketOption struct{ level, name, value int }

// keepAlive is what Go asks for by default: after 15 s without a byte a probe, and eight more 15 s apart.
var keepAlive = []socketOption{
	{syscall.SOL_SOCKET, syscall.SO_KEEPALIVE, 1},
	{syscall.IPPROTO_TCP, syscall.TCP_KEEPIDLE, 15},
	{syscall.IPPROTO_TCP, syscall.TCP_KEEPINTVL, 15},
	{syscall.IPPROTO_TCP, syscall.TCP_KEEPCNT, 9},
}

// deferred leaves a connection to the kernel until its first bytes have come, or a second has passed. Else it would be
// accepted before them, and its goroutine woken twice: 4 % of the CPU of a connection with one small request. Clients
// of HTTP and TLS speak first, and so do load balancers with the PROXY protocol.
var deferred = socketOption{syscall.IPPROTO_TCP, syscall.TCP_DEFER_ACCEPT, 1}

func setOptions(fd uintptr) error {
	for _, option := range append(keepAlive, deferred) {
		if err := syscall.SetsockoptInt(int(fd), option.level, option.name, option.value); err != nil {
			return os.NewSyscallError("setsockopt", err)
		}
	}
	return nil
}
