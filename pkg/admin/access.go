package admin

import (
	"crypto/sha256"
	"crypto/subtle"
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// Access decides who may read the debug pages. The zero value allows no client.
type Access struct {
	// TrustLoopback allows clients on loopback addresses without a token, if their Host is a loopback name too. It must be false
	// in the network of a node, where every process of the node connects from loopback.
	TrustLoopback bool
	// Token returns the bearer token that other clients must send. "" means that no token is configured. It is called once per
	// request, so that the token can be replaced. Nil means the same as "".
	Token func() (string, error)
}

// verdict is the decision about a client.
type verdict int

const (
	allowed      verdict = iota
	unauthorized         // another token would be accepted
	forbidden            // no token is configured
)

// client is the part of a request that the decision depends on.
type client struct {
	peer  netip.Addr // invalid if it is unknown
	host  string     // the Host field
	token string     // the bearer token, or ""
}

// decide returns whether c may read the debug pages if want is the configured token. The Host field must name loopback, because
// otherwise a web page could read them through a browser of the same machine with DNS rebinding.
func (a *Access) decide(c client, want string) verdict {
	switch {
	case a.TrustLoopback && c.peer.Unmap().IsLoopback() && isLoopbackHost(c.host):
		return allowed
	case want == "":
		return forbidden
	case !equal(c.token, want):
		return unauthorized
	}
	return allowed
}

// equal compares two secrets in constant time, regardless of their lengths.
func equal(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}

// isLoopbackHost reports whether a Host field names loopback, with or without a port.
func isLoopbackHost(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	if strings.EqualFold(strings.TrimSuffix(host, "."), "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}

func clientOf(r *http.Request) client {
	c := client{host: r.Host}
	if peer, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		c.peer = peer.Addr()
	}
	if scheme, token, found := strings.Cut(r.Header.Get("Authorization"), " "); found && strings.EqualFold(scheme, "Bearer") {
		c.token = strings.TrimSpace(token)
	}
	return c
}

// guard serves next only to clients that Access allows.
func (a *Access) guard(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var want string
		if a.Token != nil {
			var err error
			if want, err = a.Token(); err != nil {
				writeText(w, http.StatusInternalServerError, "the admin token cannot be read")
				return
			}
		}
		switch a.decide(clientOf(r), want) {
		case allowed:
			next(w, r)
		case unauthorized:
			w.Header().Set("WWW-Authenticate", `Bearer realm="limpet"`)
			writeText(w, http.StatusUnauthorized, "send the token of --admin-token-file as Authorization: Bearer TOKEN")
		case forbidden:
			writeText(w, http.StatusForbidden, "connect to a loopback address, for example with kubectl port-forward, "+
				"or set --admin-token-file")
		}
	}
}
