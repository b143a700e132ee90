package sessions

import (
	"cmp"
	"slices"
	"time"

	"github.com/limpet-dev/limpet/pkg/sketch"
)

// Report is the response of GET /sessions.
type Report struct {
	Time time.Time `json:"time"`
	// Replicas are the replicas of which the numbers are the sum. One with an error is missing in the numbers.
	Replicas []Replica `json:"replicas"`
	// IdleAfterSeconds is the time without a request after which a session counts as idle.
	IdleAfterSeconds int64  `json:"idleAfterSeconds"`
	Pools            []Pool `json:"pools"`
	// Truncated reports whether more pods match the query than are listed.
	Truncated bool `json:"truncated,omitempty"`
}

// Replica is a replica of Limpet.
type Replica struct {
	Name    string `json:"name,omitempty"`
	Address string `json:"address,omitempty"`
	// Error is why the replica is missing in the numbers. It is empty if it is not.
	Error string `json:"error,omitempty"`
}

// Pool has the sessions of the pods of one Service port.
type Pool struct {
	Pool     string `json:"pool"` // namespace/service:port
	Sessions int64  `json:"sessions"`
	Pods     []Pod  `json:"pods"`
}

// Pod has the sessions of one endpoint of a pool. Numbers of sessions are estimates: see pkg/sketch.
type Pod struct {
	Namespace string `json:"namespace"`
	Pod       string `json:"pod,omitempty"` // empty if the endpoint is not a pod
	UID       string `json:"uid,omitempty"`
	Address   string `json:"address"`
	// Draining reports whether the pod gets no new sessions.
	Draining bool `json:"draining"`
	// Sessions counts the distinct sessions of the last WindowSeconds. Idle counts those without a request in the last
	// IdleAfterSeconds.
	Sessions int64 `json:"sessions"`
	Idle     int64 `json:"idle"`
	// InFlight counts active requests. Streams counts the long streams among them: WebSockets, events, calls and downloads.
	InFlight int64 `json:"inFlight"`
	Streams  int64 `json:"streams"`
	// NewPerMinute counts the sessions that started at the pod in the last minute.
	NewPerMinute float64 `json:"newPerMinute"`
	// Share is the part of the pool's sessions, from 0 to 1.
	Share         float64 `json:"share"`
	WindowSeconds int64   `json:"windowSeconds"`
	// Incomplete reports whether sessions are not counted, because the memory for counting was used up.
	Incomplete bool `json:"incomplete,omitempty"`

	// The sets of sessions, for merging. They are present only between replicas.
	Served   []byte `json:"served,omitempty"`
	Active   []byte `json:"active,omitempty"`
	Departed []byte `json:"departed,omitempty"`

	sets sets
}

// sets are the sessions of a pod. They are nil if there are no sessions.
type sets struct{ served, active, departed *sketch.Set }

// count sets the numbers of sessions of p.
func (p *Pod) count() {
	if p.sets.served == nil {
		p.Sessions, p.Idle = 0, 0
		return
	}
	departed := orEmpty(p.sets.departed)
	p.Sessions = p.sets.served.CountWithout(departed)
	active := orEmpty(p.sets.active).CountWithout(departed)
	p.Idle = max(p.Sessions-active, 0)
	p.Incomplete = p.Incomplete || p.sets.served.Incomplete
}

func orEmpty(s *sketch.Set) *sketch.Set {
	if s == nil {
		return sketch.NewSet()
	}
	return s
}

// complete sets the totals and shares, and sorts the pods by name.
func (p *Pool) complete() {
	p.Sessions = 0
	for i := range p.Pods {
		p.Sessions += p.Pods[i].Sessions
	}
	for i := range p.Pods {
		if p.Pods[i].Share = 0; p.Sessions > 0 {
			p.Pods[i].Share = float64(p.Pods[i].Sessions) / float64(p.Sessions)
		}
	}
	slices.SortFunc(p.Pods, func(a, b Pod) int {
		return cmp.Or(cmp.Compare(a.Pod, b.Pod), cmp.Compare(a.UID, b.UID), cmp.Compare(a.Address, b.Address))
	})
}

// IsEmpty reports whether a pod that Left returned has neither sessions nor active requests. It is false if a count may be
// too low.
func (r *Report) IsEmpty(left *Pod) bool {
	return left.Sessions == 0 && left.InFlight == 0 && !left.Incomplete && !r.Truncated && len(r.Missing()) == 0
}

// Left returns the sessions, idle sessions, active requests and streams of a pod in all pools. found reports whether it is in
// one. With a UID, an earlier or later pod of that name does not count.
func (r *Report) Left(pod PodRef) (left Pod, found bool) {
	left.Namespace, left.Pod = pod.Namespace, pod.Name
	for i := range r.Pools {
		for _, p := range r.Pools[i].Pods {
			if p.Namespace != pod.Namespace || p.Pod != pod.Name || pod.UID != "" && p.UID != pod.UID {
				continue
			}
			found = true
			left.Sessions, left.Idle = left.Sessions+p.Sessions, left.Idle+p.Idle
			left.InFlight, left.Streams = left.InFlight+p.InFlight, left.Streams+p.Streams
			left.Draining = left.Draining || p.Draining
			left.Incomplete = left.Incomplete || p.Incomplete
		}
	}
	return left, found
}

// Missing returns the replicas that are not in the numbers.
func (r *Report) Missing() (missing []Replica) {
	for _, replica := range r.Replicas {
		if replica.Error != "" {
			missing = append(missing, replica)
		}
	}
	return missing
}
