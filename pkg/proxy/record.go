package proxy

import (
	"time"

	"github.com/limpet-dev/limpet/pkg/observe"
)

// clientClosed is logged where the client went away before it was answered, as nginx does.
const clientClosed = 499

// record counts the exchange and writes its line in the access log.
func (x *exchange) record() {
	took := time.Since(x.start)
	metrics := x.server.Metrics.NoRoute
	if x.backend != nil {
		metrics = x.server.Metrics.Pool(x.backend.Pool.Slot)
		metrics.Decision(x.decision.Outcome, x.decision.Reason)
	}
	metrics.Request(x.status(), took)
	if x.server.AccessLog != nil {
		x.log(took)
	}
}

func (x *exchange) status() int {
	if !x.answered {
		return clientClosed
	}
	return x.resp.Status
}

func (x *exchange) log(took time.Duration) {
	a := observe.Access{
		Start: x.start, Took: took,
		Client: x.peerText, Protocol: x.protocol,
		Method: x.req.Method, Host: x.host, Path: x.path,
		Status: x.status(), Bytes: x.sent,
		Closed:    x.isClosed(),
		RequestID: x.requestID(), Attempts: x.tried.count, Outcome: x.decision.Outcome, Reason: x.decision.Reason,
	}
	if x.client != x.peer {
		a.Client = x.client.String()
	}
	if x.backend != nil {
		a.Pool = x.backend.Pool.Name
	}
	if x.endpoint != nil {
		a.Endpoint = x.endpoint.Label
	}
	x.server.AccessLog.Write(x.shard, &a)
}
