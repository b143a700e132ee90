package upstream

import (
	"cmp"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/limpet-dev/limpet/pkg/model"
)

// Set is a snapshot of the endpoints of a Pool. It is immutable, but the counts of its endpoints change. It implements
// affinity.Set.
type Set struct {
	// Endpoints that accept new sessions come first, then the draining ones. Both parts are sorted by ID and address,
	// so that all replicas have the same order and break ties the same way.
	endpoints   []*Endpoint
	ready       int
	allDraining bool // no endpoint is ready
	// byPod and byName are nil until the first use, see index.
	byPod, byName atomic.Pointer[identityIndex]
	byValue       map[model.Identity]map[model.EndpointKey]int // by label and annotation values; may be nil
	inLocalZone   []bool                                       // indexed by endpoint; nil if the own zone is unknown
	lowLoad       *lowLoad                                     // nil for a small set
	notReady      *notReadyEndpoints                           // nil without such endpoints
	removed       *removedKeys                                 // nil without such endpoints
	pool          *Pool
}

// newSet takes ownership of endpoints. If no endpoint is ready, draining endpoints accept new sessions, because that
// is better than refusing them.
func newSet(endpoints []*Endpoint, pool *Pool) *Set {
	slices.SortFunc(endpoints, func(a, b *Endpoint) int {
		return cmp.Or(
			cmp.Compare(stateOrder(a.State), stateOrder(b.State)),
			cmp.Compare(a.ID, b.ID),
			cmp.Compare(a.Address, b.Address),
		)
	})
	ready := 0
	for ready < len(endpoints) && endpoints[ready].State == model.EndpointReady {
		ready++
	}
	ending := ready == 0
	if ending {
		ready = len(endpoints)
	}
	return &Set{
		lowLoad:     newLowLoad(ready),
		endpoints:   endpoints,
		ready:       ready,
		allDraining: ending,
		byValue:     newValueIndexes(endpoints),
		inLocalZone: zoneMatches(endpoints, pool.registry.Zone),
		pool:        pool,
	}
}

func stateOrder(s model.EndpointState) int {
	if s == model.EndpointReady {
		return 0
	}
	return 1
}

// newValueIndexes indexes endpoints by the labels and annotations that policies use. If several endpoints have the
// same value, the first is used, which is a ready one if there is any.
func newValueIndexes(endpoints []*Endpoint) map[model.Identity]map[model.EndpointKey]int {
	var indexes map[model.Identity]map[model.EndpointKey]int
	for i, e := range endpoints {
		for identity, value := range e.Names {
			if indexes == nil {
				indexes = map[model.Identity]map[model.EndpointKey]int{}
			}
			if indexes[identity] == nil {
				indexes[identity] = map[model.EndpointKey]int{}
			}
			key := model.KeyOf(value)
			if _, taken := indexes[identity][key]; !taken {
				indexes[identity][key] = i
			}
		}
	}
	return indexes
}

// index returns the index for an identity, and creates it on the first use: many pools have no sessions.
func (s *Set) index(identity model.Identity) *identityIndex {
	kept := s.keptIndex(identity)
	if x := kept.Load(); x != nil {
		return x
	}
	kept.CompareAndSwap(nil, s.newIndex(identity))
	return kept.Load()
}

func (s *Set) keptIndex(identity model.Identity) *atomic.Pointer[identityIndex] {
	if identity == model.IdentityPodName {
		return &s.byName
	}
	return &s.byPod
}

func (s *Set) newIndex(identity model.Identity) *identityIndex {
	if identity == model.IdentityPodName {
		return newIdentityIndex(s.endpoints, (*Endpoint).podName)
	}
	return newIdentityIndex(s.endpoints, func(e *Endpoint) string { return e.ID })
}

// prepare creates the indexes that requests have used in the previous Set, so that no request waits for them.
func (s *Set) prepare(previous *Set) {
	for _, identity := range []model.Identity{model.IdentityPod, model.IdentityPodName} {
		if previous.keptIndex(identity).Load() != nil {
			s.index(identity)
		}
	}
}

