package http2

import (
	"runtime"
	"sync"
)

const (
	outputSize = 16 << 10
	// mostPending is how much is collected while the peer does not read, before streams have to wait.
	maxPending = 64 << 10
	// mostAsked is that for requests. They do not wait: there may be another connection.
	maxPendingRequests = 1 << 20
	// mostReplies is how many answers to the peer's own frames may be added to that: a peer that has so much said to it and
	// reads nothing of it is not worth more.
	maxPendingReplies = 32 << 10
)

// output is what waits to be written to a connection.
type output struct{ bytes []byte }

var outputs = sync.Pool{New: func() any { return &output{make([]byte, 0, outputSize)} }}

// output gives what to append to. collect takes it back.
func (c *Conn) output() []byte {
	if c.out == nil {
		c.out = outputs.Get().(*output)
		c.out.bytes = c.out.bytes[:0]
	}
	return c.out.bytes
}

func (c *Conn) collect(b []byte) { c.out.bytes = b }

// pending is how much waits to be written.
func (c *Conn) pending() int {
	if c.out == nil {
		return 0
	}
	return len(c.out.bytes)
}

// flush makes sure that what was collected is written soon, unless the connection has ended: whoever closes the socket then
// is its only user.
func (c *Conn) flush() {
	if c.out == nil || c.writing || c.err != nil {
		return
	}
	c.writing = true
	go c.write()
}

// write writes until nothing is left. Whatever can run goes first: of 100 streams whose answers come at the same time, all
// are in one write then.
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
			c.socket.Close() // so that the reader ends too
		}
	}
}

func (c *Conn) takeOutput() *output {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := c.out
	if out == nil {
		c.writing = false
		c.outputChanged.Broadcast()
		return nil
	}
	c.out = nil
	c.replies = 0
	c.outputSeq++
	c.outputChanged.Broadcast()
	c.wakeNextSender()
	return out
}
