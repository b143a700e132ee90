package proxy

import (
	"bytes"

	"github.com/limpet-dev/limpet/pkg/http1"
	"github.com/limpet-dev/limpet/pkg/memory"
)

// Connections of HTTP/2 and HTTP/3 count what their streams hold, since a few bytes of theirs can make Limpet hold many. One
// of HTTP/1.1 counts only what is extraordinary, a head that is longer than a buffer and the body that is kept for another
// attempt: the sweeper estimates the rest, so that an ordinary request counts nothing.

// busyBytes is what a connection of HTTP/1.1 holds while a request is in progress: the buffer that its head is in, another
// one towards the pod or from it, the state of the exchange, and a stack.
const busyBytes = 40 << 10

// shedAbove is how large the head of a request is whose memory is let go of when the response has begun. The rest of the
// exchange needs copies of a few values, and most heads are too small to be worth that.
const shedAbove = 4 << 10

// sampleMemory returns an estimate of what a connection holds that its Account does not count. It gives back what the
// Account has reserved and does not need.
func (c *client) sampleMemory() int64 {
	c.account.Trim()
	if c.quic != nil || c.http2.Load() != nil || c.idleSince.Load() != 0 || c.light.Load() {
		return 0
	}
	return busyBytes
}

// errBusy refuses a request that would make Limpet hold more than it may.
var errBusy = &http1.Error{Status: 503, Reason: "Limpet holds as much as it may"}

// shedRequest lets go of the head of the request, when the response has begun, and keeps copies of what the log and the
// framing of the response need. While the rest of the request is on its way to the pod, its head is needed.
func (x *exchange) shedRequest() {
	if !x.body.isDone() {
		return
	}
	x.req.Method, x.host, x.path = bytes.Clone(x.req.Method), bytes.Clone(x.host), bytes.Clone(x.path)
	x.id = bytes.Clone(x.requestID())
	x.req.Shed()
	x.down.releaseHead()
}

// shedLarge is shedRequest of a head that is worth it.
func (x *exchange) shedLarge() {
	if x.sheds {
		x.sheds = false
		x.shedRequest()
	}
}

// mostSpace is how much of a buffer is kept for the next request.
const mostSpace = 4 << 10

// trim gives up space that is larger than most requests need.
func (x *exchange) trim() {
	for _, space := range []*[]byte{&x.value, &x.block, &x.edited, &x.pathSpace, &x.cookie} {
		if cap(*space) > mostSpace {
			*space = nil
		}
	}
}

// keptBytes counts what is kept of a body.
type keptBytes struct {
	bytes   []byte
	account *memory.Account
	charged int
}

// add keeps span as well. It returns false if it may not.
func (k *keptBytes) add(span []byte, account *memory.Account) bool {
	if need := len(k.bytes) + len(span); need > cap(k.bytes) && !k.grow(need, account) {
		return false
	}
	k.bytes = append(k.bytes, span...)
	return true
}

func (k *keptBytes) grow(need int, account *memory.Account) bool {
	size := min(max(need, 2*cap(k.bytes), 1<<10), keptBody)
	if need > keptBody || !account.Take(size-k.charged) {
		return false
	}
	k.account, k.charged = account, size
	k.bytes = append(make([]byte, 0, size), k.bytes...)
	return true
}

// drop keeps nothing any more.
func (k *keptBytes) drop() {
	k.account.Return(k.charged)
	k.account, k.charged = nil, 0
	k.bytes = nil
}
