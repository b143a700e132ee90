package filter

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"

	"github.com/limpet-dev/limpet/pkg/http1"
)

const (
	// maxRequestIDBytes is the maximum length of an ID that is accepted from a client.
	maxRequestIDBytes    = 128
	randomRequestIDBytes = 16
)

// ID returns the ID of the request in logs and for the pod. It is the value of X-Request-ID, or 128 random bits in
// hexadecimal if that is missing or invalid. Clients may send an ID, so that a trace can start there. The ID
// correlates log lines and is not trusted.
func (r *Request) ID() []byte {
	if len(r.id) > 0 {
		return r.id
	}
	if r.id = r.Head.Get(http1.FieldXRequestID); isRequestID(r.id) {
		return r.id
	}
	var random [randomRequestIDBytes]byte
	binary.LittleEndian.PutUint64(random[:8], rand.Uint64())
	binary.LittleEndian.PutUint64(random[8:], rand.Uint64())
	r.id = hex.AppendEncode(r.idSpace[:0], random[:])
	return r.id
}

func isRequestID(id []byte) bool { return len(id) <= maxRequestIDBytes && http1.IsToken(id) }

// CopyForLog copies the data that the access record needs, because the bytes of the parsed head will be reused.
func (r *Request) CopyForLog() {
	r.Host, r.Path = bytes.Clone(r.Host), bytes.Clone(r.Path)
	r.id = bytes.Clone(r.ID())
	r.Forward, r.Authority, r.Identity = Target{}, nil, nil
}
