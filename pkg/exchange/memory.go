package exchange

import (
	"bytes"

	"github.com/limpet-dev/limpet/pkg/http1"
	"github.com/limpet-dev/limpet/pkg/memory"
)

// ErrBusy rejects a request that would exceed the memory budget.
var ErrBusy = &http1.Error{Status: 503, Reason: "the memory budget of Limpet is exhausted"}

// EarlyReleaseSize is the size in bytes above which the head of a request is released as soon as the response has started.
// The access log then needs copies of a few values, which is not worthwhile for smaller heads.
const EarlyReleaseSize = 4 << 10

// ReleaseHeadEarly makes x release the head of the request as soon as the response has started. It must be called before Run.
func (x *Exchange) ReleaseHeadEarly() { x.releaseHeadEarly = true }

// releaseRequestHead releases the head of the request and keeps copies of the values that the access log and the response
// need. It does nothing while the body is being sent to the pod, which needs the head.
func (x *Exchange) releaseRequestHead() {
	if !x.body.isDone() {
		return
	}
	x.req.Method = bytes.Clone(x.req.Method)
	x.view.CopyForLog()
	x.upgrade = nil
	x.req.Shed()
	x.downstream.ReleaseHead()
}

// releaseLargeHead releases the head of the request if ReleaseHeadEarly was called.
func (x *Exchange) releaseLargeHead() {
	if x.releaseHeadEarly {
		x.releaseHeadEarly = false
		x.releaseRequestHead()
	}
}

// chargeResponseHead counts the buffer of a response head that is longer than an ordinary buffer. It is counted until the
// exchange ends, because the client may read the body slowly. It returns false if the budget does not allow it.
func (x *Exchange) chargeResponseHead() bool {
	if x.chargedHead > 0 {
		return true
	}
	if !x.Account.Take(x.Engine.Limits.HeadBytes) {
		return false
	}
	x.chargedHead = x.Engine.Limits.HeadBytes
	return true
}

// returnResponseHead undoes chargeResponseHead.
func (x *Exchange) returnResponseHead() {
	if x.chargedHead > 0 {
		x.Account.Return(x.chargedHead)
		x.chargedHead = 0
	}
}

// RetainedHeadBytes returns the number of bytes of the request's head that x keeps for the access log after the head was
// released.
func (x *Exchange) RetainedHeadBytes() int { return len(x.view.Path) + len(x.view.Host) }

// maxRetainedBuffer is the largest buffer, in bytes, that is kept for the next request.
const maxRetainedBuffer = 4 << 10

// trim frees buffers that are larger than most requests need.
func (x *Exchange) trim() {
	for _, space := range []*[]byte{&x.head.value, &x.blockBuf, &x.view.Buf, &x.resp.space, &x.pathSpace, &x.resp.SetCookie} {
		if cap(*space) > maxRetainedBuffer {
			*space = nil
		}
	}
}

// replayBuffer holds the start of a request's body for another attempt. Its size is charged to the connection's Account.
type replayBuffer struct {
	bytes   []byte
	account *memory.Account
	charged int
}

// append appends span. It returns false if that would exceed maxReplayBytes or the memory budget.
func (k *replayBuffer) append(span []byte, account *memory.Account) bool {
	if need := len(k.bytes) + len(span); need > cap(k.bytes) && !k.grow(need, account) {
		return false
	}
	k.bytes = append(k.bytes, span...)
	return true
}

func (k *replayBuffer) grow(need int, account *memory.Account) bool {
	size := min(max(need, 2*cap(k.bytes), 1<<10), maxReplayBytes)
	if need > maxReplayBytes || !account.Take(size-k.charged) {
		return false
	}
	k.account, k.charged = account, size
	k.bytes = append(make([]byte, 0, size), k.bytes...)
	return true
}

// free drops the bytes and returns their charge.
func (k *replayBuffer) free() {
	k.account.Return(k.charged)
	k.account, k.charged = nil, 0
	k.bytes = nil
}
