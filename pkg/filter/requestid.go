package exchange

import (
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"

	"github.com/limpet-dev/limpet/pkg/http1"
)

// longestRequestID bounds what is taken over of a client.
const longestRequestID = 128

// requestID is what the request is called in the log and towards the pod: what X-Request-ID says, or else 128 random
// bits in hexadecimal. Anybody may bring one, so that a trace can begin in the client: it joins lines of logs, and
// proves nothing.
func (x *Exchange) requestID() []byte {
	if len(x.id) > 0 {
		return x.id
	}
	if x.id = x.req.Get(http1.FieldXRequestID); isRequestID(x.id) {
		return x.id
	}
	var random [16]byte
	binary.LittleEndian.PutUint64(random[:8], rand.Uint64())
	binary.LittleEndian.PutUint64(random[8:], rand.Uint64())
	x.id = hex.AppendEncode(x.idSpace[:0], random[:])
	return x.id
}

func isRequestID(id []byte) bool { return len(id) <= longestRequestID && http1.IsToken(id) }
