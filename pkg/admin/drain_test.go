package admin

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/limpet-dev/limpet/pkg/sessions"
)

// drainer records the requested drains.
type drainer struct {
	pod  sessions.PodRef
	wait time.Duration
	err  error
}

func (d *drainer) Drain(_ context.Context, pod sessions.PodRef, wait time.Duration) (*sessions.Drained, error) {
	d.pod, d.wait = pod, wait
	return &sessions.Drained{Namespace: pod.Namespace, Pod: pod.Name, Done: true}, d.err
}

// postDrain sends POST to the probe listener from another machine.
func postDrain(t *testing.T, d *drainer, path, token string, fields ...string) int {
	t.Helper()
	ready := true
	o := testOptions(&ready)
	o.Drain = d
	o.Access = Access{TrustLoopback: true, Review: func(_ context.Context, token string) (Caller, error) {
		switch token {
		case "pod":
			return Caller{Name: "system:serviceaccount:shop:cart", Namespace: "shop", Pod: "cart-a", PodUID: "uid-a"}, nil
		case "reader":
			return Caller{Name: "reader", Read: true}, nil
		case "operator":
			return Caller{Name: "operator", Read: true, Control: true}, nil
		case "account":
			return Caller{Name: "system:serviceaccount:shop:cart"}, nil
		case "outage":
			return Caller{}, errors.New("no API server")
		}
		return Caller{}, nil
	}}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "http://10.0.0.9:9090"+path, nil)
	r.RemoteAddr = "10.0.0.7:5000"
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i < len(fields); i += 2 {
		r.Header.Set(fields[i], fields[i+1])
	}
	w := httptest.NewRecorder()
	New(o).ProbeHandler().ServeHTTP(w, r)
	return w.Code
}

func TestDrain_callers(t *testing.T) {
	for name, c := range map[string]struct {
		path, token string
		want        int
		uid         string
	}{
		"the pod itself":          {"/drain/shop/cart-a", "pod", 200, "uid-a"},
		"an operator":             {"/drain/shop/cart-a", "operator", 200, ""},
		"another pod":             {"/drain/shop/cart-b", "pod", 403, ""},
		"a pod of another tenant": {"/drain/other/cart-a", "pod", 403, ""},
		"a reader":                {"/drain/shop/cart-a", "reader", 403, ""},
		"a token without a pod":   {"/drain/shop/cart-a", "account", 403, ""},
		"an unknown token":        {"/drain/shop/cart-a", "x", 401, ""},
		"no token":                {"/drain/shop/cart-a", "", 401, ""},
		"the API server is away":  {"/drain/shop/cart-a", "outage", 503, ""},
	} {
		d := &drainer{}
		if got := postDrain(t, d, c.path, c.token); got != c.want || d.pod.UID != c.uid || (d.pod.Name != "") != (c.want == 200) {
			t.Errorf("%s: status %d for %+v, want %d", name, got, d.pod, c.want)
		}
	}
}

func TestDrain_wait(t *testing.T) {
	for query, c := range map[string]struct {
		status int
		wait   time.Duration
	}{
		"": {200, 0}, "?wait=60s": {200, time.Minute}, "?wait=1h": {200, time.Hour}, "?wait=61m": {400, 0}, "?wait=-1s": {400, 0},
		"?wait=60": {400, 0}, "?wait=1s&wait=2s": {400, 0}, "?timeout=1s": {400, 0},
	} {
		d := &drainer{}
		if got := postDrain(t, d, "/drain/shop/cart-a"+query, "pod"); got != c.status || d.wait != c.wait {
			t.Errorf("%s: status %d, wait %v", query, got, d.wait)
		}
	}
}

func TestDrain_errors(t *testing.T) {
	for err, want := range map[error]int{sessions.ErrUnknownPod: 404, sessions.ErrBusy: 503} {
		if got := postDrain(t, &drainer{err: err}, "/drain/shop/cart-a", "pod"); got != want {
			t.Errorf("%v: status %d, want %d", err, got, want)
		}
	}
}

// Neither a web page nor a client of the data plane may drain a pod.
func TestDrain_refusesOtherOrigins(t *testing.T) {
	for name, fields := range map[string][]string{
		"web page": {"Sec-Fetch-Site", "cross-site"}, "through the data plane": {"X-Real-Ip", "10.0.0.1", "X-Request-Id", "1"},
	} {
		d := &drainer{}
		if got := postDrain(t, d, "/drain/shop/cart-a", "operator", fields...); got != 403 || d.pod.Name != "" {
			t.Errorf("%s: status %d for %+v", name, got, d.pod)
		}
	}
}
