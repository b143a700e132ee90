package observe

import "github.com/prometheus/client_golang/prometheus"

// Refusal is why the connection of a client was not served, or not served on.
type Refusal uint8

// Why connections are refused.
const (
	// RefusedFlood: more HTTP/2 frames that carry nothing than are allowed.
	RefusedFlood Refusal = iota
	// RefusedProxyHeader: no header of the PROXY protocol from a peer that must send one.
	RefusedProxyHeader
	// RefusedTotal: one more than may be open in all.
	RefusedTotal
	// RefusedClient: one more than may be open of one client.
	RefusedClient
	// RefusedHandshake: the TLS handshake failed, or did not come to its end in time.
	RefusedHandshake

	refusals
)

var refusalNames = [refusals]string{"flood", "proxy_protocol", "total_limit", "client_limit", "tls_handshake"}

// defineRefused makes the counters before they are needed, so that each is there to be looked at while it is 0.
func (m *Metrics) defineRefused() {
	vec := counter("connections_refused_total", "Client connections refused or ended, by reason.", "reason")
	m.registry.MustRegister(vec)
	for why, name := range refusalNames {
		m.refused[why] = vec.With(prometheus.Labels{"reason": name})
	}
}

// Refused counts a connection that was refused.
func (m *Metrics) Refused(why Refusal) { m.refused[why].Inc() }
