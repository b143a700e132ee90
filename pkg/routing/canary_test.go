package routing

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/limpet-dev/limpet/pkg/affinity"
	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/pattern"
	"github.com/limpet-dev/limpet/pkg/upstream"
)

// canaryRequest is a request with one header and one Cookie field.
type canaryRequest struct{ header, cookie string }

func (a canaryRequest) Header(name string) ([]byte, bool) {
	return []byte(a.header), name == "X-Canary" && a.header != ""
}

func (a canaryRequest) CookieHeader(i int) []byte {
	if i > 0 || a.cookie == "" {
		return nil
	}
	return []byte(a.cookie)
}

func (canaryRequest) Method() []byte       { return nil }
func (canaryRequest) Path() []byte         { return nil }
func (canaryRequest) Host() []byte         { return nil }
func (canaryRequest) Query() []byte        { return nil }
func (canaryRequest) ClientIP() netip.Addr { return netip.Addr{} }

func (canaryRequest) ClientCertificate() []byte { return nil }

var _ affinity.Request = canaryRequest{}

func TestRequestedBackend_headerThenCookie(t *testing.T) {
	byName := model.Canary{Header: "X-Canary", Cookie: "canary"}
	byValue := model.Canary{Header: "X-Canary", Value: "eu", Cookie: "canary"}
	byPattern := model.Canary{Header: "X-Canary", Pattern: "^eu-(west|north)"}
	for _, c := range []struct {
		rule   model.Canary
		header string
		cookie string
		want   string
	}{
		{byName, "", "", ""},
		{byName, "always", "", "canary"},
		{byName, "never", "", "stable"},
		{byName, "Always", "", ""},
		{byName, "", "a=b; canary=always", "canary"},
		{byName, "", "canary=never", "stable"},
		{byName, "", "canary=yes", ""},
		{byName, "", "canary2=always", ""},
		{byName, "never", "canary=always", "stable"},
		{byName, "maybe", "canary=always", "canary"},
		{byValue, "eu", "", "canary"},
		{byValue, "eu2", "", ""},
		{byValue, "always", "", ""},
		{byValue, "us", "canary=never", "stable"},
		{byPattern, "eu-west-1", "", "canary"},
		{byPattern, "my-eu-west", "", ""},
		{byPattern, "always", "", ""},
		{model.Canary{Header: "X-Canary", Pattern: "west"}, "eu-west-1", "", "canary"},
		{model.Canary{Cookie: "canary"}, "always", "", ""},
	} {
		got := ""
		if b := canaryRoute(&c.rule).RequestedBackend(canaryRequest{c.header, c.cookie}); b != nil {
			got = b.Pool.ID.Service
		}
		if got != c.want {
			t.Errorf("%+v, header %q, cookie %q: selects %q, want %q", c.rule, c.header, c.cookie, got, c.want)
		}
	}
}

func TestRequestedBackend_withoutCanary(t *testing.T) {
	if b := canaryRoute(nil).RequestedBackend(canaryRequest{"always", "canary=always"}); b != nil {
		t.Errorf("it selects %s", b.Pool.Name)
	}
}

func TestRequestedBackend_allocateNothing(t *testing.T) {
	for _, rule := range []model.Canary{
		{Header: "X-Canary", Cookie: "canary"}, {Header: "X-Canary", Pattern: "^eu-(west|north)"},
	} {
		var req affinity.Request = &wire{header: []byte("eu-north"), cookie: []byte("a=b; canary=always")}
		route := canaryRoute(&rule)
		if n := testing.AllocsPerRun(100, func() { route.RequestedBackend(req) }); n > 0 {
			t.Errorf("%+v: %v allocations", rule, n)
		}
	}
}

// wire is a canaryRequest over bytes, as in the proxy.
type wire struct {
	canaryRequest
	header, cookie []byte
}

func (w *wire) Header(string) ([]byte, bool) { return w.header, true }

func (w *wire) CookieHeader(i int) []byte {
	if i > 0 {
		return nil
	}
	return w.cookie
}

func canaryRoute(rule *model.Canary) *Route {
	m := routes("Prefix:/")
	m[0].Canary = rule
	m[0].Backends = []model.Backend{
		{Pool: model.PoolID{Service: "stable"}, Weight: 100}, {Pool: model.PoolID{Service: "canary"}},
	}
	return Compile(&model.Model{Routes: m}, upstream.NewRegistry(), nil, time.Time{}).Match(nil, []byte("/"), nil)
}

func TestCanary_patternOutOfBounds(t *testing.T) {
	long := strings.Repeat("a", pattern.MaxValue+1)
	for _, text := range []string{"a", "[01]*1[01]{20}|a", "("} {
		c := compileCanary(&model.Canary{Header: "X-Canary", Pattern: text})
		if got := c.choice(canaryRequest{header: long}); got != unspecified {
			t.Errorf("pattern %q selects %v with a long value", text, got)
		}
	}
	c := compileCanary(&model.Canary{Header: "X-Canary", Pattern: "[01]*1[01]{20}|a"})
	if got := c.choice(canaryRequest{header: "always"}); got != unspecified {
		t.Errorf("a pattern that is too large selects %v", got)
	}
}
