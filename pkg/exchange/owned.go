package exchange

import (
	"bytes"

	"github.com/limpet-dev/limpet/pkg/affinity"
	"github.com/limpet-dev/limpet/pkg/http1"
	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/routing"
	"github.com/limpet-dev/limpet/pkg/upstream"
)

// NTLM and Negotiate authenticate a connection, not a request (RFC 4559 section 6). After the handshake, a pod treats all
// requests on the connection as those of one user. So the upstream connection belongs to the client connection from the
// handshake until either ends, and no other client gets it.

// connectionSchemes are the authentication schemes that authenticate connections.
var connectionSchemes = [...]string{"NTLM", "Negotiate", "Kerberos", "Nego2"}

// namesConnectionScheme reports whether a field with that ID has credentials or a challenge of a connectionScheme. It does not
// interpret quotes: at worst, a connection is not shared that could be.
func namesConnectionScheme(m *http1.Message, id http1.FieldID) bool {
	if !m.Has(id) {
		return false
	}
	for i := range m.Fields {
		if f := &m.Fields[i]; f.ID == id && listsConnectionScheme(f.Value) {
			return true
		}
	}
	return false
}

func listsConnectionScheme(list []byte) bool {
	for element, rest := http1.NextElement(list); element != nil; element, rest = http1.NextElement(rest) {
		scheme := element
		if end := bytes.IndexAny(element, " \t"); end >= 0 {
			scheme = element[:end]
		}
		for _, name := range connectionSchemes {
			if http1.EqualFold(scheme, name) {
				return true
			}
		}
	}
	return false
}

// noteOwner marks the connection as owned if the request or the response takes part in such a handshake. The client may begin
// it without a challenge.
func (x http1Attempt) noteOwner() {
	if namesConnectionScheme(&x.req.Message, http1.FieldAuthorization) ||
		namesConnectionScheme(&x.resp.Message, http1.FieldWWWAuthenticate) ||
		namesConnectionScheme(&x.resp.Message, http1.FieldProxyAuthenticate) {
		x.conn.IsOwned = true
	}
}

// keepConn keeps the connection for the next request. An owned one is closed if its client multiplexes requests, because the
// connection would then serve all of them in any order. It is also closed if it began with a PROXY protocol header for a client
// of a trusted proxy, because the next request may be from another one.
func (x http1Attempt) keepConn() {
	switch {
	case !x.conn.IsOwned:
		x.endpoint.PutIdle(x.conn, x.Shard, x.start)
	case x.Multiplexed || x.Trusted && !x.backend.Transport.IsShared():
		x.conn.Close()
	default:
		x.owned.Put(x.conn, x.endpoint)
	}
}

// takeOwned returns the connection to the endpoint that the client connection owns, or nil.
func (x *Exchange) takeOwned(deferCheck bool) *upstream.Conn {
	if x.owned.IsEmpty() {
		return nil
	}
	return x.owned.Take(x.endpoint, x.backend.Transport, deferCheck)
}

// preferOwned sends a request without a session to the endpoint to which its client connection owns a connection. Another
// endpoint would not know the user, and would not complete a handshake.
func (x *Exchange) preferOwned() {
	if x.decision.Endpoint < 0 || x.decision.Outcome != affinity.OutcomeNone && x.decision.Outcome != affinity.OutcomeNew {
		return
	}
	if i := ownedEndpoint(x.Connection, x.backend, x.set); i >= 0 {
		x.decision.Endpoint = i
	}
}

// isAtOwned reports whether the client connection owns a connection to the chosen endpoint.
func (x *Exchange) isAtOwned() bool {
	return !x.owned.IsEmpty() && x.owned.Has(x.set.Endpoint(x.decision.Endpoint), x.backend.Transport)
}

// ownedBackend returns the backend of the route to which the client connection owns a connection, or nil.
func (s *selection) ownedBackend(r *request) *routing.Backend {
	for i := range s.route.Backends {
		b := &s.route.Backends[i]
		if b.Weight > 0 && ownedEndpoint(r.Connection, b, b.Pool.Set()) >= 0 {
			return b
		}
	}
	return nil
}

// ownedEndpoint returns the index of the ready endpoint to which the client connection owns a connection, or -1.
func ownedEndpoint(c *Connection, b *routing.Backend, set *upstream.Set) int {
	if c.owned.IsEmpty() {
		return -1
	}
	for i := range set.Len() {
		if e := set.Endpoint(i); e.State == model.EndpointReady && c.owned.Has(e, b.Transport) {
			return i
		}
	}
	return -1
}
