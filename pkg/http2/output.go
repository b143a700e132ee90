package http2

import (
	"runtime"
	"sync"
)

const (
	outputSize = 16 << 10
	// maxPending is the number of buffered bytes above which streams wait before they buffer more.
	maxPending = 64 << 10
	// maxPendingRequests is the same limit for requests. They fail instead of waiting, because there may be another
	// connection.
	maxPendingRequests = 1 << 20
	// maxPendingReplies limits the buffered replies to the peer's own frames. A peer that causes more and does not read is
	// disconnected.
	maxPendingReplies = 32 << 10
)

// output is a buffer of frames to be written to a connection.
type output struct{ bytes []byte }

var outputs = sync.Pool{New: func() any { return &output{make([]byte, 0, outputSize)} }}

// output returns the buffer to append frames to. The result must be passed to setOutput.
func (c *Conn) output() []byte {
	if c.out == nil {
		c.out = outputs.Get().(*output)
		c.out.bytes = c.out.bytes[:0]
	}
	return c.out.bytes
}

// setOutput stores the buffer after frames were appended.
func (c *Conn) setOutput(b []byte) { c.out.bytes = b }

// pending returns the number of buffered bytes.
func (c *Conn) pending() int {
	if c.out == nil {
		return 0
	}
	return len(c.out.bytes)
}

// flush starts the writer goroutine if there is output. It has no effect once the connection has ended: then the socket
// belongs to the caller of Serve.
func (c *Conn) flush() {
	if c.out == nil && len(c.lateResets.ready) == 0 || c.writing || c.err != nil {
		return
	}
	c.writing = true
	go c.write()
}

// write writes until the output is empty. It yields before each write, so that streams whose responses are ready at the
// same time share one write.
func (c *Conn) write() {
	for {
		runtime.Gosched()
		out := c.takeOutput()
		if out == nil {
			return
		}
		_, err := c.w.Write(out.bytes)
		if cap(out.bytes) <= 2*maxPending {
			outputs.Put(out)
		}
		if err != nil {
			c.mu.Lock()
			c.failLocked(err)
			c.mu.Unlock()
			c.socket.Close() // so that Serve returns, too
		}
	}
}

// takeOutput takes the output to write it. It returns nil if the output is empty, and the writer goroutine must end then.
func (c *Conn) takeOutput() *output {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.out == nil {
		c.appendLateResets()
	}
	out := c.out
	if out == nil {
		c.writing = false
		c.outputChanged.Broadcast()
		return nil
	}
	c.out = nil
	c.replies = 0
	c.outputSeq++
	c.appendLateResets()
	c.outputChanged.Broadcast()
	c.wakeNextSender()
	return out
}
