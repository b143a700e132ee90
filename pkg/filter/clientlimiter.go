package filter

import (
	"hash/maphash"
	"sync"
	"sync/atomic"
	"time"

	"github.com/limpet-dev/limpet/pkg/model"
)

// Bounds of the state of one clientLimiter. A client takes about 120 bytes.
const (
	limiterShards   = 64
	clientsPerShard = 1024
	// idleAfter is the time without a request after which a client may be forgotten.
	idleAfter = int64(time.Minute)
)

// clientKey identifies a client: an address as 16 bytes, cut to the prefix that identifies clients.
type clientKey [16]byte

// refusal is the reason why a request is refused.
type refusal uint8

const (
	admitted refusal = iota
	tooFast
	tooMany
)

// rate is a rate with a tolerance, in nanoseconds. A zero interval sets no limit.
type rate struct{ interval, tolerance int64 }

func newRate(count int, per time.Duration, burst int) rate {
	if count <= 0 {
		return rate{}
	}
	interval := max(int64(per)/int64(count), 1)
	return rate{interval, interval * int64(count) * int64(burst)}
}

// quota limits one client.
type quota struct {
	second, minute rate
	connections    int32 // zero sets no limit
	isShared       bool  // the requests of all replicas count
}

// clientLimiter counts the requests of each client. Its memory is bounded: above the bound, it forgets the client that has sent
// no request for the longest time. It is safe for concurrent use.
//
// The rates follow the leaky bucket of nginx (limit_req with nodelay) in the form of the generic cell rate algorithm: for each
// rate, a client has the time at which its bucket will be empty.
type clientLimiter struct {
	object model.Ref
	start  time.Time
	seed   maphash.Seed
	shards [limiterShards]limiterShard
	// isPending is true if SharedLimits knows of uses.
	isPending atomic.Bool
}

func newClientLimiter(object model.Ref) *clientLimiter {
	return &clientLimiter{object: object, start: time.Now(), seed: maphash.MakeSeed()}
}

// now returns the time since the start of the limiter. It is never zero.
func (l *clientLimiter) now() int64 { return int64(time.Since(l.start)) + 1 }

func (l *clientLimiter) shard(key *clientKey) *limiterShard {
	return &l.shards[maphash.Bytes(l.seed, key[:])%limiterShards]
}

// admit counts a request at a time, unless it is refused. An admitted request counts as a connection until release.
func (l *clientLimiter) admit(key *clientKey, q *quota, now int64) refusal {
	s := l.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.client(key, now)
	result := c.admit(q, now)
	if q.isShared && result == admitted {
		s.addUse(c, q)
	}
	return result
}

// release ends a connection that admit has counted.
func (l *clientLimiter) release(key *clientKey) {
	s := l.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	if i, found := s.index[*key]; found {
		c := &s.clients[i]
		c.connections = max(c.connections-1, 0) // the client may have been forgotten in between
	}
}

// limiterShard has the clients of one shard in a list, in the order of their last requests.
type limiterShard struct {
	mu      sync.Mutex
	index   map[clientKey]int32
	clients []clientState // the first one is the head of the list, and no client
	// unshared are the clients with requests that the shared store does not know. Some may have been forgotten since.
	unshared []clientKey
	_        [64]byte // keeps shards in separate cache lines
}

// clientState is the state of one client.
type clientState struct {
	key            clientKey
	second, minute int64 // time at which the bucket is empty
	seen           int64 // time of the last request
	newer, older   int32 // neighbors in the list; those of the head are the oldest and the newest client
	connections    int32
	added          [2]int64 // to second and minute, and not yet sent to the shared store
}

// admit counts a request, unless it is refused. A refused request is not counted.
func (c *clientState) admit(q *quota, now int64) refusal {
	if !q.second.allows(c.second, now) || !q.minute.allows(c.minute, now) {
		return tooFast
	}
	c.second, c.minute = q.second.add(c.second, now), q.minute.add(c.minute, now)
	if q.connections == 0 {
		return admitted
	}
	if c.connections >= q.connections {
		return tooMany
	}
	c.connections++
	return admitted
}

func (r *rate) allows(empty, now int64) bool { return r.interval == 0 || empty-now <= r.tolerance }

func (r *rate) add(empty, now int64) int64 {
	if r.interval == 0 {
		return empty
	}
	return max(empty, now) + r.interval
}

// client returns the state of a client, and makes it the newest. It is valid until the next call.
func (s *limiterShard) client(key *clientKey, now int64) *clientState {
	i, found := s.index[*key]
	if found {
		s.unlink(i)
	} else {
		i = s.add(key, now)
	}
	s.clients[i].seen = now
	s.linkNewest(i)
	return &s.clients[i]
}

// add returns the index of a new client. It reuses the place of the oldest one if that is idle, or if there are too many.
func (s *limiterShard) add(key *clientKey, now int64) int32 {
	if s.index == nil {
		s.index, s.clients = map[clientKey]int32{}, make([]clientState, 1, 8)
	}
	i := s.clients[0].newer
	if old := &s.clients[i]; i != 0 && (len(s.clients) > clientsPerShard || old.isIdle(now)) {
		s.unlink(i)
		delete(s.index, old.key)
	} else {
		i = int32(len(s.clients))
		s.clients = append(s.clients, clientState{})
	}
	s.clients[i] = clientState{key: *key}
	s.index[*key] = i
	return i
}

// isIdle reports whether a client without its state is treated the same.
func (c *clientState) isIdle(now int64) bool {
	return now-c.seen > idleAfter && c.connections == 0 && c.second <= now && c.minute <= now
}

func (s *limiterShard) unlink(i int32) {
	c := &s.clients[i]
	s.clients[c.newer].older, s.clients[c.older].newer = c.older, c.newer
}

// linkNewest makes client i the newest one.
func (s *limiterShard) linkNewest(i int32) {
	newest := s.clients[0].older
	s.clients[i].older, s.clients[i].newer = newest, 0
	s.clients[newest].newer, s.clients[0].older = i, i
}
