package exchange

import (
	"bytes"

	"github.com/limpet-dev/limpet/pkg/http1"
	"github.com/limpet-dev/limpet/pkg/memory"
)

// ErrBusy refuses a request that would make Limpet hold more than its memory budget.
var ErrBusy = &http1.Error{Status: 503, Reason: "Limpet holds as much as it may"}

// ShedAbove is the size, in bytes, above which the head of a request is released when the response has begun. The rest of
// the exchange then needs copies of a few values, which is not worth it for smaller heads.
const ShedAbove = 4 << 10

// ShedHead makes x release the head of the request when the response has begun. It is called before Run.
func (x *Exchange) ShedHead() { x.sheds = true }

// shedRequest releases the head of the request when the response has begun, and keeps copies of what the access log and the
// framing of the response need. It does nothing while the rest of the request is being sent to the pod, which needs the head.
func (x *Exchange) shedRequest() {
	if !x.body.isDone() {
		return
	}
	x.req.Method = bytes.Clone(x.req.Method)
	x.view.Keep()
	x.req.Shed()
	x.down.ReleaseHead()
}

// shedLarge calls shedRequest after ShedHead.
func (x *Exchange) shedLarge() {
	if x.sheds {
		x.sheds = false
		x.shedRequest()
	}
}

// KeptOfHead returns the number of bytes of the request's head that x keeps after ReleaseHead, for the access log.
func (x *Exchange) KeptOfHead() int { return len(x.view.Path) + len(x.view.Host) }

// maxSpace is how much of a buffer, in bytes, is kept for the next request.
const maxSpace = 4 << 10

// trim frees buffers that are larger than most requests need.
func (x *Exchange) trim() {
	for _, space := range []*[]byte{&x.head.value, &x.block, &x.view.Buf, &x.resp.space, &x.pathSpace, &x.resp.SetCookie} {
		if cap(*space) > maxSpace {
			*space = nil
		}
	}
}

// keptBytes is the part of a body that is kept for another attempt, counted in the connection's Account.
type keptBytes struct {
	bytes   []byte
	account *memory.Account
	charged int
}

// add appends span. It returns false if that would exceed keptBody or the budget.
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

// drop frees what is kept.
func (k *keptBytes) drop() {
	k.account.Return(k.charged)
	k.account, k.charged = nil, 0
	k.bytes = nil
}
