package nginx

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/limpet-dev/limpet/test/certificates"
)

// podAddresses are the addresses of the three pods that all Services share.
var podAddresses = []string{"10.250.0.11", "10.250.0.12", "10.250.0.13"}

// The ports of the pods. Services whose port is one of tlsPorts have their pods on the port with TLS.
const (
	clearPort = "8080"
	tlsPort   = "8443"
)

// seen is the request that a pod received. It is the body of its responses.
type seen struct {
	Pod    string
	Method string
	Target string
	Host   string
	Proto  string
	Header http.Header
	Body   int64
}

// startPods starts the pods, which end with the test.
func startPods(t *testing.T) {
	t.Helper()
	for _, address := range podAddresses {
		startPod(t, address, pod(address))
	}
}

// startPod starts a pod, which ends with the test. stop ends it earlier.
func startPod(t *testing.T, address string, handler http.Handler) (stop func()) {
	t.Helper()
	cert := certificates.SelfSigned(t, x509.Certificate{DNSNames: []string{"pod.test"}})
	protocols := &http.Protocols{}
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(true)
	protocols.SetUnencryptedHTTP2(true)
	server := &http.Server{
		Handler: handler, Protocols: protocols, TLSConfig: &tls.Config{Certificates: []tls.Certificate{*cert}},
	}
	t.Cleanup(func() { server.Close() })
	cleartext, secure := listen(t, net.JoinHostPort(address, clearPort)), listen(t, net.JoinHostPort(address, tlsPort))
	go func() { _ = server.Serve(cleartext) }()
	go func() { _ = server.ServeTLS(secure, "", "") }()
	return func() { server.Close() }
}

func listen(t *testing.T, address string) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// pod responds with what it received. It has the paths of an authentication service too, and a redirect as apps that do not
// know their external URL send it.
func pod(name string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, _ := io.Copy(io.Discard, r.Body)
		switch {
		case strings.HasPrefix(r.URL.Path, "/oauth2/auth"), strings.HasPrefix(r.URL.Path, "/outpost.goauthentik.io/auth"):
			authenticate(w, r)
			return
		case r.URL.Path == "/auth":
			authorize(w, r)
			return
		case r.URL.Path == "/auth-echo":
			authorizeWithEcho(w, r)
			return
		case r.URL.Path == "/missing":
			w.WriteHeader(http.StatusNotFound)
			return
		case answerFixed(w, r):
			return
		case r.URL.Path == "/unavailable" && name == podAddresses[1]:
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(seen{
			Pod: name, Method: r.Method, Target: r.RequestURI, Host: r.Host, Proto: r.Proto, Header: r.Header, Body: n,
		})
	})
}

// authenticate admits clients with the cookie _oauth2_proxy=valid, as oauth2-proxy does.
func authenticate(w http.ResponseWriter, r *http.Request) {
	if c, err := r.Cookie("_oauth2_proxy"); err != nil || c.Value != "valid" {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	w.Header().Set("X-Auth-Request-User", "alice")
	w.WriteHeader(http.StatusAccepted)
}

// authorize responds as the cookie session requests, for nginx's auth_request.
func authorize(w http.ResponseWriter, r *http.Request) {
	c, err := r.Cookie("session")
	switch {
	case err != nil:
		w.Header().Set("WWW-Authenticate", `Bearer realm="auth"`)
		w.WriteHeader(http.StatusUnauthorized)
	case c.Value == "forbidden":
		w.WriteHeader(http.StatusForbidden)
	case c.Value == "broken":
		w.WriteHeader(http.StatusBadGateway)
	default:
		w.Header().Set("X-User", "alice")
	}
}

// authorizeWithEcho admits clients with a cookie session. It sets a cookie, and a field with what it received.
func authorizeWithEcho(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Set-Cookie", "auth=1")
	if _, err := r.Cookie("session"); err != nil {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	w.Header().Set("X-Saw", strings.Join([]string{
		r.Method, r.Header.Get("X-Original-Method"), r.Header.Get("X-Original-URI"), r.Header.Get("X-Auth-Request-Redirect"),
		r.Header.Get("X-Tenant"),
	}, " "))
}

// answerFixed sends the redirects and cookies of apps that do not know their external URL.
func answerFixed(w http.ResponseWriter, r *http.Request) bool {
	h := w.Header()
	switch r.URL.Path {
	case "/redirect-to-pod":
		h.Set("Location", "http://"+r.Host+"/login")
	case "/internal-redirect":
		h.Set("Location", "http://internal.test/login?a=b")
		h.Set("Refresh", "3; url=http://internal.test/later")
	case "/other-redirect":
		h.Set("Location", "http://elsewhere.test/login")
	case "/cookies":
		h.Add("Set-Cookie", "a=1; Path=/internal/x; Domain=internal.test; HttpOnly")
		h.Add("Set-Cookie", "b=2; path=/other; domain=.internal.test")
		h.Add("Set-Cookie", "c=3; Domain=elsewhere.test")
		h.Add("Set-Cookie", "d=/internal; Secure")
		return true
	default:
		return false
	}
	w.WriteHeader(http.StatusFound)
	return true
}
