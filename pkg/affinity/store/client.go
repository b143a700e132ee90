package store

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/rueidis"

	"github.com/limpet-dev/limpet/pkg/affinity"
	"github.com/limpet-dev/limpet/pkg/model"
)

const (
	dialTimeout = time.Second
	// An idle connection is pinged every keepAliveInterval, and fails after pingTimeout. In a silent network failure,
	// invalidations may be missed for that long.
	keepAliveInterval = time.Second
	pingTimeout       = 2 * time.Second
	topologyInterval  = 5 * time.Second // between polls for new masters, in addition to notifications

	connBuffer = 64 << 10
	keyFormat  = "2:" // version of the value format, after the prefix
	valueBytes = len(model.EndpointKey{}) + 8
)

// server holds the connection to the shared store. The zero value is not connected.
type server struct {
	dialing sync.Mutex
	client  atomic.Pointer[client]
}

type client struct {
	redis  rueidis.Client
	prefix string
}

// connect connects to the shared store, unless it is connected already. After that, the client reconnects
// automatically.
func (v *server) connect(ctx context.Context, a address, tables ...*table) error {
	v.dialing.Lock()
	defer v.dialing.Unlock()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if v.client.Load() != nil {
		return nil
	}
	prefix := a.prefix + keyFormat
	redis, err := rueidis.NewClient(a.option(prefix, invalidations(prefix, tables...)))
	if err != nil {
		return err
	}
	v.client.Store(&client{redis: redis, prefix: prefix})
	return nil
}

func (v *server) close() {
	if c := v.client.Load(); c != nil {
		c.redis.Close()
	}
}

// option returns the options of the Redis client.
//
// There is one connection per server. Therefore NOLOOP suppresses notifications of this replica's own writes, and
// replies and notifications arrive in the order in which the server sent them.
func (a address) option(prefix string, onInvalidations func([]rueidis.RedisMessage)) rueidis.ClientOption {
	dialer := net.Dialer{Timeout: dialTimeout, KeepAlive: keepAliveInterval}
	return rueidis.ClientOption{
		InitAddress:           a.hosts,
		ForceSingleClient:     a.mode == single,
		Username:              a.user,
		Password:              a.password,
		SelectDB:              a.db,
		TLSConfig:             a.tls,
		ClientName:            "limpet",
		ClientTrackingOptions: []string{"BCAST", "PREFIX", prefix, "NOLOOP"},
		OnInvalidations:       onInvalidations,
		PipelineMultiplex:     -1,
		Dialer:                dialer,
		ConnWriteTimeout:      pingTimeout,
		ReadBufferEachConn:    connBuffer,
		WriteBufferEachConn:   connBuffer,
		ClusterOption:         rueidis.ClusterOption{ShardsRefreshInterval: topologyInterval},
		Sentinel: rueidis.SentinelOption{
			MasterSet: a.master, Username: a.sentinelUser, Password: a.sentinelPassword,
			TLSConfig: a.tls, Dialer: dialer, TopologyRefreshInterval: topologyInterval,
		},
	}
}

// invalidations returns the handler of invalidation messages. Nil keys mean that all keys changed or that the
// connection was lost.
func invalidations(prefix string, tables ...*table) func([]rueidis.RedisMessage) {
	return func(keys []rueidis.RedisMessage) {
		for _, t := range tables {
			t.invalidateKeys(prefix, keys)
		}
	}
}

func (t *table) invalidateKeys(prefix string, keys []rueidis.RedisMessage) {
	if keys == nil {
		t.invalidateAll()
	}
	for i := range keys {
		name, _ := keys[i].ToString()
		if id, ok := idOf(prefix, name); ok {
			t.invalidate(id, t.now())
		}
	}
}

// Commands are pinned, so that the client does not recycle their memory. When it retries a command after a connection
// failure, the writer of the failed connection may still read that memory.

// get queries one session. A value of unexpected length counts as not found.
func (v *server) get(ctx context.Context, id sessionHash) reply {
	c := v.client.Load()
	value, err := c.redis.Do(ctx, c.redis.B().Get().Key(c.name(id)).Build().Pin()).ToString()
	if rueidis.IsRedisNil(err) {
		return reply{}
	}
	if err != nil || len(value) != valueBytes {
		return reply{err: err}
	}
	return reply{binding: bindingOf([]byte(value)), found: true}
}

func bindingOf(value []byte) binding {
	key := model.EndpointKey(value)
	return binding{key, int64(binary.BigEndian.Uint64(value[len(key):]))}
}

// value is the inverse of bindingOf.
func (b binding) value() string {
	return string(binary.BigEndian.AppendUint64(b.key[:], uint64(b.started)))
}

// put writes a batch and returns one outcome per change. It does not retry.
func (v *server) put(ctx context.Context, batch []change) []outcome {
	c := v.client.Load()
	commands := make([]rueidis.Completed, len(batch))
	for i := range batch {
		commands[i] = c.command(&batch[i])
	}
	outcomes := make([]outcome, len(batch))
	for i, r := range c.redis.DoMulti(ctx, commands...) {
		outcomes[i] = outcomeOf(r, batch[i].renewal)
	}
	return outcomes
}

func (c *client) command(ch *change) rueidis.Completed {
	name := c.name(ch.id)
	if ch.renewal {
		return c.redis.B().Pexpire().Key(name).Milliseconds(ch.ttl).Build().Pin()
	}
	return c.redis.B().Set().Key(name).Value(ch.value()).PxMilliseconds(ch.ttl).Build().Pin()
}

func outcomeOf(r rueidis.RedisResult, renewal bool) outcome {
	if err := r.NonRedisError(); err != nil {
		return outcome{err: err, unreachable: true}
	}
	if err := r.Error(); err != nil || !renewal {
		return outcome{err: err}
	}
	n, err := r.AsInt64()
	return outcome{missing: n == 0, err: err}
}

// ttl returns the TTL of a session in the shared store in milliseconds, so that it never outlives the timeouts of its
// policy. Without timeouts it is a quarter longer than the idle timeout of the store, because sessions are renewed at
// most once per quarter.
func (t *table) ttl(started, now int64, life affinity.Lifetime) int64 {
	if life == (affinity.Lifetime{}) {
		return (t.idle + quarter(t.idle)) * 1000
	}
	ttl := int64(maxTTL)
	if life.Idle > 0 {
		ttl = min(ttl, life.Idle)
	}
	if life.Absolute > 0 {
		ttl = min(ttl, started+life.Absolute-now)
	}
	return max(ttl*1000, 1)
}

// maxTTL is the maximum TTL in seconds. Redis rejects a TTL that overflows.
const maxTTL = 100 * 365 * 24 * 3600

// renewalDue reports whether a session must be renewed in the shared store.
func (t *table) renewalDue(e *entry, now int64, life affinity.Lifetime) bool {
	idle := t.idleOf(life)
	return idle > 0 && now-int64(e.renewed) >= quarter(idle)
}

func quarter(idle int64) int64 { return max(1, idle/4) }

func (c *client) name(id sessionHash) string { return c.prefix + hex.EncodeToString(id[:]) }

func idOf(prefix, name string) (id sessionHash, ok bool) {
	digits, ok := strings.CutPrefix(name, prefix)
	if !ok || len(digits) != hex.EncodedLen(len(id)) {
		return id, false
	}
	_, err := hex.Decode(id[:], []byte(digits))
	return id, err == nil
}
