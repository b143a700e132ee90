package proxy

import (
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// tcpClose is the kernel's TCP_CLOSE, the state of a socket after a reset.
const tcpClose = 7

// isReset reports whether the peer has reset the connection. A half-closed connection is not reset: its peer may still wait for
// the response. The pending error stays in the socket for the next read or write.
func isReset(conn net.Conn) bool {
	socket, ok := conn.(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return false
	}
	var info *unix.TCPInfo
	controlErr := raw.Control(func(fd uintptr) { info, err = unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO) })
	return controlErr == nil && err == nil && info.State == tcpClose
}
