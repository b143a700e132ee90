package exchange

import (
	"fmt"
	"net/http"
	"runtime/debug"

	"github.com/limpet-dev/limpet/pkg/filter"
	"github.com/limpet-dev/limpet/pkg/observe"
)

var internalError = filter.NewText(http.StatusInternalServerError, "Limpet could not process the request.").Closing()

// serveContained runs serve. A panic fails this request and no other: the client gets a 500 response if no response has
// started, and an incomplete response otherwise.
func (x *Exchange) serveContained() {
	defer func() {
		if p := recover(); p != nil {
			x.containPanic(p)
		}
	}()
	x.serve()
}

// containPanic ends the request after a panic. The upstream connection is closed, because its state is unknown. A second
// panic, in the response, only makes the response incomplete.
func (x *Exchange) containPanic(cause any) {
	defer func() {
		if p := recover(); p != nil {
			x.broken = true
			x.Engine.RecordPanic(p)
		}
	}()
	x.Engine.RecordPanic(cause)
	x.panicked, x.failure = true, observe.FailurePanic
	if x.guard != nil {
		x.guard.Stop()
	}
	x.endLongStream()
	if x.reserved != nil {
		x.reserved.EndRequest()
		x.reserved = nil
	}
	x.endReplay()
	if x.upstream != nil {
		x.upstream.Close()
		x.upstream = nil
	}
	x.body.stop()
	if x.responseStarted {
		x.broken = true
		return
	}
	x.respond(internalError)
}

// Panicked reports whether a panic ended the request. The caller must not use x, or what it wrote to, for another request.
func (x *Exchange) Panicked() bool { return x.panicked }

// RecordPanic counts a recovered panic and logs it with the stack of the calling goroutine. It must be called by a deferred
// function.
func (e *Engine) RecordPanic(cause any) {
	e.Metrics.Panics.Inc()
	err, ok := cause.(error)
	if !ok {
		err = fmt.Errorf("panic: %v", cause)
	}
	e.Log.Error(err, "Recovered from a panic", "stack", string(debug.Stack()))
}
