package main

import (
	"os"
	"syscall"
)

const keepAliveInherited = true

// keepAlive has the defaults of package net: the first probe after 15 s without data, and eight more 15 s apart.
var keepAlive = []struct{ level, name, value int }{
	{syscall.SOL_SOCKET, syscall.SO_KEEPALIVE, 1},
	{syscall.IPPROTO_TCP, syscall.TCP_KEEPIDLE, 15},
	{syscall.IPPROTO_TCP, syscall.TCP_KEEPINTVL, 15},
	{syscall.IPPROTO_TCP, syscall.TCP_KEEPCNT, 9},
}

func probeKeepAlive(fd uintptr) error {
	for _, option := range keepAlive {
		if err := syscall.SetsockoptInt(int(fd), option.level, option.name, option.value); err != nil {
			return os.NewSyscallError("setsockopt", err)
		}
	}
	return nil
}