// Endpoint returns the i-th endpoint.
func (s *Set) Endpoint(i int) *Endpoint { return s.endpoints[i] }

// Endpoints returns all endpoints. Callers must not modify the slice.
func (s *Set) Endpoints() []*Endpoint { return s.endpoints }

// Len returns the number of endpoints.
func (s *Set) Len() int { return len(s.endpoints) }

// Ready returns the number of endpoints that accept new sessions. They come first.
func (s *Set) Ready() int { return s.ready }

// AllDraining reports whether all endpoints are draining. They then count as ready, because there are no others.
func (s *Set) AllDraining() bool { return s.allDraining }

// IdentityHashes returns the hash of each endpoint's identity. Callers must not modify it.
func (s *Set) IdentityHashes(identity model.Identity) []uint64 { return s.index(identity).hashes }

// Key returns the identity of the i-th endpoint in the form that tokens contain.
func (s *Set) Key(identity model.Identity, i int) model.EndpointKey { return s.index(identity).keys[i] }

// Lookup returns the endpoint for the key in a token or in a value of the app.
func (s *Set) Lookup(identity model.Identity, key model.EndpointKey) (int, bool) {
	if identity == model.IdentityPod || identity == model.IdentityPodName {
		return s.index(identity).lookup(key)
	}
	i, ok := s.byValue[identity][key]
	return i, ok
}

// ActiveRequests returns the number of active requests of the i-th endpoint, or math.MaxInt64 after
// Endpoint.ConnectFailed.
func (s *Set) ActiveRequests(i int) int64 {
	return s.endpoints[i].loadUnlessRefusing(s.endpoints[i].requests.Load())
}

// InFlight returns the number of active requests of all endpoints, including those that are ejected.
func (s *Set) InFlight() (n int64) {
	for _, e := range s.endpoints {
		n += e.InFlight()
	}
	for _, e := range s.Ejected() {
		n += e.InFlight()
	}
	return n
}

// Sessions estimates the number of recent sessions of the i-th endpoint. It returns math.MaxInt64 after
// Endpoint.ConnectFailed.
func (s *Set) Sessions(i int) int64 {
	return s.endpoints[i].loadUnlessRefusing(s.endpoints[i].Sessions())
}

// AnonymousRequests returns the number of recent requests of the i-th endpoint from clients without a session.
func (s *Set) AnonymousRequests(i int) int64 { return s.endpoints[i].sessions.Load().anonymousCount() }

// StateSince returns when the i-th endpoint became ready or draining, in Unix seconds, as observed by this replica. It
// is zero if the endpoint was ready from the start.
func (s *Set) StateSince(i int) int64 { return s.endpoints[i].stateSince.Load() }

// InLocalZone reports whether the i-th endpoint serves clients in the zone of this replica. The hints of the
// EndpointSlice take precedence over the zone of the endpoint.
func (s *Set) InLocalZone(i int) bool { return s.inLocalZone != nil && s.inLocalZone[i] }

func zoneMatches(endpoints []*Endpoint, zone string) []bool {
	if zone == "" {
		return nil
	}
	near := make([]bool, len(endpoints))
	for i, e := range endpoints {
		zones := strings.Split(cmp.Or(e.ForZones, e.Zone), ",")
		near[i] = slices.Contains(zones, zone)
	}
	return near
}

// Address returns the dial address of the i-th endpoint.
func (s *Set) Address(i int) string { return s.endpoints[i].Address }

// AllowMove reports whether another session of the pool may move for rebalancing in this minute, and counts the move.
func (s *Set) AllowMove(perMinute, now int64) bool { return s.pool.moveLimiter.allow(perMinute, now) }

// HasServed reports whether the i-th endpoint served the session recently, as observed by this replica. It may return
// false positives.
func (s *Set) HasServed(i int, session uint64) bool {
	return s.endpoints[i].sessions.Load().has(session)
}

// NextTurn returns a counter for round robin. It continues across changes of the set.
func (s *Set) NextTurn() uint64 { return s.pool.roundRobin.Add(1) }
