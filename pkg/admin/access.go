package admin

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// Right is a permission that a page of the admin listener requires of its clients.
type Right int

const (
	// Read is for pages that show routes, pods, sessions and problems.
	Read Right = iota
	// Control is for pages that change what the process does, or that measure it at a cost: drain, log level, profiles.
	Control
)

// Caller is who sent a request, and what they may do. The zero value is a client that is not authenticated.
type Caller struct {
	// Name is "loopback", "read token", "control token", or the name of a Kubernetes user.
	Name    string `json:"name"`
	Read    bool   `json:"read"`
	Control bool   `json:"control"`
	// Namespace, Pod and PodUID identify the pod that the token is bound to. They are empty if there is no pod.
	Namespace string `json:"-"`
	Pod       string `json:"-"`
	PodUID    string `json:"-"`
}

// Has reports whether the caller has a right.
func (c Caller) Has(r Right) bool {
	if r == Control {
		return c.Control
	}
	return c.Read
}

// Access decides what clients may do. The zero value allows nothing.
type Access struct {
	// TrustLoopback grants both rights to clients on loopback addresses without a token, if their Host is a loopback name too. It
	// must be false in the network of a node, where every process of the node connects from loopback.
	TrustLoopback bool
	// ReadToken and ControlToken return the bearer tokens that grant Read, or both rights. "" means that there is no such token.
	// They are called once per request, so that tokens can be replaced. Nil means the same as "".
	ReadToken, ControlToken func() (string, error)
	// Review returns the caller of any other bearer token, for example from the API server. See Reviews. Nil knows no tokens.
	Review func(ctx context.Context, token string) (Caller, error)
}

// Identify returns the caller of a request. An error means that the bearer token cannot be verified now.
func (a *Access) Identify(r *http.Request) (Caller, error) {
	if a.TrustLoopback && isLoopback(r) {
		if caller := loopbackCaller(r); caller.Name != "" {
			return caller, nil
		}
	}
	token := bearerToken(r)
	if token == "" {
		return Caller{}, nil
	}
	for _, known := range []struct {
		read   func() (string, error)
		caller Caller
	}{
		{a.ControlToken, Caller{Name: "control token", Read: true, Control: true}},
		{a.ReadToken, Caller{Name: "read token", Read: true}},
	} {
		if known.read == nil {
			continue
		}
		want, err := known.read()
		if err != nil {
			return Caller{}, err
		}
		if want != "" && equal(token, want) {
			return known.caller, nil
		}
	}
	if a.Review == nil {
		return Caller{}, nil
	}
	return a.Review(r.Context(), token)
}

// isLoopback reports whether a request comes from loopback and names loopback. Without the condition for the Host field, a web
// page could be such a client through a browser of the same machine with DNS rebinding.
func isLoopback(r *http.Request) bool {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	return err == nil && peer.Addr().Unmap().IsLoopback() && isLoopbackHost(r.Host)
}

// loopbackCaller returns the caller of a request on loopback. Other web pages in the browser of an operator have no rights, but
// links in them to pages that only show something work.
func loopbackCaller(r *http.Request) Caller {
	switch {
	case !isCrossOrigin(r):
		return Caller{Name: "loopback", Read: true, Control: true}
	case r.Method == http.MethodGet && r.Header.Get("Sec-Fetch-Dest") == "document":
		return Caller{Name: "loopback", Read: true}
	}
	return Caller{}
}

// isCrossOrigin reports whether a browser sent the request for a page of another origin.
func isCrossOrigin(r *http.Request) bool {
	switch site := r.Header.Get("Sec-Fetch-Site"); site {
	case "same-origin", "none":
		return false
	case "":
	default:
		return true
	}
	origin := r.Header.Get("Origin")
	if origin == "" {
		return false // not a browser, or not a request of a page
	}
	u, err := url.Parse(origin)
	return err != nil || !strings.EqualFold(u.Host, r.Host)
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

// bearerToken returns the bearer token of a request, or "".
func bearerToken(r *http.Request) string {
	scheme, token, found := strings.Cut(r.Header.Get("Authorization"), " ")
	if !found || !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

// Guard serves next only to clients that have a right.
func (a *Access) Guard(right Right, next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		caller, err := a.Identify(r)
		switch {
		case err != nil:
			writeText(w, http.StatusServiceUnavailable, "the token cannot be verified now")
		case caller.Has(right):
			next(w, r)
		case caller.Name != "" && right == Control:
			writeText(w, http.StatusForbidden, caller.Name+" may not do this: it needs the right to control")
		case caller.Name != "":
			writeText(w, http.StatusForbidden, caller.Name+" may not read this")
		default:
			a.refuse(w)
		}
	}
}

// refuse responds to a client that is not authenticated.
func (a *Access) refuse(w http.ResponseWriter) {
	if a.acceptsTokens() {
		w.Header().Set("WWW-Authenticate", `Bearer realm="limpet"`)
		writeText(w, http.StatusUnauthorized, "send a token that Limpet accepts as Authorization: Bearer TOKEN")
		return
	}
	writeText(w, http.StatusForbidden, "connect to a loopback address, for example with kubectl port-forward, "+
		"or set --admin-token-file")
}

// acceptsTokens reports whether there are tokens that grant a right.
func (a *Access) acceptsTokens() bool {
	return a.ReadToken != nil || a.ControlToken != nil || a.Review != nil
}

// caller responds with the Caller, so that pages know what to offer.
func (a *Access) caller(w http.ResponseWriter, r *http.Request) {
	caller, err := a.Identify(r)
	if err != nil {
		writeText(w, http.StatusServiceUnavailable, "the token cannot be verified now")
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(caller) // the client is gone
}
