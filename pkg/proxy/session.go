package proxy

import "github.com/limpet-dev/limpet/pkg/http1"

// nextEndpoint moves on to the next candidate, after the one decided on could not be reached.
func (x *exchange) nextEndpoint() bool {
	x.endpoint.Refused()
	return x.backend.Policy.Next(&x.decision, x, x.set) >= 0
}

// holdSession remembers that the endpoint has answered the session, and gives the client a token if it must be told
// where it belongs. An app that releases the session gets neither.
func (x *exchange) holdSession() {
	x.endpoint.Accepted()
	x.cookie = x.cookie[:0]
	if x.resp.Has(http1.FieldLimpetReleaseSession) {
		x.releaseSession()
		return
	}
	if x.decision.Session != 0 {
		x.endpoint.Served(x.decision.Session)
	}
	if x.decision.Issue {
		x.issueToken()
	}
}

func (x *exchange) issueToken() {
	policy := x.backend.Policy
	token := policy.AppendToken(x.cookie, &x.decision, x.set, x.server.Keys.Load(), x.memory, x.tls)
	header := policy.TokenHeader(&x.decision)
	if header == nil {
		x.cookie = token
		return
	}
	x.edited = append(x.edited[:0], token...)
	x.resp.Add(header, x.edited)
}

// releaseSession makes the client forget what binds it: its next request is that of a new client.
func (x *exchange) releaseSession() {
	x.decision.Issue = false
	policy := x.backend.Policy
	for i := range policy.CookieNames() {
		start := len(x.edited)
		x.edited = policy.AppendExpiry(x.edited, i, x.tls)
		x.resp.Add(setCookie, x.edited[start:])
	}
}

var setCookie = []byte("Set-Cookie")
