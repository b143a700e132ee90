package proxy

// Connections of HTTP/2 and HTTP/3 count what their streams hold, since a few bytes of theirs can make Limpet hold many. One
// of HTTP/1.1 counts only what is extraordinary, a head that is longer than a buffer and the body that is kept for another
// attempt: the sweeper estimates the rest, so that an ordinary request counts nothing.

// busyBytes is what a connection of HTTP/1.1 holds while a request is in progress: the buffer that its head is in, another
// one towards the pod or from it, the state of the exchange, and a stack.
const activeConnBytes = 40 << 10

// maxSpace is how much of a buffer, in bytes, is kept for the next request.
const maxKeptBytes = 4 << 10

// sampleMemory returns an estimate of what a connection holds that its Account does not count. It gives back what the
// Account has reserved and does not need.
func (c *client) sampleMemory() int64 {
	c.Account.Trim()
	if c.quic != nil || c.http2.Load() != nil || c.idleSince.Load() != 0 || c.bufferless.Load() {
		return 0
	}
	return activeConnBytes
}
