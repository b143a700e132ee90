package exchange

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/limpet-dev/limpet/pkg/affinity"
	"github.com/limpet-dev/limpet/pkg/filter"
	"github.com/limpet-dev/limpet/pkg/http1"
	"github.com/limpet-dev/limpet/pkg/observe"
	"github.com/limpet-dev/limpet/pkg/routing"
)

// receiver is a client that receives one response.
type receiver struct {
	status int
	fields map[string]string
	body   string
	gotEnd bool
}

func (c *receiver) WriteInterim(*http1.Response) error { return nil }
func (c *receiver) Flush() error                       { return nil }
func (c *receiver) ReleaseHead()                       {}
func (c *receiver) IsClientGone() bool                 { return false }
func (c *receiver) EndReason() observe.Failure         { return observe.FailureClientClosed }

func (c *receiver) WriteHead(head *Response) error {
	c.status, c.fields = head.Status, map[string]string{}
	for i := range head.Fields {
		if f := &head.Fields[i]; http1.ForwardResponseField(f, &head.Response) {
			c.fields[string(f.Name)] = string(f.Value)
		}
	}
	return nil
}

func (c *receiver) WriteBody(span []byte) error {
	c.body += string(span)
	return nil
}

func (c *receiver) End([]http1.Field) error {
	c.gotEnd = true
	return nil
}

// run takes a request for shop.example through all steps, and returns what its client receives. No pod accepts connections.
func (s *testEngine) run(x *Exchange, target string, fields ...string) *receiver {
	s.t.Helper()
	client := &receiver{}
	x.Reset(s.connection(), new(Guard), new(BodySource), client, "HTTP/1.1")
	text := "GET " + target + " HTTP/1.1\r\nHost: shop.example\r\n" + strings.Join(append(fields, ""), "\r\n") + "\r\n"
	limits := http1.DefaultLimits()
	if _, err := http1.ParseRequest(x.Request(), []byte(text), &limits); err != nil {
		s.t.Fatal(err)
	}
	x.Run()
	return client
}

// connection returns the connection of a client.
func (s *testEngine) connection() *Connection {
	return &Connection{Engine: s.Engine, Peer: netip.MustParseAddr("203.0.113.7"), Memory: &affinity.ConnState{}}
}

// route returns the route of a path of shop.example, for a test to add filters to.
func (s *testEngine) route(path string) *routing.Route {
	return s.Tables.Current().Match([]byte("shop.example"), []byte(path), nil)
}

// requestFilter and responseFilter are filters made of functions.
type requestFilter func(*filter.Request) *filter.Response

func (requestFilter) Name() string                                       { return "test" }
func (f requestFilter) FilterRequest(r *filter.Request) *filter.Response { return f(r) }

type responseFilter func(*filter.Request, *http1.Response)

func (responseFilter) Name() string                                             { return "test" }
func (f responseFilter) FilterResponse(r *filter.Request, head *http1.Response) { f(r, head) }

func TestServe_filterResponds(t *testing.T) {
	s := newTestEngine(t)
	s.shop()
	sent := filter.NewText(http.StatusTeapot, "short and stout").With([]byte("X-Filter"), []byte("a"))
	s.route("/").Filters.Add(requestFilter(func(*filter.Request) *filter.Response { return sent }))
	s.route("/").Filters.Add(responseFilter(func(r *filter.Request, head *http1.Response) {
		start := len(r.Buf)
		r.Buf = append(append(r.Buf, "b"...), r.Path...)
		head.Set([]byte("x-filter"), r.Buf[start:])
	}))
	x := new(Exchange)
	for range 3 { // the exchange is reused, and the filter returns the same response
		got := s.run(x, "/cart")
		if got.status != http.StatusTeapot || got.body != "short and stout\n" || !got.gotEnd {
			t.Errorf("got %+v", got)
		}
		if got.fields["X-Filter"] != "" || got.fields["x-filter"] != "b/cart" || got.fields["Content-Type"] == "" ||
			got.fields["X-Request-ID"] == "" {
			t.Errorf("got fields %q", got.fields)
		}
		if x.backend != nil || x.endpoint != nil || x.resp.ContentLength != int64(len(got.body)) {
			t.Errorf("backend %v, endpoint %v, length %d", x.backend, x.endpoint, x.resp.ContentLength)
		}
	}
	if string(sent.Fields[1].Value) != "a" || sent.Fields[1].ID == http1.FieldWithheld {
		t.Errorf("the filter's response was changed: %+v", sent)
	}
}

// TestServe_emptyBody checks that a response without a body has a length of zero and keeps the connection open.
func TestServe_emptyBody(t *testing.T) {
	s := newTestEngine(t)
	s.shop()
	s.route("/").Filters.Add(requestFilter(func(*filter.Request) *filter.Response { return &filter.Response{Status: 307} }))
	x := new(Exchange)
	got := s.run(x, "/")
	if got.status != 307 || x.resp.ContentLength != 0 || x.resp.Body != http1.BodyNone || !x.req.KeepAlive {
		t.Errorf("got %+v, length %d", got, x.resp.ContentLength)
	}
}

func TestServe_closes(t *testing.T) {
	s := newTestEngine(t)
	s.shop()
	for target, want := range map[string]int{"/../x": 400, "/upload": 413, "/private": 403, "/nothing": 503, "/empty": 503} {
		x := new(Exchange)
		got := s.run(x, target, "Content-Length: 11")
		if closes := want == 400 || want == 413; got.status != want || x.req.KeepAlive == closes {
			t.Errorf("%s: got %d, and the connection is kept: %v", target, got.status, x.req.KeepAlive)
		}
	}
}

// TestServe_rewrite checks that a rewrite changes only the target that pods receive, not the path that routes and sessions use.
func TestServe_rewrite(t *testing.T) {
	s := newTestEngine(t)
	s.shop()
	s.route("/").Filters.Add(requestFilter(func(r *filter.Request) *filter.Response {
		r.Forward = filter.Target{Path: []byte("/new"), Query: []byte("y=2"), HasQuery: true}
		return nil
	}))
	r := new(request)
	r.begin(&Connection{Engine: s.Engine, Memory: &affinity.ConnState{}})
	if err := (&Description{Host: "shop.example", Target: "/old?x=1"}).fillHead(r); err != nil {
		t.Fatal(err)
	}
	sel := new(selection)
	if resp := sel.match(r); resp != nil {
		t.Fatal(resp.Status)
	}
	if resp := sel.filterRequest(r); resp != nil {
		t.Fatal(resp.Status)
	}
	if resp := sel.split(r); resp != nil {
		t.Fatal(resp.Status)
	}
	head := podHead{request: r, selection: sel}
	if got := string(head.appendHead(nil)); !strings.HasPrefix(got, "GET /new?y=2 HTTP/1.1\r\n") {
		t.Errorf("the pod receives %q", got)
	}
	if id := r.identity(); string(id.Path()) != "/old" || string(id.Query()) != "x=1" || string(r.view.Path) != "/old" {
		t.Errorf("sessions are recognized by %s?%s", id.Path(), id.Query())
	}
}
