package admin

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
)

func TestAccess_decide(t *testing.T) {
	const loopback, pod = "127.0.0.1", "10.1.2.3"
	for _, c := range []struct {
		name              string
		trust             bool
		peer, host, token string
		want              string
		verdict           verdict
	}{
		{"loopback", true, loopback, "localhost:9090", "", "", allowed},
		{"loopback by address", true, "127.8.8.8", "127.0.0.1:9090", "", "", allowed},
		{"loopback by IPv6", true, "::1", "[::1]:9090", "", "", allowed},
		{"loopback by mapped IPv4", true, "::ffff:127.0.0.1", "LOCALHOST", "", "", allowed},
		{"rebound name", true, loopback, "evil.example.com:9090", "", "", forbidden},
		{"name below localhost", true, loopback, "localhost.example.com", "", "", forbidden},
		{"no Host", true, loopback, "", "", "", forbidden},
		{"node network", false, loopback, "localhost:9090", "", "", forbidden},
		{"node network with token", false, loopback, "localhost:9090", "secret", "secret", allowed},
		{"other pod", true, pod, "localhost:9090", "", "", forbidden},
		{"other pod without token", true, pod, "10.1.2.9:9090", "", "secret", unauthorized},
		{"other pod with wrong token", true, pod, "10.1.2.9:9090", "secreT", "secret", unauthorized},
		{"other pod with prefix", true, pod, "10.1.2.9:9090", "secre", "secret", unauthorized},
		{"other pod with token", true, pod, "10.1.2.9:9090", "secret", "secret", allowed},
		{"empty token", true, pod, "10.1.2.9:9090", "", "", forbidden},
		{"unknown peer", true, "", "localhost:9090", "", "", forbidden},
	} {
		a := Access{TrustLoopback: c.trust}
		peer, _ := netip.ParseAddr(c.peer) // invalid for the unknown peer
		if got := a.decide(client{peer, c.host, c.token}, c.want); got != c.verdict {
			t.Errorf("%s: got verdict %d, want %d", c.name, got, c.verdict)
		}
	}
}

// request sends a GET from a peer to h, and returns the status.
func request(t *testing.T, h http.Handler, peer, path, authorization string) int {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://10.1.2.9:9090"+path, nil)
	r.RemoteAddr = peer
	if authorization != "" {
		r.Header.Set("Authorization", authorization)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code
}

func TestHandler_guardsDebugPages(t *testing.T) {
	ready := true
	token, err := "first", error(nil)
	o := testOptions(&ready)
	o.Access = Access{Token: func() (string, error) { return token, err }}
	h := New(o).Handler()
	const pod = "10.1.2.3:5000"
	for _, path := range []string{"/healthz", "/readyz", "/metrics"} {
		if status := request(t, h, pod, path, ""); status != http.StatusOK {
			t.Errorf("%s without a token: status %d", path, status)
		}
	}
	const page = "/debug/table"
	if status := request(t, h, pod, page, ""); status != http.StatusUnauthorized {
		t.Errorf("without a token: status %d", status)
	}
	if status := request(t, h, pod, page, "Basic first"); status != http.StatusUnauthorized {
		t.Errorf("with another scheme: status %d", status)
	}
	if status := request(t, h, pod, page, "bearer first"); status != http.StatusOK {
		t.Errorf("with the token: status %d", status)
	}
	token = "second"
	if status := request(t, h, pod, page, "Bearer first"); status != http.StatusUnauthorized {
		t.Errorf("with a replaced token: status %d", status)
	}
	token, err = "", errors.New("no such file")
	if status := request(t, h, pod, page, "Bearer second"); status != http.StatusInternalServerError {
		t.Errorf("with an unreadable token: status %d", status)
	}
}

func TestProbeHandler_noDebugPages(t *testing.T) {
	ready := true
	h := New(testOptions(&ready)).ProbeHandler()
	for path, want := range map[string]int{"/healthz": 200, "/readyz": 200, "/metrics": 200, "/debug/table": 404} {
		if status := request(t, h, "127.0.0.1:5000", path, ""); status != want {
			t.Errorf("%s: status %d, want %d", path, status, want)
		}
	}
}
