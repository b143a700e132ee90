package exchange

import (
	"net/http"
	"testing"

	dto "github.com/prometheus/client_model/go"

	"github.com/limpet-dev/limpet/pkg/filter"
	"github.com/limpet-dev/limpet/pkg/http1"
)

func (s *testEngine) panics() float64 {
	var m dto.Metric
	if err := s.Metrics.Panics.Write(&m); err != nil {
		s.t.Fatal(err)
	}
	return m.GetCounter().GetValue()
}

func TestRun_containsPanic(t *testing.T) {
	s := newTestEngine(t)
	s.shop()
	fails := true
	s.route("/").Filters.Add(requestFilter(func(*filter.Request) *filter.Response {
		if fails {
			panic("request filter")
		}
		return filter.NewText(http.StatusTeapot, "well")
	}))
	x := new(Exchange)
	if got := s.run(x, "/"); got.status != 500 || !got.gotEnd || !x.Panicked() || x.Broken() || x.req.KeepAlive {
		t.Errorf("got %+v, panicked %v, broken %v", got, x.Panicked(), x.Broken())
	}
	fails = false
	if got := s.run(new(Exchange), "/"); got.status != http.StatusTeapot {
		t.Errorf("the next request got %+v", got)
	}
	if n := s.panics(); n != 1 {
		t.Errorf("%v panics counted, want 1", n)
	}
}

// A response filter that panics must not panic again in the 500 response.
func TestRun_containsFilterPanic(t *testing.T) {
	s := newTestEngine(t)
	s.shop()
	s.route("/").Filters.Add(responseFilter(func(*filter.Request, *http1.Response) { panic("response filter") }))
	x := new(Exchange)
	if got := s.run(x, "/"); got.status != 500 || !got.gotEnd || s.panics() != 1 {
		t.Errorf("got %+v, %v panics", got, s.panics())
	}
}

// runGRPC runs the request of a gRPC client over HTTP/2.
func (s *testEngine) runGRPC(path, contentType, protocol string) *receiver {
	x, client := new(Exchange), &receiver{}
	x.Reset(s.connection(), new(Guard), new(BodySource), client, protocol)
	limits := http1.DefaultLimits()
	head := "GET " + path + " HTTP/1.1\r\nHost: shop.example\r\nContent-Type: " + contentType + "\r\n\r\n"
	if _, err := http1.ParseRequest(x.Request(), []byte(head), &limits); err != nil {
		s.t.Fatal(err)
	}
	x.Run()
	return client
}

func TestRespond_grpc(t *testing.T) {
	s := newTestEngine(t)
	s.shop()
	for _, c := range []struct {
		path, contentType, protocol string
		status                      int
		grpcStatus                  string
	}{
		{"/empty", "application/grpc", "HTTP/2.0", 200, "14"},
		{"/private", "application/grpc+proto", "HTTP/3.0", 200, "7"},
		{"/../x", "application/grpc", "HTTP/2.0", 200, "13"},
		{"/empty", "application/grpc-web", "HTTP/2.0", 503, ""},
		{"/empty", "application/grpc", "HTTP/1.1", 503, ""},
	} {
		got := s.runGRPC(c.path, c.contentType, c.protocol)
		if got.status != c.status || got.fields["Grpc-Status"] != c.grpcStatus {
			t.Errorf("%+v: status %d, fields %q", c, got.status, got.fields)
		}
		if isGRPC := c.grpcStatus != ""; isGRPC && (got.body != "" || got.fields["Grpc-Message"] == "") {
			t.Errorf("%+v: body %q, fields %q", c, got.body, got.fields)
		}
	}
}
