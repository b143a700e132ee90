package proxy

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/limpet-dev/limpet/pkg/model"
)

var shadow = model.PoolID{Namespace: "shop", Service: "shadow", Port: 80}

// mirrorRig serves cart, and sends copies to a handler.
func mirrorRig(t *testing.T, h http.HandlerFunc, change func(*model.Mirror)) *rig {
	t.Helper()
	r := newRig(t)
	r.replace(cart, startEcho(t, "app").endpoint(model.EndpointReady))
	r.replace(shadow, model.Endpoint{ID: "s", Address: addressOf(startBackend(t, nil, h)), State: model.EndpointReady})
	settings := &model.Mirror{URL: "http://shadow.shop.svc$request_uri", Service: &shadow}
	if change != nil {
		change(settings)
	}
	route := routeTo(cart, nil)
	route.Filters = &model.Filters{Mirror: settings}
	r.publish(route)
	return r
}

// copied is a request as the mirror got it.
type copied struct{ line, host, header, body string }

func collect(into chan<- copied) http.HandlerFunc {
	return func(w http.ResponseWriter, q *http.Request) {
		body, _ := io.ReadAll(q.Body)
		into <- copied{q.Method + " " + q.URL.String(), q.Host, q.Header.Get("X-A"), string(body)}
		w.WriteHeader(http.StatusInternalServerError)
		io.WriteString(w, "ignored")
	}
}

func TestMirror_copies(t *testing.T) {
	got := make(chan copied, 1)
	r := mirrorRig(t, collect(got), nil)
	c := r.dial()
	c.post("/a?b", "body", "X-A: 1").expectOK(t, "body")
	if want := (copied{"POST /a?b", "shadow.shop.svc", "1", "body"}); <-got != want {
		t.Errorf("the copy differs from %+v", want)
	}
	c.get("/c").expectStatus(t, 200)
	if want := (copied{"GET /c", "shadow.shop.svc", "", ""}); <-got != want {
		t.Errorf("the copy differs from %+v", want)
	}
	r.expectMetric(`limpet_subrequests_total{purpose="mirror",result="ok"}`, 2)
}

func TestMirror_settings(t *testing.T) {
	got := make(chan copied, 1)
	r := mirrorRig(t, collect(got), func(m *model.Mirror) { m.Host, m.WithoutBody = "x-$host", true })
	r.dial().post("/", "body").expectOK(t, "body")
	if want := (copied{"POST /", "x-shop.example", "", ""}); <-got != want {
		t.Errorf("the copy differs from %+v", want)
	}
}

// TestMirror_delaysNobody has a mirror that does not respond, one that resets and none at all.
func TestMirror_delaysNobody(t *testing.T) {
	release := make(chan struct{})
	r := mirrorRig(t, func(http.ResponseWriter, *http.Request) { <-release }, nil)
	c := r.dial()
	for range 20 {
		c.post("/", "body").expectOK(t, "body")
	}
	close(release)
	r.expectMetric(`limpet_subrequests_total{purpose="mirror",result="ok"}`, 20)
	r.replace(shadow, deadPod(t, "dead").endpoint(model.EndpointReady))
	c.post("/", "body").expectOK(t, "body")
	r.replace(shadow)
	c.post("/", "body").expectOK(t, "body")
	r.expectMetric(`limpet_subrequests_total{purpose="mirror",result="failed"}`, 2)
}

func TestMirror_drops(t *testing.T) {
	got := make(chan copied, 1)
	r := mirrorRig(t, collect(got), nil)
	long := strings.Repeat("x", 1<<20+1)
	r.dial().post("/", long).expectOK(t, long)
	r.expectMetric(`limpet_subrequests_total{purpose="mirror",result="dropped"}`, 1)
	c := r.dial()
	c.send("POST / HTTP/1.1\r\nHost: shop.example\r\nContent-Length: 9\r\n\r\nhalf") // the client leaves
	c.Close()
	r.expectMetric(`limpet_subrequests_total{purpose="mirror",result="dropped"}`, 2)
	if len(got) != 0 {
		t.Errorf("the mirror got %+v", <-got)
	}
}
