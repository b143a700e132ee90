package proxy

import (
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// tcpClose is the state of a socket whose connection is no more: TCP_CLOSE of the kernel.
const tcpClose = 7

// isReset reports whether the other end has reset the connection. One that it has closed in order may wait for its
// answer still, and does not count. The error stays in the socket, for whoever reads next.
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
	asked := raw.Control(func(fd uintptr) { info, err = unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO) })
	return asked == nil && err == nil && info.State == tcpClose
}
