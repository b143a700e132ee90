package admin

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// token returns a function that returns a fixed token.
func token(text string) func() (string, error) { return func() (string, error) { return text, nil } }

func TestAccess_identify(t *testing.T) {
	const loopback, pod, read, control = "127.0.0.1:5000", "10.1.2.3:5000", "secret-to-read", "secret-to-control"
	for _, c := range []struct {
		name              string
		trust             bool
		peer, host, token string
		want              string // the rights: "", "read" or "control"
	}{
		{"loopback", true, loopback, "localhost:9090", "", "control"},
		{"loopback by address", true, "127.8.8.8:5000", "127.0.0.1:9090", "", "control"},
		{"loopback by IPv6", true, "[::1]:5000", "[::1]:9090", "", "control"},
		{"loopback by mapped IPv4", true, "[::ffff:127.0.0.1]:5000", "LOCALHOST", "", "control"},
		{"rebound name", true, loopback, "evil.example.com:9090", "", ""},
		{"name below localhost", true, loopback, "localhost.example.com", "", ""},
		{"no Host", true, loopback, "", "", ""},
		{"node network", false, loopback, "localhost:9090", "", ""},
		{"node network with token", false, loopback, "localhost:9090", control, "control"},
		{"other pod", true, pod, "localhost:9090", "", ""},
		{"other pod with wrong token", true, pod, "10.1.2.9:9090", "Secret-to-read", ""},
		{"other pod with prefix", true, pod, "10.1.2.9:9090", "secret-to", ""},
		{"other pod with read token", true, pod, "10.1.2.9:9090", read, "read"},
		{"other pod with control token", true, pod, "10.1.2.9:9090", control, "control"},
		{"unknown peer", true, "", "localhost:9090", "", ""},
	} {
		a := Access{TrustLoopback: c.trust, ReadToken: token(read), ControlToken: token(control)}
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/debug/table", nil)
		r.RemoteAddr, r.Host = c.peer, c.host
		if c.token != "" {
			r.Header.Set("Authorization", "Bearer "+c.token)
		}
		if got := rightsOf(t, &a, r); got != c.want {
			t.Errorf("%s: got right %q, want %q", c.name, got, c.want)
		}
	}
}

// rightsOf returns the highest right of the caller: "", "read" or "control".
func rightsOf(t *testing.T, a *Access, r *http.Request) string {
	t.Helper()
	caller, err := a.Identify(r)
	switch {
	case err != nil:
		t.Fatal(err)
	case caller.Has(Control) && caller.Has(Read):
		return "control"
	case caller.Has(Read):
		return "read"
	case caller.Has(Control):
		t.Error("the caller may control but not read")
	}
	return ""
}

// A page of another origin in the browser of an operator could otherwise steer through loopback, which needs no token.
func TestAccess_pagesOfOtherOrigins(t *testing.T) {
	for _, c := range []struct {
		name, method       string
		origin, site, dest string
		want               string
	}{
		{"own page", http.MethodPost, "http://localhost:9090", "same-origin", "empty", "control"},
		{"own page in an old browser", http.MethodPost, "http://localhost:9090", "", "", "control"},
		{"address bar", http.MethodGet, "", "none", "document", "control"},
		{"link in another page", http.MethodGet, "", "cross-site", "document", "read"},
		{"form of another page", http.MethodPost, "http://evil.example", "cross-site", "document", ""},
		{"frame of another page", http.MethodGet, "", "cross-site", "iframe", ""},
		{"script of another page", http.MethodGet, "", "cross-site", "script", ""},
		{"other port of localhost", http.MethodGet, "http://localhost:3000", "same-site", "empty", ""},
		{"another page in an old browser", http.MethodPost, "http://evil.example", "", "", ""},
		{"page without an origin", http.MethodPost, "null", "", "", ""},
	} {
		a := Access{TrustLoopback: true}
		r := httptest.NewRequestWithContext(t.Context(), c.method, "http://localhost:9090/debug/table", nil)
		r.RemoteAddr = "127.0.0.1:5000"
		for name, value := range map[string]string{"Origin": c.origin, "Sec-Fetch-Site": c.site, "Sec-Fetch-Dest": c.dest} {
			if value != "" {
				r.Header.Set(name, value)
			}
		}
		if got := rightsOf(t, &a, r); got != c.want {
			t.Errorf("%s: got right %q, want %q", c.name, got, c.want)
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
	o.Access = Access{ReadToken: func() (string, error) { return token, err }}
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
	if status := request(t, h, pod, page, "Bearer second"); status != http.StatusServiceUnavailable {
		t.Errorf("with an unreadable token: status %d", status)
	}
}

func TestHandler_readersCannotControl(t *testing.T) {
	ready := true
	o := testOptions(&ready)
	o.Access = Access{ReadToken: token("read"), ControlToken: token("control")}
	h := New(o).Handler()
	for _, c := range []struct {
		path, token string
		want        int
	}{
		{"/debug/log-level", "read", http.StatusOK},
		{"/debug/pprof/", "read", http.StatusForbidden},
		{"/debug/pprof/heap", "read", http.StatusForbidden},
		{"/debug/pprof/heap", "control", http.StatusOK},
		{"/debug/pprof/heap", "neither", http.StatusUnauthorized},
	} {
		if status := request(t, h, "10.1.2.3:5000", c.path, "Bearer "+c.token); status != c.want {
			t.Errorf("%s with token %q: status %d, want %d", c.path, c.token, status, c.want)
		}
	}
	put := httptest.NewRequestWithContext(t.Context(), http.MethodPut, "/debug/log-level", strings.NewReader("debug"))
	put.Header.Set("Authorization", "Bearer read")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, put)
	if w.Code != http.StatusForbidden {
		t.Errorf("a reader sets the log level: status %d", w.Code)
	}
}

func TestHandler_namesTheCaller(t *testing.T) {
	ready := true
	o := testOptions(&ready)
	o.Access = Access{ReadToken: token("read")}
	h := New(o).Handler()
	for sent, want := range map[string]string{
		"":      `{"name":"","read":false,"control":false}`,
		"read":  `{"name":"read token","read":true,"control":false}`,
		"wrong": `{"name":"","read":false,"control":false}`,
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/api/access", nil)
		r.Header.Set("Authorization", "Bearer "+sent)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if got := strings.TrimSpace(w.Body.String()); w.Code != http.StatusOK || got != want {
			t.Errorf("token %q: status %d, %s, want %s", sent, w.Code, got, want)
		}
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
