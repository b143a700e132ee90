package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"runtime"
	"strings"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"

	"github.com/limpet-dev/limpet/pkg/admin"
	"github.com/limpet-dev/limpet/pkg/admin/dashboard"
	"github.com/limpet-dev/limpet/pkg/affinity"
	"github.com/limpet-dev/limpet/pkg/affinity/store"
	"github.com/limpet-dev/limpet/pkg/certs"
	"github.com/limpet-dev/limpet/pkg/exchange"
	"github.com/limpet-dev/limpet/pkg/memory"
	"github.com/limpet-dev/limpet/pkg/observe"
	"github.com/limpet-dev/limpet/pkg/proxy"
	"github.com/limpet-dev/limpet/pkg/publish"
	"github.com/limpet-dev/limpet/pkg/routing"
	"github.com/limpet-dev/limpet/pkg/sessions"
	"github.com/limpet-dev/limpet/pkg/status"
	"github.com/limpet-dev/limpet/pkg/tracing"
	"github.com/limpet-dev/limpet/pkg/translate"
	"github.com/limpet-dev/limpet/pkg/upstream"
)

// node is one running Limpet without its source of configuration, which is manifests or a cluster.
type node struct {
	// Immutable after newNode:
	options   options
	translate translate.Options
	level     *observe.LogLevel
	log       logr.Logger
	pools     *upstream.Registry
	own       *upstream.SelfAddresses
	tables    *routing.Store
	keys      *affinity.Keys
	metrics   *observe.Metrics
	memory    *memory.Tuner
	access    *observe.AccessLog // nil if the access log is disabled
	tracer    *tracing.Tracer    // nil if tracing is disabled
	publisher *publish.Publisher
	dashboard *dashboard.Dashboard
	sessions  store.Store
	limits    *store.Limits // nil without a shared store
	server    *proxy.Server
	fleet     *sessions.Fleet

	elects    bool             // takes part in the election of a leader; set before serve
	leading   atomic.Bool      // is the leader
	storeUp   atomic.Bool      // the store of learned sessions is available
	stopping  atomic.Bool      // readiness is withdrawn
	peerPort  atomic.Uint32    // on which replicas serve each other; zero until then
	reported  map[problem]bool // the problems that apply has logged; owned by the source
	listening []net.Listener   // HTTP, HTTPS and admin, without the disabled ones; owned by serve
}

// newNode creates and connects all components. It opens no listener.
func newNode(o options, t translate.Options, std streams) (*node, error) {
	level := &observe.LogLevel{}
	log := newLogger(&o, level, std)
	n := &node{options: o, translate: t, level: level, log: log, pools: newPools(&o, log), own: newOwn(),
		tables: &routing.Store{}, keys: &affinity.Keys{}, metrics: observe.NewMetricsWith(o.metricsOptions()),
		memory: o.memory.tuner()}
	n.metrics.BuildInfo(buildVersion(), runtime.Version())
	for _, v := range o.unknown {
		n.log.Info("Unknown environment variable", "name", v.name, "didYouMean", v.nearest)
	}
	if err := n.loadKeys(); err != nil {
		return nil, err
	}
	pairs, err := certs.NewStore()
	if err != nil {
		return nil, err
	}
	if err := n.openSessions(); err != nil {
		return nil, err
	}
	if o.access.isEnabled {
		n.access = observe.NewAccessLog(std.out, o.access.observe(o.logFormat))
	}
	n.startTracing()
	n.publisher = publish.New(publish.Options{Translate: t, Tables: n.tables, Pools: n.pools, Certs: pairs,
		Metrics: n.metrics, Log: n.log.WithName("publish"), Own: n.own, OwnService: o.ownService})
	n.server = proxy.NewServer(n.proxyOptions(pairs))
	n.fleet = n.newFleet()
	n.dashboard = n.newDashboard()
	return n, nil
}

func (n *node) proxyOptions(pairs *certs.Store) proxy.Options {
	o := proxy.Options{TLS: n.options.tls.proxy(), Config: exchange.Config{
		Tables: n.tables, Keys: n.keys, Certs: pairs, Metrics: n.metrics, Sessions: n.sessions, AccessLog: n.access, Tracer: n.tracer,
		TrustedProxies: n.options.trusted, ClientHeaders: n.options.clientHeaders, ServerHeader: n.options.serverHeader,
		Via: n.options.via, Own: n.own, Memory: n.memory.Budget, Log: n.log.WithName("proxy"),
	}}
	if n.limits != nil { // a nil pointer in an interface is not nil
		o.LimitStore = n.limits
	}
	n.options.edge.apply(&o)
	n.options.limits.apply(&o)
	return o
}

// newOwn returns the addresses that ExternalName Services must not resolve to: the addresses of this pod, in addition to those of
// its interfaces, and the address of the API server, which would trust Limpet like any pod.
func newOwn() *upstream.SelfAddresses {
	own := &upstream.SelfAddresses{}
	for _, name := range []string{"POD_IP", "POD_IPS", "KUBERNETES_SERVICE_HOST"} {
		for text := range strings.SplitSeq(os.Getenv(name), ",") {
			if addr, err := netip.ParseAddr(text); err == nil {
				own.Reserved = append(own.Reserved, addr.Unmap())
			}
		}
	}
	return own
}

func newPools(o *options, log logr.Logger) *upstream.Registry {
	pools := upstream.NewRegistry()
	pools.Zone = o.zone
	pools.OnHealth = func(h upstream.HealthChange) { logHealth(log, &h) }
	return pools
}

