package peers

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	oldKey, newKey, otherKey = [32]byte{1}, [32]byte{2}, [32]byte{3}
)

func keysOf(keys ...[32]byte) Keys { return func() [][32]byte { return keys } }

// start serves handler to replicas with the keys of s.
func start(t *testing.T, s *Server, handler http.HandlerFunc) netip.AddrPort {
	t.Helper()
	server := httptest.NewServer(s.Guard(handler))
	t.Cleanup(server.Close)
	return netip.MustParseAddrPort(server.Listener.Addr().String())
}

// get sends a request to one replica.
func get(t *testing.T, keys Keys, to netip.AddrPort) Response {
	t.Helper()
	c := &Client{Keys: keys, Replicas: func() []Replica { return []Replica{{Name: "limpet-2", Address: to}} }}
	defer c.Close()
	return c.Do(t.Context(), http.MethodPost, "/peers/echo?a=1", []byte("body"), 100)[0]
}

func echo(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	_, _ = w.Write([]byte(r.URL.RequestURI() + " " + string(body)))
}

func TestDo_sameKeys(t *testing.T) {
	to := start(t, &Server{Keys: keysOf(newKey)}, echo)
	if got := get(t, keysOf(newKey), to); got.Err != nil || string(got.Body) != "/peers/echo?a=1 body" || got.Name != "limpet-2" {
		t.Errorf("got %q, %v", got.Body, got.Err)
	}
}

// During a rotation, replicas load the keys at different times.
func TestDo_whileKeysRotate(t *testing.T) {
	for name, keys := range map[string][2]Keys{
		"client first": {keysOf(newKey, oldKey), keysOf(oldKey, newKey)},
		"server first": {keysOf(oldKey, newKey), keysOf(newKey, oldKey)},
	} {
		to := start(t, &Server{Keys: keys[1]}, echo)
		if got := get(t, keys[0], to); got.Err != nil {
			t.Errorf("%s: %v", name, got.Err)
		}
	}
}

func TestDo_failures(t *testing.T) {
	served := func(http.ResponseWriter, *http.Request) { t.Error("the request was served") }
	for name, c := range map[string]struct {
		client, server Keys
		handler        http.HandlerFunc
		want           string
	}{
		"other keys":       {keysOf(otherKey), keysOf(newKey), served, "status 401"},
		"no keys":          {keysOf(), keysOf(newKey), served, "not loaded"},
		"server has none":  {keysOf(newKey), keysOf(), served, "status 503"},
		"long response":    {keysOf(newKey), keysOf(newKey), func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 101)) }, "too long"},
		"error of replica": {keysOf(newKey), keysOf(newKey), func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "why", http.StatusBadRequest) }, "status 400: why"},
	} {
		if got := get(t, c.client, start(t, &Server{Keys: c.server}, c.handler)); got.Err == nil || !strings.Contains(got.Err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, got.Err, c.want)
		}
	}
}

// An attacker who gets the address of a pod that was a replica must not be believed.
func TestDo_impostor(t *testing.T) {
	for name, signature := range map[string]string{"unsigned": "", "signed by others": strings.Repeat("ab", 32)} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set(signatureHeader, signature)
			_, _ = w.Write([]byte("{}"))
		}))
		got := get(t, keysOf(newKey), netip.MustParseAddrPort(server.Listener.Addr().String()))
		server.Close()
		if got.Err == nil || got.Body != nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestDo_namesSilentReplicas(t *testing.T) {
	silent := httptest.NewServer(nil)
	gone := netip.MustParseAddrPort(silent.Listener.Addr().String())
	silent.Close()
	there := start(t, &Server{Keys: keysOf(newKey)}, echo)
	c := &Client{Keys: keysOf(newKey), Replicas: func() []Replica { return []Replica{{"limpet-1", gone}, {"limpet-2", there}} }}
	defer c.Close()
	got := c.Do(t.Context(), http.MethodGet, "/", nil, 100)
	if len(got) != 2 || got[0].Err == nil || got[0].Name != "limpet-1" || got[1].Err != nil {
		t.Errorf("got %+v", got)
	}
}

