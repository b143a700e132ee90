package dashboard

import (
	"fmt"
	"net/url"
	"testing"

	"github.com/limpet-dev/limpet/pkg/model"
)

// BenchmarkSample takes a sample of 10,000 pools without traffic.
func BenchmarkSample(b *testing.B) {
	f := newFixture(b)
	for i := range 10_000 {
		f.options.Pools.Pool(model.PoolID{Namespace: "shop", Service: fmt.Sprint("s", i), Port: 80}).Replace([]model.Endpoint{
			{ID: "a", Address: "10.0.0.7:8080", State: model.EndpointReady}, {ID: "b", Address: "10.0.0.8:8080", State: model.EndpointReady}})
	}
	b.ReportAllocs()
	for b.Loop() {
		f.sampler.sample()
	}
}

// BenchmarkSearch searches 10,000 routes for a host that is not the first.
func BenchmarkSearch(b *testing.B) {
	f := newFixture(b)
	for i := range 10_000 {
		f.state.Routes = append(f.state.Routes, model.Route{Host: fmt.Sprintf("host-%05d.example", i), Path: "/",
			Source: model.Ref{Kind: "Ingress", Namespace: fmt.Sprintf("team-%d", i%10), Name: "web"}})
	}
	for b.Loop() {
		if _, err := encode(f.routes, url.Values{"q": {"host-09"}}); err != nil {
			b.Fatal(err)
		}
	}
}
