package exchange

import (
	"bytes"
	"time"

	"github.com/limpet-dev/limpet/pkg/observe"
)

// tunnelAccess is the access log entry of a tunnel, which is written when the tunnel ends.
type tunnelAccess struct {
	entry observe.Access
	shard uint32
}

// newTunnelAccess returns a copy of a that does not refer to the buffers of the request.
func newTunnelAccess(a *observe.Access, shard uint32) *tunnelAccess {
	kept := &tunnelAccess{*a, shard}
	for _, text := range []*[]byte{
		&kept.entry.Method, &kept.entry.Host, &kept.entry.Path, &kept.entry.RequestID, &kept.entry.StrippedUpgrade,
	} {
		*text = bytes.Clone(*text)
	}
	return kept
}

// write writes the entry with the duration of the tunnel and the bytes that passed. It does nothing if a is nil.
func (a *tunnelAccess) write(e *Engine, up, down *tunnelDirection) {
	if a == nil {
		return
	}
	a.entry.Took = time.Since(a.entry.Start)
	a.entry.Bytes, a.entry.BytesIn = down.written.Load(), up.written.Load()
	if up.panicked.Load() {
		a.entry.Failure = observe.FailurePanic
	}
	e.AccessLog.Write(a.shard, &a.entry)
}
