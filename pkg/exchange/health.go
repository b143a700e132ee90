package exchange

import (
	"context"
	"errors"
	"io"
	"math"
	"net"
	"syscall"
	"time"

	"github.com/limpet-dev/limpet/pkg/routing"
	"github.com/limpet-dev/limpet/pkg/upstream"
)

// beginProbe makes an ejected endpoint a candidate of the next decision, if one is due for a probe.
func (s *selection) beginProbe() {
	s.probe.Abandon() // of an earlier decision
	if s.probe = s.set.Probe(); s.probe != nil {
		s.set = s.probe.Set
	}
}

// confirmProbe returns the permit unless the decision chose the endpoint to probe.
func (s *selection) confirmProbe() {
	if s.probe != nil && (s.decision.Endpoint < 0 || !s.probe.IsFor(s.set.Endpoint(s.decision.Endpoint))) {
		s.probe.Abandon()
		s.probe = nil
	}
}

// newProbeTimer returns a timer that fires when an endpoint is due for a probe, so that one of the requests that wait for it can
// be the probe.
func newProbeTimer(set *upstream.Set) *time.Timer {
	if wait, ok := set.NextProbe(); ok {
		return time.NewTimer(wait)
	}
	return time.NewTimer(math.MaxInt64)
}

// observeStatus records for the health of the endpoint that it has sent the head of a response.
func (x *Exchange) observeStatus() {
	if x.backend.Ejection.Statuses.Has(x.resp.Status) {
		x.recordSick(upstream.FailureStatus)
		return
	}
	x.endpoint.Responded()
	if x.probe.IsFor(x.endpoint) {
		x.probe.Succeeded()
	}
}

// observeFailure records for the health of the endpoint that an attempt failed.
func (x *Exchange) observeFailure(f failure) {
	settings, isProbe := x.backend.Ejection, x.probe.IsFor(x.endpoint)
	switch f.kind {
	case dialFailed:
		recordDialFailure(x.backend, x.endpoint, x.probe, f.err)
	case connLost:
		if settings.OnReset || isProbe {
			x.recordSick(upstream.FailureReset)
		}
	case invalidResponse:
		isCut := errors.Is(f.err, io.EOF) || errors.Is(f.err, syscall.ECONNRESET)
		if isCut && (settings.OnReset || isProbe) {
			x.recordSick(upstream.FailureReset)
		}
	case responseTimeout:
		if settings.OnTimeout || isProbe {
			x.recordSick(upstream.FailureTimeout)
		}
	}
	if f.kind != noFailure && isProbe {
		x.probe.Abandon()
	}
}

func (x *Exchange) recordSick(kind upstream.FailureKind) {
	recordSick(x.backend, x.endpoint, x.probe, kind)
}

// recordDialFailure records that no connection could be made, if that may be the fault of the pod.
func recordDialFailure(b *routing.Backend, e *upstream.Endpoint, probe *upstream.Probe, err error) {
	if isFaultOfPod(err) {
		recordSick(b, e, probe, upstream.FailureConnect)
	}
}

func recordSick(b *routing.Backend, e *upstream.Endpoint, probe *upstream.Probe, kind upstream.FailureKind) {
	if probe.IsFor(e) {
		probe.Failed(kind)
		return
	}
	b.Pool.Failed(e, kind, b.Ejection)
}

// isFaultOfPod reports whether a failed connection attempt says something about the pod, and not about this replica: its
// descriptors, ports, routes or shutdown.
func isFaultOfPod(err error) bool {
	for _, own := range []error{
		syscall.EMFILE, syscall.ENFILE, syscall.ENOMEM, syscall.ENOBUFS, syscall.EADDRNOTAVAIL, syscall.ENETUNREACH, context.Canceled,
	} {
		if errors.Is(err, own) {
			return false
		}
	}
	var dial *net.OpError
	return errors.As(err, &dial) || errors.Is(err, io.EOF)
}
