package observe

import "github.com/prometheus/client_golang/prometheus"

// Refusal is the reason reason a client connection was refused or closed.
type Refusal uint8

// The reasons for refusing a connection.
const (
	// RefusedFlood: the client exceeded the limit on HTTP/2 frames without payload, or on stream resets.
	RefusedFlood Refusal = iota
	// RefusedProxyHeader: a peer that must send a PROXY protocol header did not.
	RefusedProxyHeader
	// RefusedTotal: the limit on open connections was reached.
	RefusedTotal
	// RefusedClient: the client's limit on open connections was reached.
	RefusedClient
	// RefusedHandshake: the TLS handshake failed or timed out.
	RefusedHandshake

	refusals
)

var refusalNames = [refusals]string{"flood", "proxy_protocol", "total_limit", "client_limit", "tls_handshake"}

// defineRefused creates all counters in advance, so that they are exported with the value 0.
func (m *Metrics) defineRefused() {
	vec := counter("connections_refused_total", "Client connections refused or ended, by reason.", "reason")
	m.registry.MustRegister(vec)
	for reason, name := range refusalNames {
		m.refused[reason] = vec.With(prometheus.Labels{"reason": name})
	}
}

// Refused counts a refused connection.
func (m *Metrics) Refused(reason Refusal) { m.refused[reason].Inc() }
