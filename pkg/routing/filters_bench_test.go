package routing

import (
	"net/http"
	"net/netip"
	"testing"

	"github.com/limpet-dev/limpet/pkg/filter"
	"github.com/limpet-dev/limpet/pkg/http1"
	"github.com/limpet-dev/limpet/pkg/model"
)

// typicalSet is the route of the workload filters of test/bench.
func typicalSet() *model.Route {
	networks := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("192.0.2.0/24")}
	return &model.Route{
		Path: "/(cart/|$)(.*)", PathType: model.PathPattern,
		Filters: &model.Filters{
			Access:   &model.Access{Addresses: &model.AddressList{Allow: networks}},
			CORS:     &model.CORS{Origins: []string{"https://a.example.com"}, Methods: "GET", MaxAge: 1},
			Rewrite:  &model.Rewrite{Pattern: "/(cart/|$)(.*)", Target: "/$2"},
			Redirect: nil,
			RateLimit: &model.RateLimit{
				Source: model.Ref{Name: "bench"}, PerSecond: 1_000_000, Burst: 5, Status: http.StatusServiceUnavailable, IPv6PrefixLength: 128,
			},
		},
	}
}

func BenchmarkFilters_typicalSet(b *testing.B) {
	chain := (&compiler{}).filters(typicalSet())
	limits := http1.DefaultLimits()
	head := new(http1.Request)
	text := []byte("GET /cart/items?page=2 HTTP/1.1\r\nHost: shop.example\r\nAccept: */*\r\n\r\n")
	if _, err := http1.ParseRequest(head, text, &limits); err != nil {
		b.Fatal(err)
	}
	r := &filter.Request{Head: head, Host: []byte("shop.example"), Path: head.Path}
	r.ClientIP = netip.MustParseAddr("127.0.0.1")
	r.Limits.BodyBytes = 1
	resp := new(http1.Response)
	b.ReportAllocs()
	for b.Loop() {
		r.Buf = r.Buf[:0]
		resp.Reset()
		if got := chain.FilterRequest(r); got != nil {
			b.Fatalf("status %d", got.Status)
		}
		chain.FilterResponse(r, resp)
	}
}
