package http1

import (
	"syscall"
	"unsafe"
)

// syscall.Read and its like tell the scheduler before and after, because the call might block. These cannot: the
// sockets are in non-blocking mode. Leaving that out saves 2 to 3 % of the CPU of a small request, and more where the
// machine is busy, because a thread that is descheduled within a call does not lose its place.

func rawRead(fd int, p []byte) (int, syscall.Errno) {
	return rawCall(syscall.SYS_RECVFROM, fd, p, 0)
}

func rawWrite(fd int, p []byte) (int, syscall.Errno) {
	return rawCall(syscall.SYS_SENDTO, fd, p, syscall.MSG_NOSIGNAL)
}

func rawPeek(fd int, p []byte) (int, syscall.Errno) {
	return rawCall(syscall.SYS_RECVFROM, fd, p, syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
}

// unacknowledged is how many bytes were written to a socket that its peer has not acknowledged, also if the connection has
// ended since. It is 0 where that is not known.
func unacknowledged(fd int) int {
	var n int32
	_, _, errno := syscall.RawSyscall(syscall.SYS_IOCTL, uintptr(fd), syscall.TIOCOUTQ, uintptr(unsafe.Pointer(&n)))
	if errno != 0 {
		return 0
	}
	return int(n)
}

// rawCall makes a call whose first arguments are a socket and a buffer that is not empty.
func rawCall(call uintptr, fd int, p []byte, flags uintptr) (int, syscall.Errno) {
	n, _, errno := syscall.RawSyscall6(call, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(p))),
		uintptr(len(p)), flags, 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return int(n), 0
}
