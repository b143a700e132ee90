package filter

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"

	"github.com/limpet-dev/limpet/pkg/http1"
)

const (
	// longestRequestID bounds what is taken over from a client.
	longestRequestID = 128
	randomIDBytes    = 16
)

// ID returns what the request is called in the log and towards the pod: the value of X-Request-ID, or 128 random bits in
// hexadecimal if that is missing or not usable. Any client may send one, so that a trace can begin there: it joins lines of
// logs, and proves nothing.
func (r *Request) ID() []byte {
	if len(r.id) > 0 {
		return r.id
	}
	if r.id = r.Head.Get(http1.FieldXRequestID); isRequestID(r.id) {
		return r.id
	}
	var random [randomIDBytes]byte
	binary.LittleEndian.PutUint64(random[:8], rand.Uint64())
	binary.LittleEndian.PutUint64(random[8:], rand.Uint64())
	r.id = hex.AppendEncode(r.idSpace[:0], random[:])
	return r.id
}

func isRequestID(id []byte) bool { return len(id) <= longestRequestID && http1.IsToken(id) }

// Keep copies what r needs for the access record out of the bytes that its head was parsed from.
func (r *Request) Keep() {
	r.Host, r.Path = bytes.Clone(r.Host), bytes.Clone(r.Path)
	r.id = bytes.Clone(r.ID())
	r.Forward = Target{}
}
