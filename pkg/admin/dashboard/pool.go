package dashboard

import (
	"cmp"
	"net/url"
	"slices"

	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/sessions"
)

// poolDetail is the JSON form of one pool with its pods. All replicas count its sessions and requests in flight. Counts and
// history are from this replica.
type poolDetail struct {
	pool
	Endpoints []endpoint `json:"endpoints"`
	// Replicas are the replicas of which the numbers are the sum. One with an error is missing in the numbers.
	Replicas []sessions.Replica `json:"replicas"`
}

// endpoint is the JSON form of an endpoint with its numbers in all replicas.
type endpoint struct {
	ID      string `json:"id"`
	Pod     string `json:"pod,omitempty"`
	Address string `json:"address"`
	Zone    string `json:"zone,omitempty"`
	State   string `json:"state"`
	// Sessions, Idle, InFlight, Streams and NewPerMinute have the values of sessions.Pod.
	Sessions     int64   `json:"sessions"`
	Idle         int64   `json:"idle"`
	InFlight     int64   `json:"inFlight"`
	Streams      int64   `json:"streams"`
	NewPerMinute float64 `json:"newPerMinute"`
	// IsIncomplete reports whether sessions are not counted, because the memory for counting was used up.
	IsIncomplete bool `json:"incomplete,omitempty"`
	// History is from this replica.
	History *podHistory `json:"history,omitempty"`
}

// maxEndpoints bounds the endpoints of one document. A Service has up to some thousand.
const maxEndpoints = 1000

func (d *Dashboard) pool(values url.Values) (any, error) {
	if err := checkNames(values, "id"); err != nil {
		return nil, err
	}
	p := d.options.Pools.Find(values.Get("id"))
	if p == nil {
		return nil, errNotFound
	}
	report := d.live.get(p.Name)
	live := livePods(report)
	out := &poolDetail{pool: d.describePool(p), Endpoints: []endpoint{}, Replicas: report.Replicas}
	out.Sessions, out.InFlight = 0, 0
	set := p.Set()
	for _, e := range set.Endpoints()[:min(set.Len(), maxEndpoints)] {
		described := describeEndpoint(&e.Endpoint)
		described.addLive(live[liveKey{e.Pod, e.Address}])
		described.History = d.sampler.pod(p, e)
		out.Sessions, out.InFlight = out.Sessions+described.Sessions, out.InFlight+described.InFlight
		out.Endpoints = append(out.Endpoints, described)
	}
	notReady := set.NotReady()
	for i := range notReady[:min(len(notReady), maxEndpoints-len(out.Endpoints))] {
		out.Endpoints = append(out.Endpoints, describeEndpoint(&notReady[i]))
	}
	slices.SortStableFunc(out.Endpoints, func(a, b endpoint) int {
		return cmp.Or(cmp.Compare(a.Pod, b.Pod), cmp.Compare(a.Address, b.Address))
	})
	return out, nil
}

// liveKey identifies an endpoint in a report.
type liveKey struct{ pod, address string }

func livePods(report *sessions.Report) map[liveKey]*sessions.Pod {
	pods := map[liveKey]*sessions.Pod{}
	for i := range report.Pools {
		for j := range report.Pools[i].Pods {
			p := &report.Pools[i].Pods[j]
			pods[liveKey{p.Pod, p.Address}] = p
		}
	}
	return pods
}

// addLive sets the numbers of a pod, which may be nil.
func (e *endpoint) addLive(p *sessions.Pod) {
	if p != nil {
		e.Sessions, e.Idle, e.InFlight, e.Streams = p.Sessions, p.Idle, p.InFlight, p.Streams
		e.NewPerMinute, e.IsIncomplete = p.NewPerMinute, p.Incomplete
	}
}

func describeEndpoint(e *model.Endpoint) endpoint {
	return endpoint{ID: e.ID, Pod: e.Pod, Address: e.Address, Zone: e.Zone, State: string(e.State)}
}
