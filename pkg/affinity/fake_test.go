package affinity

import (
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/limpet-dev/limpet/pkg/model"
)

// fakeSet is a Set whose first ready endpoints accept new sessions. Both kinds of identity of an endpoint are equal,
// unless names contains another PodName.
type fakeSet struct {
	ids         []string
	names       []string
	ready       int
	allDraining bool
	departed    []string
	notReady    []string // names of pods
	anonymous   []int64
	requests    []int64
	latency     []float64
	sessions    []int64
	since       []int64
	moves       int64
	near        map[int]bool
	known       map[uint64]int // endpoint by session
	handedOff   map[uint64]int // endpoint by session
	move        model.SessionMove
	turn        uint64
	lowLoad     []atomic.Int32

	byPod, byName, byLabel fakeIndex
}

type fakeIndex struct {
	hashes []uint64
	keys   map[model.EndpointKey]int
}

// newSet returns a set of endpoints whose identities are the words of ids. Those after "|" are draining.
func newSet(ids string) *fakeSet {
	ready, draining, _ := strings.Cut(ids, "|")
	all := append(strings.Fields(ready), strings.Fields(draining)...)
	return newSetOf(all, all, len(strings.Fields(ready)))
}

func newSetOf(ids, names []string, ready int) *fakeSet {
	return &fakeSet{
		ids: ids, names: names, ready: ready,
		requests:  make([]int64, len(ids)),
		latency:   make([]float64, len(ids)),
		sessions:  make([]int64, len(ids)),
		anonymous: make([]int64, len(ids)),
		since:     make([]int64, len(ids)),
		byPod:     newFakeIndex(ids),
		byName:    newFakeIndex(names),
	}
}

func newFakeIndex(identities []string) fakeIndex {
	x := fakeIndex{keys: map[model.EndpointKey]int{}}
	for i, identity := range identities {
		x.hashes = append(x.hashes, model.HashString(identity))
		x.keys[model.KeyOf(identity)] = i
	}
	return x
}

func (s *fakeSet) index(kind model.Identity) *fakeIndex {
	switch kind {
	case model.IdentityPodName:
		return &s.byName
	case model.PodLabel("route"):
		return &s.byLabel
	}
	return &s.byPod
}

func (s *fakeSet) Len() int                      { return len(s.ids) }
func (s *fakeSet) Ready() int                    { return s.ready }
func (s *fakeSet) AnonymousRequests(i int) int64 { return s.anonymous[i] }
func (s *fakeSet) AllDraining() bool             { return s.allDraining }
func (s *fakeSet) WasRemoved(_ model.Identity, k model.EndpointKey) bool {
	return slices.ContainsFunc(s.departed, func(id string) bool { return model.KeyOf(id) == k })
}
func (s *fakeSet) IsNotReady(_ model.Identity, k model.EndpointKey) bool {
	return slices.ContainsFunc(s.notReady, func(id string) bool { return model.KeyOf(id) == k })
}
func (s *fakeSet) IdentityHashes(kind model.Identity) []uint64 { return s.index(kind).hashes }
func (s *fakeSet) ActiveRequests(i int) int64                  { return s.requests[i] }
func (s *fakeSet) Latency(i int, _ int64) float64              { return s.latency[i] }
func (s *fakeSet) Sessions(i int) int64                        { return s.sessions[i] }
func (s *fakeSet) StateSince(i int) int64                      { return s.since[i] }
func (s *fakeSet) Address(i int) string                        { return s.ids[i] }
func (s *fakeSet) InLocalZone(i int) bool                      { return s.near[i] }
func (s *fakeSet) LowLoad(model.Pick) []atomic.Int32           { return s.lowLoad }
func (s *fakeSet) NextTurn() uint64                            { s.turn++; return s.turn }

func (s *fakeSet) Key(kind model.Identity, i int) model.EndpointKey {
	if kind == model.IdentityPodName {
		return model.KeyOf(s.names[i])
	}
	return model.KeyOf(s.ids[i])
}

func (s *fakeSet) Lookup(kind model.Identity, key model.EndpointKey) (int, bool) {
	i, ok := s.index(kind).keys[key]
	return i, ok
}

func (s *fakeSet) AllowMove(perMinute, _ int64) bool {
	s.moves++
	return perMinute == 0 || s.moves <= perMinute
}

