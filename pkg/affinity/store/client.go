package store

import (
	"context"
	"encoding/hex"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/rueidis"

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
	keyFormat  = "1:" // version of the value format, after the prefix
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
func (v *server) connect(ctx context.Context, a address, t *table) error {
	v.dialing.Lock()
	defer v.dialing.Unlock()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if v.client.Load() != nil {
		return nil
	}
	prefix := a.prefix + keyFormat
	redis, err := rueidis.NewClient(a.option(prefix, invalidations(prefix, t)))
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
func invalidations(prefix string, t *table) func([]rueidis.RedisMessage) {
	return func(keys []rueidis.RedisMessage) {
		if keys == nil {
			t.invalidateAll()
		}
		for i := range keys {
			name, _ := keys[i].ToString()
			if id, ok := idOf(prefix, name); ok {
				t.invalidate(id)
			}
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
	if err != nil || len(value) != len(model.EndpointKey{}) {
		return reply{err: err}
	}
	return reply{key: model.EndpointKey([]byte(value)), found: true}
}

// put writes a batch and returns one outcome per change. It does not retry.
func (v *server) put(ctx context.Context, batch []change, idle int64) []outcome {
	c := v.client.Load()
	ttl := lifetime(idle)
	commands := make([]rueidis.Completed, len(batch))
	for i := range batch {
		commands[i] = c.command(&batch[i], ttl)
	}
	outcomes := make([]outcome, len(batch))
	for i, r := range c.redis.DoMulti(ctx, commands...) {
		outcomes[i] = outcomeOf(r, batch[i].renewal)
	}
	return outcomes
}

func (c *client) command(ch *change, ttl int64) rueidis.Completed {
	name := c.name(ch.id)
	if ch.renewal {
		return c.redis.B().Pexpire().Key(name).Milliseconds(ttl).Build().Pin()
	}
	return c.redis.B().Set().Key(name).Value(string(ch.key[:])).PxMilliseconds(ttl).Build().Pin()
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

// lifetime returns the TTL of a session in milliseconds. It is a quarter longer than the idle timeout, because
// sessions are renewed at most once per quarter.
func lifetime(idle int64) int64 { return idle*1000 + quarter(idle)*1000 }

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
