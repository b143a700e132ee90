package http1

import (
	"io"
	"syscall"
)

// The sockets are non-blocking, so these system calls bypass the scheduler hooks of package syscall (see
// rawcalls_linux.go).

// readSocket reads once, and retries on EINTR. It returns io.EOF at the end of the stream.
func readSocket(fd int, p []byte) (int, error) {
	for {
		n, errno := rawRead(fd, p)
		switch {
		case errno == syscall.EINTR:
			continue
		case errno != 0:
			return 0, errno
		case n == 0:
			return 0, io.EOF
		}
		return n, nil
	}
}

// writeSocket writes without blocking. It returns 0 and no error if the send buffer is full.
func writeSocket(fd int, p []byte) (int, error) {
	for {
		n, errno := rawWrite(fd, p)
		switch errno {
		case 0:
			return n, nil
		case syscall.EINTR:
			continue
		case syscall.EAGAIN:
			return 0, nil
		}
		return 0, errno
	}
}

// peekSocket reads from a socket without consuming the bytes.
func peekSocket(fd int, p []byte) (int, error) {
	for {
		n, errno := rawPeek(fd, p)
		switch errno {
		case 0:
			return n, nil
		case syscall.EINTR:
			continue
		}
		return 0, errno
	}
}
