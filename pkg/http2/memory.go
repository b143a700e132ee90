package http2

import "github.com/limpet-dev/limpet/pkg/memory"

// The memory of a stream is charged to an Account: the size of its head, the blocks of its unread body, and streamBytes for the
// rest. If the budget is exhausted, a new stream gets a 503 response without starting a goroutine, and a stream whose body
// needs another block is reset.

const (
	// streamBytes is the cost of a stream in bytes without head and body: a goroutine with its stack, and the state of the
	// stream's owner.
	streamBytes = 12 << 10
	// BufferBytes is the size of a buffer for the part of a response that the peer has not accepted yet.
	BufferBytes = 16 << 10
)

// SetAccount charges the memory of the peer's streams to a. It must be called before Serve.
func (c *Conn) SetAccount(a *memory.Account) { c.account = a }

// ChargeTo charges the buffered body to a from now on. It is for client streams, because the requests of many clients share
// their connection.
func (s *Stream) ChargeTo(a *memory.Account) {
	s.conn.mu.Lock()
	defer s.conn.mu.Unlock()
	s.account = a
}

// totalCost returns the cost of a request's stream in bytes. The owner copies the list of fields, joins cookies, and writes
// the head for the pod to a buffer that grows by a quarter, until the pod responds.
func (h *Head) totalCost() int {
	return h.costWithoutHead() + BufferBytes + h.memorySize() + h.cookieBytes + cap(h.space) + cap(h.space)/4
}

// costWithoutHead returns the part of the cost that remains after the head is released.
func (h *Head) costWithoutHead() int { return streamBytes + cap(h.Fields)*fieldSize }

// charge charges the head of a new stream. It returns false if that would exceed the memory budget.
func (c *Conn) charge(h *Head) (n int, ok bool) {
	n = h.totalCost()
	return n, c.account.Take(n)
}

// unavailableBlock is the field section of a 503 response with Retry-After: 5.
var unavailableBlock = AppendField(AppendStatus(nil, 503), []byte("retry-after"), []byte("5"))

// refuseOverBudget responds with a 503 to a request that would exceed the memory budget of the connection or the process. It
// counts as a reset, so that too many of them end the connection.
func (c *Conn) refuseOverBudget(section *section) error {
	id := section.stream
	section.head.release()
	c.setOutput(appendBlock(c.output(), id, c.withTableSizeUpdate(unavailableBlock), true, MaxFrame))
	c.replies++
	if section.endStream {
		c.endedIDs.add(id, maxEndedIDs)
	} else {
		c.resetStream(id, CodeNone) // stops the rest of the request (RFC 9113 section 8.1)
	}
	return c.countReset()
}

// includedBlocks returns the number of blocks of a body that are included in the cost of the stream, so that a short body
// never fails for lack of memory.
func (c *Conn) includedBlocks() int {
	if c.isServer() {
		return 1
	}
	return BufferBytes / dataBlockSize
}

// resetOverBudget resets a stream whose body would exceed the memory budget. For a client stream the peer is not to blame: it
// is Limpet's client that does not read.
func (s *Stream) resetOverBudget() error {
	c := s.conn
	c.resetStream(s.id, CodeEnhanceYourCalm)
	c.flush()
	if !c.isServer() {
		return nil
	}
	return c.countReset()
}

// releaseCharge returns the charge of the stream except for keep bytes.
func (s *Stream) releaseCharge(keep int) {
	if keep < s.charged {
		s.conn.account.Return(s.charged - keep)
		s.charged = keep
	}
}
