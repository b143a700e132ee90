package filter

import (
	"strings"
	"sync/atomic"
	"testing"

	"github.com/limpet-dev/limpet/pkg/http1"
	"github.com/limpet-dev/limpet/pkg/model"
)

// requestFor parses a request for shop.example into a Request.
func requestFor(t testing.TB, fields ...string) *Request {
	t.Helper()
	text := "GET /cart HTTP/1.1\r\nHost: shop.example\r\n" + strings.Join(append(fields, ""), "\r\n") + "\r\n"
	head, limits := new(http1.Request), http1.DefaultLimits()
	if _, err := http1.ParseRequest(head, []byte(text), &limits); err != nil {
		t.Fatal(err)
	}
	return &Request{
		Head: head, Host: []byte("shop.example"), Path: head.Path, Forward: Target{Path: head.Path},
		Limits: Limits{BodyBytes: 100, Attempts: 5}, Hosts: hosts{}, Certificates: certificates{},
	}
}

// overTLS sets the TLS session of r for a client that named the host.
func (r *Request) overTLS(name string) *Request {
	r.TLS, r.TLSEnd = &TLSSession{ServerName: name, Version: model.TLS12}, TLSAtLimpet
	return r
}

// hosts contains the TLS configuration by host.
type hosts map[string]*model.Host

func (h hosts) TLS(name []byte) *model.Host { return h[string(name)] }

// certificates contains, for each server name, the names that its certificate covers.
type certificates map[string]string

func (c certificates) Covers(name, host string) bool { return c[name] == host }

// valueOf returns the only value of a forwarded field.
func valueOf(t *testing.T, head *http1.Response, name string) string {
	t.Helper()
	var values []string
	for _, f := range head.Fields {
		if f.ID != http1.FieldWithheld && strings.EqualFold(string(f.Name), name) {
			values = append(values, string(f.Value))
		}
	}
	if len(values) > 1 {
		t.Errorf("%s: %q", name, values)
	}
	return strings.Join(values, " ")
}

// mark is a request and response filter that records its calls.
type mark struct {
	name string
	ran  *[]string
	resp *Response
}

func (m mark) Name() string { return m.name }

func (m mark) FilterRequest(*Request) *Response {
	*m.ran = append(*m.ran, m.name)
	return m.resp
}

func (m mark) FilterResponse(_ *Request, head *http1.Response) {
	head.Add([]byte("X-Mark"), []byte(m.name))
}

func TestChain_order(t *testing.T) {
	var ran []string
	var c Chain
	denied := NewText(403, "no")
	c.Add(mark{"a", &ran, nil})
	c.Add(NewTransportSecurity("")) // adds no filter
	c.Add(mark{"b", &ran, denied})
	c.Add(mark{"c", &ran, nil})
	if got := c.FilterRequest(requestFor(t)); got != denied || strings.Join(ran, "") != "ab" {
		t.Errorf("got %v after %q", got, ran)
	}
	var traced []string
	got := c.Trace(requestFor(t), func(f RequestFilter, resp *Response) {
		if (resp == denied) != (f.Name() == "b") {
			t.Errorf("%s responded %v", f.Name(), resp)
		}
		traced = append(traced, f.Name())
	})
	if got != denied || strings.Join(traced, "") != "ab" {
		t.Errorf("with a trace: got %v after %q", got, traced)
	}
	var head http1.Response
	c.FilterResponse(requestFor(t), &head)
	var marks string
	for _, f := range head.Fields {
		marks += string(f.Value)
	}
	if marks != "abc" {
		t.Errorf("response filters ran in the order %q", marks)
	}
}

func TestProtects(t *testing.T) {
	asks := NewClientCertificates(&model.ClientCertificates{}, false)
	for f, want := range map[Filter]bool{asks: true, NewClientCertificates(nil, false): false, NewRouteLimits(nil): false} {
		if got := Protects(f); got != want {
			t.Errorf("%s: got %v", f.Name(), got)
		}
	}
}

func TestOrigin_scheme(t *testing.T) {
	for end, want := range map[TLSEnd]string{TLSNone: "http", TLSAtLimpet: "https", TLSAtBalancer: "https", TLSAtProxy: "https"} {
		o := Origin{TLSEnd: end}
		if got := o.Scheme(); got != want || o.Secure() != (want == "https") {
			t.Errorf("%d: got %s", end, got)
		}
	}
}

func TestID(t *testing.T) {
	for value, kept := range map[string]bool{
		"a": true, strings.Repeat("a", 128): true, strings.Repeat("a", 129): false, "": false, "a b": false, `a"b`: false,
	} {
		r := requestFor(t, "X-Request-ID: "+value)
		id := string(r.ID())
		if again := string(r.ID()); again != id {
			t.Errorf("first %q, then %q", id, again)
		}
		if kept && id != value || !kept && len(id) != 32 {
			t.Errorf("%q was used as %q", value, id)
		}
	}
}

func TestChain_allocatesNothing(t *testing.T) {
	var on atomic.Bool
	var c Chain
	c.Add(NewClientCertificates(nil, false))
	c.Add(NewRouteLimits(&model.Limits{MaxAttempts: 3}))
	c.Add(NewTransportSecurity("max-age=9"))
	c.Add(AltSvc{On: &on})
	r, head := requestFor(t).overTLS("shop.example"), new(http1.Response)
	head.Fields = make([]http1.Field, 0, 8)
	if n := testing.AllocsPerRun(100, func() {
		head.Reset()
		if c.FilterRequest(r) != nil {
			t.Error("request refused")
		}
		c.FilterResponse(r, head)
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
