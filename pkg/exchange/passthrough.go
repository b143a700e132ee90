package exchange

import (
	"net/netip"
	"time"

	"github.com/limpet-dev/limpet/pkg/affinity"
	"github.com/limpet-dev/limpet/pkg/observe"
	"github.com/limpet-dev/limpet/pkg/routing"
)

// Passthrough connects the client of c to a pod of a backend, for a tunnel of TLS that Limpet does not decrypt. hello has the
// bytes that the client has sent so far, with the name of the host. Only the client address decides the pod. It returns nil
// if no pod can be reached, and records that.
func (c *Connection) Passthrough(backend *routing.Backend, host string, hello []byte) *Tunnel {
	e, set, now := c.Engine, backend.Pool.Set(), time.Now()
	access := observe.Access{
		Start: now, Client: c.PeerText, Scheme: "https", Protocol: "TLS", Host: []byte(host), Pool: backend.Pool.Name,
		Failure: observe.FailureNoEndpoints,
	}
	metrics := e.Metrics.Pool(backend.Pool.Slot)
	var d affinity.Decision
	client := addressOnly{c.Peer}
	probe := set.Probe()
	if probe != nil {
		set = probe.Set
	}
	defer probe.Abandon()
	backend.Policy.Decide(&d, client, set, e.Keys.Load(), c.Memory, now.Unix())
	preamble := append(proxyHeader(backend.Transport.ProxyProtocol, netip.AddrPortFrom(c.Peer, c.PeerPort), c.Local), hello...)
	for d.Endpoint >= 0 && access.Attempts < max(e.MaxAttempts, 1) {
		if access.Attempts++; access.Attempts > 1 {
			metrics.Retry()
		}
		endpoint := set.Endpoint(d.Endpoint)
		endpoint.BeginRequest()
		if access.Failure = exceededLimit(backend, set, endpoint); access.Failure != observe.FailureNone {
			endpoint.EndRequest()
			metrics.Failure(access.Failure)
			break
		}
		conn, err := endpoint.Dial(&e.dialer, backend.Transport, preamble)
		if err == nil {
			endpoint.Responded()
			if probe.IsFor(endpoint) {
				probe.Succeeded()
			}
			if d.Session != 0 {
				unknown := endpoint.SessionServed(d.Session)
				endpoint.SessionResponded(d.Session, backend.Policy.SessionWindow(), backend.Policy.StartsSession(&d, unknown))
			}
			metrics.Decision(d.Outcome, d.Reason)
			access.Failure, access.Endpoint, access.Outcome, access.Reason = observe.FailureNone, endpoint.Label(), d.Outcome, d.Reason
			t := &Tunnel{conn: conn, endpoint: endpoint, kind: observe.StreamPassthrough, sent: int64(len(hello))}
			return c.passthroughTunnel(t, &access)
		}
		endpoint.EndRequest()
		endpoint.ConnectFailed()
		recordDialFailure(backend, endpoint, probe, err)
		access.Failure = dialFailure(err)
		metrics.Failure(access.Failure)
		if backend.Policy.Next(&d, client, set) < 0 {
			break
		}
	}
	c.recordUnconnected(metrics, &access)
	return nil
}

// passthroughTunnel completes a tunnel.
func (c *Connection) passthroughTunnel(t *Tunnel, access *observe.Access) *Tunnel {
	t.idle = c.Engine.Timeouts.Passthrough
	if c.Engine.AccessLog != nil {
		t.access = newTunnelAccess(access, c.Shard)
	}
	return t
}

// recordUnconnected records a connection for which no pod could be reached.
func (c *Connection) recordUnconnected(metrics *observe.PoolMetrics, access *observe.Access) {
	if access.Failure == observe.FailureNoEndpoints {
		metrics.Failure(access.Failure)
	}
	if c.Engine.AccessLog != nil {
		access.Took = time.Since(access.Start)
		c.Engine.AccessLog.Write(c.Shard, access)
	}
}

// addressOnly is a client of which only the address is known. It implements affinity.Request.
type addressOnly struct{ ip netip.Addr }

func (addressOnly) Header(string) ([]byte, bool) { return nil, false }
func (addressOnly) CookieHeader(int) []byte      { return nil }
func (addressOnly) Method() []byte               { return nil }
func (addressOnly) Host() []byte                 { return nil }
func (addressOnly) ClientCertificate() []byte    { return nil }
func (addressOnly) Path() []byte                 { return nil }
func (addressOnly) Query() []byte                { return nil }
func (a addressOnly) ClientIP() netip.Addr       { return a.ip }
