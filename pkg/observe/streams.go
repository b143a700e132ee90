package observe

import "github.com/prometheus/client_golang/prometheus"

// StreamKind tells apart what goes on for long between a client and a pod.
type StreamKind uint8

// The kinds of streams.
const (
	// StreamWebSocket: a connection, or a stream of one, that was upgraded.
	StreamWebSocket StreamKind = iota
	// StreamEvents: server-sent events.
	StreamEvents
	// StreamGRPC: a call whose answer goes on for long.
	StreamGRPC
	// StreamDownload: any other answer that goes on for long.
	StreamDownload

	// StreamKinds is how many there are.
	StreamKinds
)

var streamNames = [StreamKinds]string{"websocket", "events", "grpc", "download"}

// defineStreams makes the gauges before they are needed, so that each is there to be looked at while it is 0.
func (m *Metrics) defineStreams() {
	vec := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Namespace: "limpet", Name: "streams",
		Help: "Streams that are open: WebSockets, server-sent events, and gRPC calls and downloads that take long.",
	}, []string{"kind"})
	m.registry.MustRegister(vec)
	for kind, name := range streamNames {
		m.Streams[kind] = vec.With(prometheus.Labels{"kind": name})
	}
}
