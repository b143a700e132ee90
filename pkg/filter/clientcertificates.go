package exchange

import "net/http"

// permit sees that the connection is one over which the route may be reached. If not it answers, and returns false.
func (x *Exchange) permit() bool {
	status, why := x.objection()
	if status == 0 {
		return true
	}
	x.answer(status, why)
	return false
}

const (
	notInClear  = "This host asks clients for certificates, and is served over TLS only."
	notVerified = "This path asks clients for other certificates than its host does."
	notHere     = "This host is not served over this connection."
)

// objection says what speaks against serving the request over its connection. A request for another host than the client
// named in the handshake is served where the certificate covers that host as well, and the handshake for it would have
// come to the same; else the client is told to connect once more (RFC 9110 section 15.5.20).
func (x *Exchange) objection() (status int, why string) {
	s, want := x.TLS, x.route.Clients
	if s == nil {
		if want != nil && want.Required {
			return http.StatusForbidden, notInClear
		}
		return 0, ""
	}
	if string(x.host) != s.Name && !x.coalesces() {
		return http.StatusMisdirectedRequest, notHere
	}
	if want == nil || want.Fingerprint == s.Host.ClientFingerprint() {
		return 0, ""
	}
	if x.table.TLS(x.host).ClientFingerprint() == want.Fingerprint {
		return http.StatusMisdirectedRequest, notHere // the table has changed since the handshake
	}
	return http.StatusForbidden, notVerified
}

// coalesces reports whether a connection may be used for another host than it was made for. A client that named none in
// its handshake has seen to the certificate itself, and so has a trusted proxy: it may know us by a name of its own.
func (x *Exchange) coalesces() bool {
	s, h := x.TLS, x.table.TLS(x.host)
	if h.ClientFingerprint() != s.Host.ClientFingerprint() || h != nil && s.Version < h.MinVersion {
		return false
	}
	return s.Name == "" || x.Trusted || x.Engine.Certs.Covers(s.Name, string(x.host))
}
