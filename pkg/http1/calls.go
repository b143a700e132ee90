package http1

import (
	"io"
	"syscall"
)

// The sockets here never block, so the calls are made without telling Go's scheduler, which would get ready to run
// other goroutines meanwhile (see rawcalls_linux.go).

// readSocket reads once, and again when a signal came between. The end of the stream is io.EOF.
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

// writeSocket writes what the socket takes without waiting.
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

// peekSocket looks at the next byte of a socket and leaves it there.
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
