package observe

import "github.com/prometheus/client_golang/prometheus"

// StreamKind classifies long-lived exchanges between a client and a pod.
type StreamKind uint8

// The kinds of streams.
const (
	// StreamWebSocket: an upgraded HTTP/1.1 connection, or an extended CONNECT stream.
	StreamWebSocket StreamKind = iota
	// StreamEvents: a response with server-sent events.
	StreamEvents
	// StreamGRPC: a gRPC call with a long-running response.
	StreamGRPC
	// StreamDownload: any other long-running response.
	StreamDownload
	// StreamUpgrade: an HTTP/1.1 connection upgraded to another protocol than WebSocket.
	StreamUpgrade
	// StreamPassthrough: a TLS connection that is passed through to a pod.
	StreamPassthrough

	// StreamKinds is the number of kinds.
	StreamKinds
)

var streamNames = [StreamKinds]string{"websocket", "events", "grpc", "download", "upgrade", "passthrough"}

// defineStreams creates all gauges in advance, so that they are exported with the value 0.
func (m *Metrics) defineStreams() {
	vec := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Namespace: "limpet", Name: "streams",
		Help: "Open streams: WebSockets and other upgrades, server-sent events, long-running gRPC calls and downloads, and TLS" +
			" connections that are passed through.",
	}, []string{"kind"})
	m.registry.MustRegister(vec)
	for kind, name := range streamNames {
		m.Streams[kind] = vec.With(prometheus.Labels{"kind": name})
	}
}
