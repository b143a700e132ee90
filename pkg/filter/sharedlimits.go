package filter

import (
	"context"
	"crypto/sha256"
	"sync"
	"time"

	"github.com/go-logr/logr"

	"github.com/limpet-dev/limpet/pkg/model"
)

// LimitStore is where replicas add up the requests that they have admitted. It is safe for concurrent use.
type LimitStore interface {
	// AddUses adds requests to their buckets, and sets the Excess of each use. If it returns an error, some may have been added.
	AddUses(ctx context.Context, uses []model.LimitUse) error
}

const (
	// limitSyncEvery is the time for which uses are collected.
	limitSyncEvery = 50 * time.Millisecond
	// limitSyncTimeout bounds the wait for the store, and limitRetry is the pause after a failure.
	limitSyncTimeout = time.Second
	limitRetry       = time.Second
	// maxUnshared bounds the clients of a shard whose requests are sent to the store together. So clients of one object cannot keep
	// the store busy. The requests of further clients are not shared.
	maxUnshared = 64
	// maxExcess bounds what is believed of the store.
	maxExcess = time.Hour
)

// SharedLimits sends the requests that this replica has admitted to a store, and reads the requests of other replicas from it. It
// does so in the background: no request waits for it. While the store does not respond, each replica limits only its own
// requests. A nil SharedLimits does nothing.
type SharedLimits struct {
	store LimitStore
	log   logr.Logger
	wake  chan struct{}

	mu      sync.Mutex
	pending map[*clientLimiter]struct{} // limiters with uses that the store does not know

	failing bool // owned by the goroutine of Run
}

// NewSharedLimits returns a SharedLimits. Run must be called.
func NewSharedLimits(store LimitStore, log logr.Logger) *SharedLimits {
	return &SharedLimits{store: store, log: log, wake: make(chan struct{}, 1), pending: map[*clientLimiter]struct{}{}}
}

// Run synchronizes limits until ctx is done.
func (s *SharedLimits) Run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.wake:
		}
		pause := limitSyncEvery
		if s.failing {
			pause = limitRetry
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
			s.sync(ctx)
		}
	}
}

// use records that a limiter has uses.
func (s *SharedLimits) use(l *clientLimiter) {
	if s == nil || l.isPending.Load() || l.isPending.Swap(true) {
		return
	}
	s.mu.Lock()
	s.pending[l] = struct{}{}
	s.mu.Unlock()
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// sync sends the uses of all limiters. Those that the store does not take are lost: the next ones count again.
func (s *SharedLimits) sync(ctx context.Context) {
	s.mu.Lock()
	limiters := s.pending
	s.pending = map[*clientLimiter]struct{}{}
	s.mu.Unlock()
	responds := true
	for l := range limiters {
		l.isPending.Store(false)
		keys, uses := l.takeUses()
		if !responds || len(uses) == 0 {
			continue
		}
		if responds = s.send(ctx, uses); responds {
			l.addExcess(keys, uses)
		}
	}
}

// send sends uses to the store, and reports whether it has responded.
func (s *SharedLimits) send(ctx context.Context, uses []model.LimitUse) bool {
	ctx, cancel := context.WithTimeout(ctx, limitSyncTimeout)
	defer cancel()
	err := s.store.AddUses(ctx, uses)
	s.report(err)
	return err == nil
}

// report logs the first failure, and the first success after it.
func (s *SharedLimits) report(err error) {
	switch {
	case err != nil && !s.failing:
		s.log.Error(err, "The store of shared limits does not respond. Each replica limits its own requests")
	case err == nil && s.failing:
		s.log.Info("The store of shared limits responds again")
	}
	s.failing = err != nil
}

// takeUses returns the clients with requests that the store does not know.
func (l *clientLimiter) takeUses() (keys []clientKey, uses []model.LimitUse) {
	for i := range l.shards {
		s := &l.shards[i]
		s.mu.Lock()
		for _, key := range s.unshared {
			at, found := s.index[key]
			if !found || s.clients[at].added == [2]int64{} {
				continue
			}
			c := &s.clients[at]
			keys = append(keys, key)
			uses = append(uses, model.LimitUse{
				Bucket: bucketOf(l.object, &key), Added: [2]time.Duration{time.Duration(c.added[0]), time.Duration(c.added[1])},
			})
			c.added = [2]int64{}
		}
		s.unshared = s.unshared[:0]
		s.mu.Unlock()
	}
	return keys, uses
}

// bucketOf returns the name of the bucket of a client. It hides the address only from casual readers of the store: the hash has
// no key, because replicas must agree.
func bucketOf(object model.Ref, key *clientKey) [16]byte {
	sum := sha256.Sum256(append([]byte("limpet limit "+object.String()+" "), key[:]...))
	return [16]byte(sum[:16])
}

// addExcess makes clients wait for the requests that other replicas have admitted.
func (l *clientLimiter) addExcess(keys []clientKey, uses []model.LimitUse) {
	now := l.now()
	for i := range keys {
		s := l.shard(&keys[i])
		s.mu.Lock()
		if at, found := s.index[keys[i]]; found {
			c, excess := &s.clients[at], &uses[i].Excess
			c.second = max(c.second, now+int64(min(max(excess[0], 0), maxExcess)))
			c.minute = max(c.minute, now+int64(min(max(excess[1], 0), maxExcess)))
		}
		s.mu.Unlock()
	}
}

// addUse records a request that was admitted for the store. It is called with s.mu held.
func (s *limiterShard) addUse(c *clientState, q *quota) {
	if c.added == [2]int64{} {
		if len(s.unshared) >= maxUnshared {
			return
		}
		s.unshared = append(s.unshared, c.key)
	}
	c.added[0] += q.second.interval
	c.added[1] += q.minute.interval
}
