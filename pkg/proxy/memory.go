package proxy

// HTTP/2 and HTTP/3 connections charge an Account for the memory of their streams, since a client can make Limpet hold much
// memory with few bytes. HTTP/1.1 connections charge only for heads that exceed a buffer and for bodies that are kept for a
// retry. The sweeper estimates the rest, so that an ordinary request charges nothing.

// activeConnBytes estimates the memory of an HTTP/1.1 connection with a request in progress: a buffer for the head, a buffer
// for the upstream connection, the exchange, and a stack.
const activeConnBytes = 40 << 10

// maxKeptBytes is the maximum size of a buffer that a pooled stream keeps for its next request.
const maxKeptBytes = 4 << 10

// sampleMemory returns the estimated memory of the connection that its Account does not count. It also returns unused
// reservations of the Account.
func (c *client) sampleMemory() int64 {
	c.Account.Trim()
	if c.quic != nil || c.http2.Load() != nil || c.idleSince.Load() != 0 || c.bufferless.Load() {
		return 0
	}
	return activeConnBytes
}