// tampering sends a request that a replica signed, as change makes it, and returns the status.
func tampering(t *testing.T, to netip.AddrPort, sent time.Time, change func(*http.Request)) int {
	t.Helper()
	r, err := http.NewRequest(http.MethodPost, "http://"+to.String()+"/peers/echo?a=1", bytes.NewReader([]byte("body")))
	if err != nil {
		t.Fatal(err)
	}
	signRequest(r, []byte("body"), newKey, sent)
	change(r)
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	http.DefaultClient.CloseIdleConnections()
	return response.StatusCode
}

func TestGuard_refusesChangedRequests(t *testing.T) {
	to := start(t, &Server{Keys: keysOf(newKey)}, echo)
	now := time.Now()
	for name, c := range map[string]struct {
		sent   time.Time
		change func(*http.Request)
		want   int
	}{
		"unchanged":     {now, func(*http.Request) {}, 200},
		"slow clock":    {now.Add(-20 * time.Second), func(*http.Request) {}, 200},
		"old":           {now.Add(-2 * maxAge), func(*http.Request) {}, 401},
		"in the future": {now.Add(2 * maxAge), func(*http.Request) {}, 401},
		"method":        {now, func(r *http.Request) { r.Method = http.MethodPut }, 401},
		"query":         {now, func(r *http.Request) { r.URL.RawQuery = "a=2" }, 401},
		"path":          {now, func(r *http.Request) { r.URL.Path = "/peers/other" }, 401},
		"body": {now, func(r *http.Request) {
			r.Body, r.ContentLength = io.NopCloser(strings.NewReader("BODY")), 4
		}, 401},
		"time":         {now, func(r *http.Request) { r.Header.Set(timeHeader, strconv.FormatInt(now.Unix()+1, 10)) }, 401},
		"nonce":        {now, func(r *http.Request) { r.Header.Set(nonceHeader, strings.Repeat("0", 32)) }, 401},
		"host":         {now, func(r *http.Request) { r.Host = "10.0.0.1:9090" }, 401},
		"no signature": {now, func(r *http.Request) { r.Header.Del(signatureHeader) }, 401},
		"too long": {now, func(r *http.Request) {
			r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(make([]byte, maxRequest+1))), maxRequest+1
		}, 413},
	} {
		if got := tampering(t, to, c.sent, c.change); got != c.want {
			t.Errorf("%s: status %d, want %d", name, got, c.want)
		}
	}
}

func TestGuard_refusesReplay(t *testing.T) {
	s := &Server{Keys: keysOf(newKey)}
	to, other := start(t, s, echo), start(t, &Server{Keys: keysOf(newKey)}, echo)
	var sent http.Header
	if got := tampering(t, to, time.Now(), func(r *http.Request) { sent = r.Header.Clone() }); got != 200 {
		t.Fatalf("status %d", got)
	}
	repeat := func(r *http.Request) { r.Header = sent.Clone() }
	if got := tampering(t, to, time.Now(), repeat); got != 401 {
		t.Errorf("repeated at the same replica: status %d", got)
	}
	if got := tampering(t, other, time.Now(), func(r *http.Request) { repeat(r); r.Host = to.String() }); got != 401 {
		t.Errorf("repeated at another replica: status %d", got)
	}
}

func TestGuard_boundsNonces(t *testing.T) {
	now := time.Now()
	s := &Server{nonces: map[string]time.Time{}}
	for i := range maxNonces {
		s.nonces[strconv.Itoa(i)] = now.Add(maxAge)
	}
	m := message{time: strconv.FormatInt(now.Unix(), 10)}
	m.nonce = strings.Repeat("f", 2*nonceSize)
	if s.isFresh(&m, now) {
		t.Error("accepted more requests than are remembered")
	}
	later := now.Add(2 * maxAge)
	if m.time = strconv.FormatInt(later.Unix(), 10); !s.isFresh(&m, later) {
		t.Error("refused after the nonces have ended")
	}
	if len(s.nonces) != 1 {
		t.Errorf("%d nonces are remembered, want 1", len(s.nonces))
	}
}
