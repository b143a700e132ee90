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
	// idlePing is how often the server is asked on a connection on which it says nothing, and pingTimeout how long it
	// may take: for so long may changes go unheard when a network fails silently.
	idlePing    = time.Second
	pingTimeout = 2 * time.Second
	topology    = 5 * time.Second // how often masters are asked for, besides being told of

	connBuffer = 64 << 10
	format     = "1:" // begins what follows the prefix: a later format of values takes another
)

// server holds the connections to the shared store, from the first that works until close.
type server struct {
	dialing sync.Mutex
	held    atomic.Pointer[client]
}

type client struct {
	redis  rueidis.Client
	prefix string
}

// connect does nothing once it has worked: then the client connects again by itself.
func (v *server) connect(ctx context.Context, a address, t *table) error {
	v.dialing.Lock()
	defer v.dialing.Unlock()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if v.held.Load() != nil {
		return nil
	}
	prefix := a.prefix + format
	redis, err := rueidis.NewClient(a.option(prefix, invalidations(prefix, t)))
	if err != nil {
		return err
	}
	v.held.Store(&client{redis: redis, prefix: prefix})
	return nil
}

func (v *server) close() {
	if c := v.held.Load(); c != nil {
		c.redis.Close()
	}
}

// option asks for one connection per server, so that NOLOOP spares this replica the news of its own writes, and answers
// and news come in the order in which the server made them.
func (a address) option(prefix string, told func([]rueidis.RedisMessage)) rueidis.ClientOption {
	dialer := net.Dialer{Timeout: dialTimeout, KeepAlive: idlePing}
	return rueidis.ClientOption{
		InitAddress:           a.hosts,
		ForceSingleClient:     a.mode == single,
		Username:              a.user,
		Password:              a.password,
		SelectDB:              a.db,
		TLSConfig:             a.tls,
		ClientName:            "limpet",
		ClientTrackingOptions: []string{"BCAST", "PREFIX", prefix, "NOLOOP"},
		OnInvalidations:       told,
		PipelineMultiplex:     -1,
		Dialer:                dialer,
		ConnWriteTimeout:      pingTimeout,
		ReadBufferEachConn:    connBuffer,
		WriteBufferEachConn:   connBuffer,
		ClusterOption:         rueidis.ClusterOption{ShardsRefreshInterval: topology},
		Sentinel: rueidis.SentinelOption{
			MasterSet: a.master, Username: a.sentinelUser, Password: a.sentinelPassword,
			TLSConfig: a.tls, Dialer: dialer, TopologyRefreshInterval: topology,
		},
	}
}

// invalidations hears which keys have changed; nil means all of them, or a connection that is gone.
func invalidations(prefix string, t *table) func([]rueidis.RedisMessage) {
	return func(keys []rueidis.RedisMessage) {
		if keys == nil {
			t.changedAll()
		}
		for i := range keys {
			name, _ := keys[i].ToString()
			if id, ok := idOf(prefix, name); ok {
				t.changed(id)
			}
		}
	}
}

// Commands are pinned: the client would use their memory anew when they are done, and where it has repeated one because a
// connection broke, the goroutine that wrote to that connection may still be reading it.

// get asks for one session. What is not a key of this format counts as not found.
func (v *server) get(ctx context.Context, id sum) reply {
	c := v.held.Load()
	value, err := c.redis.Do(ctx, c.redis.B().Get().Key(c.name(id)).Build().Pin()).ToString()
	if rueidis.IsRedisNil(err) {
		return reply{}
	}
	if err != nil || len(value) != len(model.EndpointKey{}) {
		return reply{err: err}
	}
	return reply{key: model.EndpointKey([]byte(value)), found: true}
}

// put writes a batch, and gives an outcome for each change. Nothing is tried twice.
func (v *server) put(ctx context.Context, batch []change, idle int64) []outcome {
	c := v.held.Load()
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
		return outcome{err: err, silent: true}
	}
	if err := r.Error(); err != nil || !renewal {
		return outcome{err: err}
	}
	n, err := r.AsInt64()
	return outcome{missing: n == 0, err: err}
}

// lifetime is how long the store keeps a session after it was told of a use, in milliseconds: a quarter of the idle time
// longer than that, since it is told no more often than once in a quarter.
func lifetime(idle int64) int64 { return idle*1000 + quarter(idle)*1000 }

func quarter(idle int64) int64 { return max(1, idle/4) }

func (c *client) name(id sum) string { return c.prefix + hex.EncodeToString(id[:]) }

func idOf(prefix, name string) (id sum, ok bool) {
	digits, ok := strings.CutPrefix(name, prefix)
	if !ok || len(digits) != hex.EncodedLen(len(id)) {
		return id, false
	}
	_, err := hex.Decode(id[:], []byte(digits))
	return id, err == nil
}
