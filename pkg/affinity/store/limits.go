package store

import (
	"context"
	"encoding/hex"
	"errors"
	"math"
	"strconv"
	"sync"
	"time"

	"github.com/redis/rueidis"

	"github.com/limpet-dev/limpet/pkg/model"
)

// Limits adds up the requests of replicas in a shared store, as a filter.LimitStore. Each bucket is one string with a TTL:
// the times in microseconds at which its buckets per second and per minute are empty, by the clock of the server. The user
// needs the commands eval, evalsha and script load too.
type Limits struct {
	address address

	mu     sync.Mutex
	redis  rueidis.Client // nil before the first connection
	closed bool
}

// limitFormat is the version of the value format, after the prefix.
const limitFormat = "l1:"

// addUse adds a use to a bucket, and returns how long its two parts take to be empty.
var addUse = rueidis.NewLuaScript(`
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
local a, b = string.match(redis.call('GET', KEYS[1]) or '', '^(%d+) (%d+)$')
a = math.max(tonumber(a) or 0, now) + tonumber(ARGV[1])
b = math.max(tonumber(b) or 0, now) + tonumber(ARGV[2])
redis.call('SET', KEYS[1], string.format('%.0f %.0f', a, b), 'PX', math.ceil((math.max(a, b) - now) / 1000) + 1000)
return {a - now, b - now}`)

// OpenLimits returns the Limits for a URL as in Open, or nil for memory. It does not connect.
func OpenLimits(text string) (*Limits, error) {
	if text == "memory" {
		return nil, nil
	}
	a, err := parseURL(text)
	if err != nil {
		return nil, err
	}
	return &Limits{address: a}, nil
}

var errClosed = errors.New("store: the store of limits is closed")

// connect returns the client. It reconnects by itself after the first connection.
func (l *Limits) connect() (rueidis.Client, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.closed:
		return nil, errClosed
	case l.redis != nil:
		return l.redis, nil
	}
	o := l.address.option("", nil)
	o.ClientTrackingOptions, o.DisableCache, o.DisableRetry = nil, true, true
	redis, err := rueidis.NewClient(o)
	if err != nil {
		return nil, err
	}
	l.redis = redis
	return redis, nil
}

// AddUses implements filter.LimitStore.
func (l *Limits) AddUses(ctx context.Context, uses []model.LimitUse) error {
	redis, err := l.connect()
	if err != nil {
		return err
	}
	calls := make([]rueidis.LuaExec, len(uses))
	for i := range uses {
		u := &uses[i]
		calls[i] = rueidis.LuaExec{
			Keys: []string{l.address.prefix + limitFormat + hex.EncodeToString(u.Bucket[:])},
			Args: []string{microseconds(u.Added[0]), microseconds(u.Added[1])},
		}
	}
	for i, reply := range addUse.ExecMulti(ctx, redis, calls...) {
		left, err := reply.AsIntSlice()
		if err != nil {
			return err
		}
		if len(left) != len(uses[i].Excess) {
			return errors.New("store: the reply to a script is not valid")
		}
		for j := range left {
			uses[i].Excess[j] = time.Duration(min(max(left[j], 0), math.MaxInt64/1000)) * time.Microsecond
		}
	}
	return nil
}

func microseconds(d time.Duration) string {
	return strconv.FormatInt((int64(d)+999)/1000, 10)
}

// Close closes the connections. Later calls fail.
func (l *Limits) Close() {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	if l.redis != nil {
		l.redis.Close()
	}
}
