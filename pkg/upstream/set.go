package upstream

import (
	"cmp"
	"slices"
	"strings"

	"github.com/limpet-dev/limpet/pkg/model"
)

// Set is the endpoints of a Pool at one moment. It never changes; the counts of its endpoints do. It implements
// affinity.Set.
type Set struct {
	// Those that take new sessions come first, then the draining ones. Each part is sorted by ID and address, so that
	// every replica agrees on the order, and with it on ties.
	endpoints []*Endpoint
	ready     int
	ending    bool // none is ready
	byPod     index
	byName    index
	byValue   map[model.Identity]map[model.EndpointKey]int // labels and annotations that apps name pods by
	near      []bool                                       // parallel to endpoints
	left      departed
	pool      *Pool
}

// index finds the endpoints of a Set by one kind of identity.
type index struct {
	seeds []uint64
	keys  []model.EndpointKey
	byKey map[model.EndpointKey]int
}

// newSet takes ownership of endpoints. A pool in which nothing is ready lets its draining endpoints take new sessions,
// because serving beats refusing.
func newSet(endpoints []*Endpoint, pool *Pool, left departed) *Set {
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
		endpoints: endpoints,
		ready:     ready,
		ending:    ending,
		byPod:     newIndex(endpoints, func(e *Endpoint) string { return e.ID }),
		byName:    newIndex(endpoints, (*Endpoint).podName),
		byValue:   newValueIndexes(endpoints),
		near:      nearOf(endpoints, pool.zone),
		left:      left,
		pool:      pool,
	}
}

func stateOrder(s model.EndpointState) int {
	if s == model.EndpointReady {
		return 0
	}
	return 1
}

func newIndex(endpoints []*Endpoint, identity func(*Endpoint) string) index {
	x := index{
		seeds: make([]uint64, len(endpoints)),
		keys:  make([]model.EndpointKey, len(endpoints)),
		byKey: make(map[model.EndpointKey]int, len(endpoints)),
	}
	for i, e := range endpoints {
		id := identity(e)
		x.seeds[i], x.keys[i] = model.HashString(id), model.KeyOf(id)
		if _, taken := x.byKey[x.keys[i]]; !taken {
			x.byKey[x.keys[i]] = i
		}
	}
	return x
}

// newValueIndexes finds endpoints by the labels and annotations that policies name. Of several with one value the first
// counts, which is a ready one if any is.
func newValueIndexes(endpoints []*Endpoint) map[model.Identity]map[model.EndpointKey]int {
	indexes := map[model.Identity]map[model.EndpointKey]int{}
	for i, e := range endpoints {
		for identity, value := range e.Names {
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

func (s *Set) index(identity model.Identity) *index {
	if identity == model.IdentityPodName {
		return &s.byName
	}
	return &s.byPod
}

// Endpoint returns the i-th endpoint.
func (s *Set) Endpoint(i int) *Endpoint { return s.endpoints[i] }

// Endpoints returns all of them. The caller does not change the slice.
func (s *Set) Endpoints() []*Endpoint { return s.endpoints }

// Len is the number of endpoints.
func (s *Set) Len() int { return len(s.endpoints) }

// Ready is how many of them, from the front, take new sessions.
func (s *Set) Ready() int { return s.ready }

// Ending reports whether all endpoints are draining, and count as ready for want of others.
func (s *Set) AllDraining() bool { return s.ending }

// Seeds are the hashes of the identities, parallel to the endpoints.
func (s *Set) IdentityHashes(identity model.Identity) []uint64 { return s.index(identity).seeds }

// Key is the i-th endpoint's identity as tokens hold it.
func (s *Set) Key(identity model.Identity, i int) model.EndpointKey { return s.index(identity).keys[i] }

// Lookup finds the endpoint that a token or an app's value names.
func (s *Set) Lookup(identity model.Identity, key model.EndpointKey) (int, bool) {
	if identity == model.IdentityPod || identity == model.IdentityPodName {
		i, ok := s.index(identity).byKey[key]
		return i, ok
	}
	i, ok := s.byValue[identity][key]
	return i, ok
}

// Requests is how many requests the i-th endpoint is answering, as far as picking goes: see Endpoint.Refused.
func (s *Set) ActiveRequests(i int) int64 { return s.endpoints[i].load(s.endpoints[i].requests.Load()) }

// Sessions estimates how many sessions the i-th endpoint holds, as far as picking goes: see Endpoint.Refused.
func (s *Set) Sessions(i int) int64 { return s.endpoints[i].load(s.endpoints[i].sessions.count()) }

// Guests is how many requests the i-th endpoint has been given lately of clients that have no session.
func (s *Set) AnonymousRequests(i int) int64 { return s.endpoints[i].sessions.guestCount() }

// Since is when the i-th endpoint became ready or began to drain, in Unix seconds, as far as this replica has seen; 0 if
// it was ready from the beginning.
func (s *Set) StateSince(i int) int64 { return s.endpoints[i].since.Load() }

// Near reports whether the i-th endpoint is meant for clients in Limpet's own zone: as hints say, else if it is there.
func (s *Set) InLocalZone(i int) bool { return s.near[i] }

func nearOf(endpoints []*Endpoint, zone string) []bool {
	near := make([]bool, len(endpoints))
	for i, e := range endpoints {
		zones := strings.Split(cmp.Or(e.ForZones, e.Zone), ",")
		near[i] = zone != "" && slices.Contains(zones, zone)
	}
	return near
}

// Address is what the i-th endpoint is dialled by.
func (s *Set) Address(i int) string { return s.endpoints[i].Address }

// MayMove counts a session of the pool that is about to move of its own accord, unless so many have in this minute.
func (s *Set) AllowMove(perMinute, now int64) bool { return s.pool.moves.mayMove(perMinute, now) }

// Knows reports whether the i-th endpoint has served the session lately, as far as this replica has seen.
func (s *Set) HasServed(i int, session uint64) bool { return s.endpoints[i].sessions.has(session) }

// Turn counts up, for round robin. It goes on over changes of the set.
func (s *Set) NextTurn() uint64 { return s.pool.turn.Add(1) }
