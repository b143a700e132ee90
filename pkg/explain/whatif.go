package explain

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/limpet-dev/limpet/pkg/exchange"
	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/routing"
	"github.com/limpet-dev/limpet/pkg/upstream"
)

// maxScale bounds the number of endpoints of a scaled Service.
const maxScale = 1000

// scaled is a Service of a Request with another number of endpoints.
type scaled struct{ namespace, name string }

// parseScale returns the numbers of endpoints by Service. Each Service must have a pool.
func parseScale(texts []string, pools []model.Pool) (map[scaled]int, error) {
	out := map[scaled]int{}
	for _, text := range texts {
		service, number, _ := strings.Cut(text, "=")
		namespace, name, _ := strings.Cut(service, "/")
		n, err := strconv.Atoi(number)
		if err != nil || n < 0 || n > maxScale || name == "" {
			return nil, fmt.Errorf("explain: invalid scale %q: must be such as shop/cart=5, with at most %d", text, maxScale)
		}
		if !slices.ContainsFunc(pools, func(p model.Pool) bool { return p.ID.Namespace == namespace && p.ID.Service == name }) {
			return nil, fmt.Errorf("explain: invalid scale %q: no route leads to Service %s", text, service)
		}
		out[scaled{namespace, name}] = n
	}
	return out, nil
}

// changePods replaces the engine and the pools by copies with the pods that the request describes. The caller must call the
// returned function.
func (e *explanation) changePods(scale map[scaled]int) (release func()) {
	e.pools = upstream.NewRegistry()
	e.pools.Zone = e.Pools.Zone
	for _, pool := range e.model.Pools {
		var kept []model.Endpoint
		for _, endpoint := range e.Pools.Pool(pool.ID).Set().Endpoints() {
			if !slices.Contains(e.request.WithoutPods, endpoint.Pod) {
				kept = append(kept, endpoint.Endpoint)
			}
		}
		if n, isScaled := scale[scaled{pool.ID.Namespace, pool.ID.Service}]; isScaled {
			kept = resize(kept, n)
		}
		e.pools.Pool(pool.ID).Replace(kept)
	}
	config := e.Engine.Config
	config.Tables, config.LimitStore = new(routing.Store), nil
	table := routing.Compile(e.model, e.pools, nil, e.at)
	table.Generation = e.Engine.Tables.Current().Generation
	config.Tables.Publish(table)
	e.engine = exchange.NewEngine(config)
	return e.engine.CancelDials
}

// resize returns n of the endpoints, or all of them with made-up ones.
func resize(endpoints []model.Endpoint, n int) []model.Endpoint {
	if n <= len(endpoints) {
		slices.SortFunc(endpoints, func(a, b model.Endpoint) int { return cmp.Or(cmp.Compare(a.Pod, b.Pod), cmp.Compare(a.ID, b.ID)) })
		return endpoints[:n]
	}
	for i := 1; len(endpoints) < n; i++ {
		address := netip.AddrFrom4([4]byte{192, 0, 2 + byte(i>>8), byte(i)}) // 192.0.2.0/24 is for documentation
		name := fmt.Sprintf("made-up-%d", i)
		endpoints = append(endpoints,
			model.Endpoint{ID: name, Pod: name, Address: address.String() + ":80", State: model.EndpointReady})
	}
	return endpoints
}

// conflictsOf returns the problems of objects that lost a conflict for the host of the request.
func (e *explanation) conflictsOf(t *exchange.Trace) []Problem {
	hosts := []string{t.Host}
	if t.Route != nil && t.Route.Host != t.Host {
		hosts = append(hosts, t.Route.Host)
	}
	var all []Problem
	for _, host := range hosts {
		all = append(all, e.Conflicts(host)...)
	}
	return all[:min(len(all), maxNearest)]
}
