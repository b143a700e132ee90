package exchange

import (
	"net/http"
	"time"

	"github.com/limpet-dev/limpet/pkg/observe"
)

// clientClosed is logged if the client closed the connection before the response started. It is the status that nginx logs.
const clientClosed = 499

// record updates the metrics and writes the access log entry. The entry of a tunnel is written when the tunnel ends.
func (x *Exchange) record() {
	took := time.Since(x.start)
	metrics := x.Engine.Metrics.NoRoute
	if x.backend != nil {
		metrics = x.Engine.Metrics.Pool(x.backend.Pool.Slot)
		metrics.Decision(x.decision.Outcome, x.decision.Reason)
	}
	if x.spans.IsSampled {
		metrics.Exemplar(took, x.spans.Trace)
		x.recordTrace(took)
	}
	metrics.Request(x.status(), took)
	if x.isClosed() {
		x.Engine.Metrics.Closed.Inc()
	}
	if x.Engine.AccessLog == nil || x.route != nil && x.route.IsUnlogged {
		return
	}
	a := x.access(took)
	if x.tunnel != nil {
		x.tunnel.access = newTunnelAccess(&a, x.Shard)
		return
	}
	x.Engine.AccessLog.Write(x.Shard, &a)
}

func (x *Exchange) status() int {
	if !x.responseStarted {
		return unsentStatus(x.failure)
	}
	if x.localStatus != 0 {
		return x.localStatus // the HTTP status of a gRPC response is always 200
	}
	return x.resp.Status
}

// unsentStatus returns the status to log if the stream or connection of the client ended before the response started.
func unsentStatus(f observe.Failure) int {
	switch f {
	case observe.FailureInvalidRequest:
		return http.StatusBadRequest
	case observe.FailureOverload:
		return http.StatusServiceUnavailable
	}
	return clientClosed
}

// isClosed reports whether the request was rejected because its route is closed.
func (x *Exchange) isClosed() bool {
	return x.route != nil && x.route.Closed && x.status() == http.StatusServiceUnavailable
}

// access returns the access log entry of the request.
func (x *Exchange) access(took time.Duration) observe.Access {
	a := observe.Access{
		Start: x.start, Took: took,
		Client: x.PeerText, Scheme: x.view.Scheme(), Protocol: x.protocol,
		Method: x.req.Method, Host: x.view.Host, Path: x.view.Path,
		Status: x.status(), Bytes: x.sentBytes, BytesIn: x.bodyBytes,
		Closed:  x.isClosed(),
		Failure: x.failure, Detail: x.failureDetail(), Generated: x.localStatus != 0,
		RequestID: x.view.ID(), Attempts: x.attempts.count, Outcome: x.decision.Outcome, Reason: x.decision.Reason,
	}
	a.StrippedUpgrade = x.strippedUpgrade
	if x.spans.IsSampled {
		a.TraceID = x.spans.Trace
	}
	if x.view.ClientIP != x.Peer {
		a.Client = x.view.ClientIP.String()
	}
	if x.backend != nil {
		a.Pool = x.backend.Pool.Name
	}
	if x.endpoint != nil {
		a.Endpoint = x.endpoint.Label()
	}
	return a
}