// HandOff moves every session that may start to move, and others after it.
func (s *fakeSet) HandOff(m *model.SessionMove) (int, bool) {
	s.move = *m
	if to, ok := s.handedOff[m.Session]; ok {
		return to, false
	}
	if !m.Start || m.To == none {
		return m.From, false
	}
	if !m.DryRun {
		if s.handedOff == nil {
			s.handedOff = map[uint64]int{}
		}
		s.handedOff[m.Session] = m.To
	}
	return m.To, true
}

func (s *fakeSet) CancelHandoff(_ int, session uint64) { delete(s.handedOff, session) }

func (s *fakeSet) HasServed(i int, session uint64) bool {
	at, ok := s.known[session]
	return ok && at == i
}

func (s *fakeSet) name(i int) string {
	if i == none {
		return ""
	}
	return s.ids[i]
}

// fakeRequest is a Request made of strings.
type fakeRequest struct {
	cookies []string
	header  string // value of X-Session-Id
	ip      string
	agent   string
	method  string
	path    string
	query   string
	host    string
	cert    string
	bearer  string // value of Authorization
}

func (r *fakeRequest) Header(name string) ([]byte, bool) {
	if name == "User-Agent" {
		return []byte(r.agent), r.agent != ""
	}
	if name == "Authorization" {
		return []byte(r.bearer), r.bearer != ""
	}
	return []byte(r.header), name == "X-Session-Id" && r.header != ""
}

func (r *fakeRequest) CookieHeader(i int) []byte {
	if i >= len(r.cookies) {
		return nil
	}
	return []byte(r.cookies[i])
}

func (r *fakeRequest) Host() []byte              { return []byte(r.host) }
func (r *fakeRequest) ClientCertificate() []byte { return []byte(r.cert) }

func (r *fakeRequest) Method() []byte { return []byte(r.method) }
func (r *fakeRequest) Path() []byte   { return []byte(r.path) }
func (r *fakeRequest) Query() []byte  { return []byte(r.query) }

func (r *fakeRequest) ClientIP() netip.Addr {
	ip, _ := netip.ParseAddr(r.ip)
	return ip
}

// testKey returns a key that depends only on n.
func testKey(n byte) []byte {
	key := make([]byte, keySize)
	for i := range key {
		key[i] = n + byte(i)*7
	}
	return key
}

func newRing(t testing.TB, numbers ...byte) *Keyring {
	t.Helper()
	var keys [][]byte
	for _, n := range numbers {
		keys = append(keys, testKey(n))
	}
	ring, err := NewKeyring(keys)
	if err != nil {
		t.Fatal(err)
	}
	return ring
}

const testScope = "shop/cart:80"

var (
	cookieMethod = model.Method{
		Source: model.SourceCookie, Binding: model.BindingIssued,
		Cookie: &model.Cookie{
			Name: "cart-id", Path: "/", SameSite: model.SameSiteLax, Secure: model.SecureAuto, HTTPOnly: true,
		},
	}
	oldCookieMethod = model.Method{
		Source: model.SourceCookie, Binding: model.BindingIssued, Cookie: &model.Cookie{Name: "old-id"},
	}
	headerMethod = model.Method{
		Source: model.SourceHeader, Binding: model.BindingHashed, Header: &model.Header{Name: "X-Session-Id"},
	}
	addressMethod = model.Method{
		Source: model.SourceSourceIP, Binding: model.BindingHashed,
		SourceIP: &model.SourceIP{IPv4PrefixLength: 32, IPv6PrefixLength: 64},
	}
)

// affinityOf returns an affinity with the defaults of AffinityPolicy, except that it picks by LeastRequests. The pick
// then depends only on fakeSet.requests.
func affinityOf(methods ...model.Method) *model.Affinity {
	return &model.Affinity{
		Scope:        testScope,
		Methods:      methods,
		Pick:         model.PickLeastRequests,
		KeepDraining: true,
		Unavailable:  model.Unavailable{Action: model.UnavailableRepick, Status: 503},
		Identity:     model.IdentityPod,
	}
}

// place places a session with a policy that has no requirements.
func place(set Set, id model.Identity, session uint64, keepDraining bool, tried []int) int {
	p := &Policy{identity: id, keepDraining: keepDraining}
	return p.placeByHash(&candidates{set: set, identity: id, tried: narrow(tried)}, session)
}

func pickUntried(set Set, pick model.Pick, id model.Identity, req Request, tried []int) int {
	c := candidates{set: set, identity: id, tried: narrow(tried)}
	return c.pick(pick, req)
}

func narrow(tried []int) (out []int32) {
	for _, i := range tried {
		out = append(out, int32(i))
	}
	return out
}