// loadKeys loads the keys of session tokens, unless they come from a Secret.
func (n *node) loadKeys() error {
	if n.options.keysFromCluster {
		return nil
	}
	ring, fresh, err := n.options.keyring()
	if err != nil {
		return inputError{err}
	}
	if fresh {
		n.log.Info("Affinity keys generated: sessions end with this process and are not valid on other replicas",
			"flag", "--affinity-keys")
	}
	n.keys.Store(ring)
	return nil
}

// serve opens the listeners, runs source, and serves until ctx ends or a listener or source fails. When ctx ends, it shuts down
// gracefully and returns nil. The context of source ends when serve returns.
func (n *node) serve(ctx context.Context, source func(context.Context) error) error {
	defer n.close()
	failed, ended := make(chan error, 4), make(chan error, 1) // errors of listeners; the result of source
	if err := n.listen(failed); err != nil {
		return err
	}
	running, cancel := context.WithCancel(ctx)
	defer cancel()
	go n.pools.Tidy(running)
	go n.dashboard.Run(running)
	n.memory.Loaded = n.publisher.Ready
	n.memory.Start()
	go n.memory.Run(running, n.reportMemory)
	go func() { ended <- source(running) }()
	select {
	case err := <-failed:
		if ctx.Err() == nil {
			return err
		}
	case err := <-ended:
		if ctx.Err() == nil {
			return err
		}
	case <-ctx.Done():
	}
	n.stop(failed)
	return nil
}

// listen opens and serves every enabled listener.
func (n *node) listen(failed chan<- error) error {
	operators := n.newAdmin()
	pages := &http.Server{Handler: operators.Handler(), ReadHeaderTimeout: 5 * time.Second}
	probes := &http.Server{Handler: operators.ProbeHandler(), ReadHeaderTimeout: 5 * time.Second}
	for _, l := range []struct {
		name, addr string
		serve      func(net.Listener) error
	}{
		{"HTTP", n.options.httpAddr, n.server.Serve},
		{"HTTPS", n.options.httpsAddr, n.server.ServeTLS},
		{"admin", n.options.admin.addr, pages.Serve},
		{"probe", n.options.admin.probeAddr, probes.Serve},
	} {
		if l.addr == "" {
			continue
		}
		listener, err := listen(l.addr)
		if err != nil {
			return fmt.Errorf("%s listener: %w", l.name, err)
		}
		n.own.AddListener(listener.Addr())
		n.listenForPeers(l.name, listener.Addr())
		n.listening = append(n.listening, listener)
		n.log.Info("Listening", "listener", l.name, "address", listener.Addr().String())
		go func() {
			if err := l.serve(listener); err != nil && !errors.Is(err, net.ErrClosed) {
				failed <- fmt.Errorf("%s listener: %w", l.name, err)
			}
		}()
	}
	return n.listenHTTP3(failed)
}

// listenHTTP3 opens and serves the HTTP/3 socket, if it is enabled.
func (n *node) listenHTTP3(failed chan<- error) error {
	if n.options.edge.http3Addr == "" {
		return nil
	}
	socket, err := net.ListenPacket("udp", n.options.edge.http3Addr)
	if err != nil {
		return fmt.Errorf("HTTP/3 listener: %w", err)
	}
	n.log.Info("Listening", "listener", "HTTP/3", "address", socket.LocalAddr().String())
	go func() {
		if err := n.server.ServeHTTP3(socket); err != nil {
			failed <- fmt.Errorf("HTTP/3 listener: %w", err)
		}
	}()
	return nil
}

func (n *node) newAdmin() *admin.Admin {
	return admin.New(admin.Options{Ready: n.ready, Metrics: n.metrics, Pools: n.pools, Table: n.table,
		Access: n.options.admin.access(), Explain: n.explainer(), Page: dashboard.Page(), API: n.dashboard.API(),
		Check: n.newPreview(), Status: status.Handler(n.status), Sessions: n.fleet, Drain: n.fleet, Peers: n.newPeerHandler(),
		LogLevel: n.level.Name, SetLogLevel: n.setLogLevel})
}

func (n *node) ready() bool { return n.publisher.Ready() && !n.stopping.Load() }

func (n *node) table() admin.Table {
	current, last := n.tables.Current(), n.publisher.Last()
	if current == nil || last == nil {
		return admin.Table{}
	}
	return admin.Table{Generation: current.Generation, Digest: current.Digest(), BuiltAt: current.BuiltAt,
		Routes: last.Model.Routes, Problems: last.Problems()}
}

// stop shuts down gracefully. It withdraws readiness and disables keep-alives, continues to serve for the stop delay, so that
// load balancers notice, and then waits for requests to complete. A failed listener ends the delay.
func (n *node) stop(failed <-chan error) {
	n.stopping.Store(true)
	n.log.Info("Stopping", "delay", n.options.stopDelay.String(), "timeout", n.options.stopTimeout.String())
	n.server.DisableKeepAlives()
	n.waitToStop(failed)
	ctx, cancel := context.WithTimeout(context.Background(), n.options.stopTimeout)
	defer cancel()
	if err := n.server.Shutdown(ctx); err != nil {
		n.log.Info("Open requests or streams were cut off, because the stop timeout expired")
	}
}

// waitToStop returns after the stop delay, or when a listener fails.
func (n *node) waitToStop(failed <-chan error) {
	delay := time.NewTimer(n.options.stopDelay)
	defer delay.Stop()
	select {
	case <-delay.C:
	case err := <-failed:
		n.log.Error(err, "A listener failed: stopping without delay")
	}
}

func (n *node) close() {
	n.server.Close()
	n.sessions.Close()
	n.limits.Close()
	if n.fleet.Peers != nil {
		n.fleet.Peers.Close()
	}
	for _, l := range n.listening {
		l.Close()
	}
	if n.access != nil {
		n.access.Close()
	}
	n.stopTracing()
}
