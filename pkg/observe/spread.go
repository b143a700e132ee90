package observe

import (
	"math"

	"github.com/limpet-dev/limpet/pkg/model"
)

// EndpointLoad is the load of one endpoint at the time of a scrape.
type EndpointLoad struct {
	Address            string
	State              model.EndpointState
	Sessions, InFlight int64
	// IsReady reports whether the endpoint accepts new sessions. Other endpoints do not count as skew.
	IsReady bool
}

// VisitPools calls visit for each pool. The endpoints are valid until visit returns.
type VisitPools func(visit func(slot int, name string, endpoints []EndpointLoad))

// spread has the maximum, minimum and sum over endpoints.
type spread struct {
	endpoints          int64 // ready ones
	sessions, inFlight extent
}

type extent struct{ highest, lowest, sum int64 }

func (e *extent) add(n int64, isFirst bool) {
	if isFirst {
		e.highest, e.lowest = math.MinInt64, math.MaxInt64
	}
	e.highest, e.lowest, e.sum = max(e.highest, n), min(e.lowest, n), e.sum+n
}

// add counts the ready endpoints of a pool. It reports whether any endpoint, ready or not, has requests in flight.
func (s *spread) add(endpoints []EndpointLoad) (isBusy bool) {
	for i := range endpoints {
		e := &endpoints[i]
		isBusy = isBusy || e.InFlight > 0
		if e.IsReady {
			s.sessions.add(e.Sessions, s.endpoints == 0)
			s.inFlight.add(e.InFlight, s.endpoints == 0)
			s.endpoints++
		}
	}
	return isBusy
}

// values returns the values of a group in the order of spreadNames.
func (s *spread) values() [len(spreadNames)]float64 {
	n := float64(s.endpoints)
	return [...]float64{
		float64(s.sessions.highest), float64(s.sessions.lowest), float64(s.sessions.sum) / n,
		float64(s.inFlight.highest), float64(s.inFlight.lowest), float64(s.inFlight.sum) / n,
	}
}

// spreadNames are the names and meanings of the metrics about skew.
var spreadNames = [...]struct{ name, help string }{
	{"endpoint_sessions_max", "Sessions of the endpoint with the most. Draining endpoints do not count."},
	{"endpoint_sessions_min", "Sessions of the endpoint with the fewest."},
	{"endpoint_sessions_mean", "Sessions of an endpoint on average."},
	{"endpoint_inflight_max", "Requests and streams in flight to the endpoint with the most. Draining endpoints do not count."},
	{"endpoint_inflight_min", "Requests and streams in flight to the endpoint with the fewest."},
	{"endpoint_inflight_mean", "Requests and streams in flight to an endpoint on average."},
}
