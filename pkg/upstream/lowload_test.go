package upstream

import (
	"fmt"
	"testing"

	"github.com/limpet-dev/limpet/pkg/model"
)

func TestSet_lowLoad(t *testing.T) {
	pool := NewRegistry().Pool(model.PoolID{Namespace: "shop", Service: "cart", Port: 80})
	for _, c := range []struct{ ready, want int }{{0, 0}, {comparedAtOnce, 0}, {comparedAtOnce + 1, listed}} {
		var endpoints []model.Endpoint
		for i := range c.ready {
			endpoints = append(endpoints, model.Endpoint{ID: fmt.Sprint(i), Address: fmt.Sprintf("10.0.0.%d:80", i), State: model.EndpointReady})
		}
		pool.Replace(endpoints)
		sessions, requests := pool.Set().LowLoad(model.PickLeastSessions), pool.Set().LowLoad(model.PickLeastRequests)
		if len(sessions) != c.want || len(requests) != c.want {
			t.Errorf("%d endpoints: %d and %d are remembered, want %d", c.ready, len(sessions), len(requests), c.want)
		}
		if c.want > 0 && &sessions[0] == &requests[0] {
			t.Error("both picks share their memory")
		}
	}
}
