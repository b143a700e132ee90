package http2

import "github.com/limpet-dev/limpet/pkg/memory"

// What a stream holds is counted in an Account: its head by its size, its body by the blocks that nobody has read yet, and
// the rest by streamBytes. A stream that may not be held is refused without a goroutine, and a body that may not be held
// ends its stream.

const (
	// streamBytes is what a stream costs beside its head and its body: a goroutine with a stack, and what its owner knows of
	// it.
	streamBytes = 12 << 10
	// BufferBytes is a buffer that holds a part of the response while the peer does not take it.
	BufferBytes = 16 << 10
)

// SetAccount makes the connection count in a what its peer's streams hold. It is called before Serve.
func (c *Conn) SetAccount(a *memory.Account) { c.account = a }

// ChargeTo makes the stream count in a what it holds of the body from now on. It is for streams that were opened from here,
// on whose connection the requests of many clients share the way.
func (s *Stream) ChargeTo(a *memory.Account) {
	s.conn.mu.Lock()
	defer s.conn.mu.Unlock()
	s.account = a
}

// cost is what the stream of a request with this head holds. The owner keeps a list of the fields of its own, puts cookies
// together, and writes the head out for the pod, in a buffer that grows by a quarter, until the pod responds.
func (h *Head) totalCost() int {
	return h.costWithoutHead() + BufferBytes + h.memorySize() + h.cookieBytes + cap(h.space) + cap(h.space)/4
}

// costReleased is what is left of the cost once the head is released.
func (h *Head) costWithoutHead() int { return streamBytes + cap(h.Fields)*fieldSize }

// charge counts the head of a stream that is about to be opened. It returns false if it may not be held.
func (c *Conn) charge(h *Head) (n int, ok bool) {
	n = h.totalCost()
	return n, c.account.Take(n)
}

// busy is the field section of a response with the status 503 and Retry-After: 5.
var unavailableBlock = AppendField(AppendStatus(nil, 503), []byte("retry-after"), []byte("5"))

// refuse responds to a request that is not served because its connection, or the process, holds too much. Too many of them
// end the connection as resets do.
func (c *Conn) refuseOverBudget(section *section) error {
	id := section.stream
	section.head.release()
	c.collect(appendBlock(c.output(), id, c.withTableSizeUpdate(unavailableBlock), true, MaxFrame))
	c.replies++
	if section.endStream {
		c.endedIDs.add(id, maxEndedIDs)
	} else {
		c.resetStream(id, CodeNone) // the rest of the request is not wanted (RFC 9113 section 8.1)
	}
	return c.countReset()
}

// blocksIncluded is how many blocks of a body are counted with the stream itself, so that a short body never fails for want
// of memory.
func (c *Conn) includedBlocks() int {
	if c.isServer() {
		return 1
	}
	return BufferBytes / dataBlockSize
}

// overflow ends a stream whose body may not be held. The peer of a side that is not the server is not to blame: it is the
// client that does not read.
func (s *Stream) resetOverBudget() error {
	c := s.conn
	c.resetStream(s.id, CodeEnhanceYourCalm)
	c.flush()
	if !c.isServer() {
		return nil
	}
	return c.countReset()
}

// release gives back what was counted for the stream, but for so many bytes.
func (s *Stream) releaseCharge(keep int) {
	if keep < s.charged {
		s.conn.account.Return(s.charged - keep)
		s.charged = keep
	}
}
