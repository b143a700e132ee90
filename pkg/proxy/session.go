package proxy

// nextEndpoint moves on to the next candidate, after the one decided on could not be reached.
func (x *exchange) nextEndpoint() bool {
	x.endpoint.Refused()
	return x.backend.Policy.Next(&x.decision, x, x.set) >= 0
}

// holdSession remembers that the endpoint has answered the session, and makes the one Set-Cookie if the client must
// be told where it belongs.
func (x *exchange) holdSession() {
	x.endpoint.Accepted()
	if x.decision.Session != 0 {
		x.endpoint.Served(x.decision.Session)
	}
	x.cookie = x.cookie[:0]
	if x.decision.Issue {
		keys := x.server.Keys.Load()
		x.cookie = x.backend.Policy.AppendSetCookie(x.cookie, &x.decision, x.set, keys, x.memory, x.tls)
	}
}
