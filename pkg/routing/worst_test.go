package routing

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/pattern"
	"github.com/limpet-dev/limpet/pkg/upstream"
)

// text is a request whose header and whose one Cookie field are the same.
type text []byte

func (r text) Header(string) ([]byte, bool) { return r, true }

func (r text) CookieHeader(i int) []byte {
	if i > 0 {
		return nil
	}
	return r
}

func (text) Method() []byte       { return nil }
func (text) Path() []byte         { return nil }
func (text) Host() []byte         { return nil }
func (text) Query() []byte        { return nil }
func (text) ClientIP() netip.Addr { return netip.Addr{} }

func (text) ClientCertificate() []byte { return nil }

// matchers returns functions that match a request, each with a short input and with the most expensive one.
func matchers() map[string]struct{ short, worst func() } {
	deep := strings.Repeat("/a", 512)
	routes := []model.Route{}
	for _, host := range []string{"", "*.example.com", "shop.example.com"} {
		for n := 2; n <= len(deep); n += 2 {
			routes = append(routes, model.Route{Host: host, Path: deep[:n-1] + "b", PathType: model.PathPrefix})
		}
	}
	table := Compile(&model.Model{Routes: routes}, upstream.NewRegistry(), nil, time.Unix(0, 0))
	host, short, long := []byte("shop.example.com"), []byte("/x"), []byte(strings.Repeat("/a", 8192))
	header := compileCanary(&model.Canary{Header: "X-Canary", Pattern: `(\pL?){9}\x00`})
	cookie := compileCanary(&model.Canary{Cookie: "canary"})
	letters, cookies := text(strings.Repeat("ж", pattern.MaxValue/2)), text(strings.Repeat("a;", 32<<10))
	return map[string]struct{ short, worst func() }{
		"paths": {func() { table.Match(host, short, nil) }, func() { table.Match(host, long, nil) }},
		"canary by header pattern": {
			func() { header.choice(text("a")) }, func() { header.choice(letters) },
		},
		"canary by cookie": {
			func() { cookie.choice(text("a=1")) }, func() { cookie.choice(cookies) },
		},
	}
}

// TestWorst_ratio bounds the cost of the worst input as a multiple of a short one, so that it does not depend on the speed
// of the machine.
func TestWorst_ratio(t *testing.T) {
	for name, m := range matchers() {
		short, worst := fastest(m.short, 1000), fastest(m.worst, 10)
		if worst > 2000*short {
			t.Errorf("%s: the worst input takes %v, a short one %v", name, worst, short)
		}
	}
}

// fastest returns the least time of several rounds.
func fastest(do func(), rounds int) time.Duration {
	least := time.Hour
	for range 10 {
		begin := time.Now()
		for range rounds {
			do()
		}
		least = min(least, time.Since(begin)/time.Duration(rounds))
	}
	return max(least, 10*time.Nanosecond)
}

func BenchmarkWorst(b *testing.B) {
	for name, m := range matchers() {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				m.worst()
			}
		})
	}
}
