package admin

import (
	"net/http"

	"github.com/limpet-dev/limpet/pkg/observe"
	"github.com/limpet-dev/limpet/pkg/upstream"
)

// Options configures the handlers. All fields are required.
type Options struct {
	// Ready reports whether the process should receive traffic: a Table is published, and the process is not
	// shutting down.
	Ready   func() bool
	Metrics *observe.Metrics
	Pools   *upstream.Registry
	// Table returns the current routes and the problems of their objects.
	Table func() Table
	// Access decides who may use the pages other than health checks and metrics.
	Access Access
	// Explain serves POST /explain.
	Explain http.Handler
	// Page serves the dashboard. Its files are the same for everyone and need no Access.
	Page http.Handler
	// API serves the paths below /api/, except for /api/access.
	API http.Handler
	// Drain serves POST /drain/{namespace}/{pod}.
	Drain Drainer
	// Sessions serves GET /sessions.
	Sessions http.Handler
	// Peers serves the requests of other replicas, below /peers/. It authenticates them itself.
	Peers http.Handler
	// Check serves POST /check.
	Check http.Handler
	// Status serves GET /status.
	Status http.Handler
	// LogLevel returns the level of the log. SetLogLevel changes it. Its error is for the client.
	LogLevel    func() string
	SetLogLevel func(name string) error
}

// Admin has the handlers for operators.
type Admin struct{ options Options }

// New makes o.Metrics export the endpoints of o.Pools.
func New(o Options) *Admin {
	o.Metrics.WatchEndpoints(visitPools(o.Pools))
	o.Metrics.Register(&poolCollector{o.Pools, o.Metrics.Detail()})
	return &Admin{o}
}

// Handler returns a handler for the dashboard, /healthz, /readyz, /metrics, the paths below /api/, /debug/, /drain/ and /peers/,
// /explain, /check, /status and /sessions. It responds with 403 to requests that a proxy has forwarded for a client and to
// requests that change something and come from a web page of another origin. It serves pages that have a Right only to clients
// that have it by Options.Access.
func (a *Admin) Handler() http.Handler {
	mux := a.probes()
	mux.Handle("GET /{$}", a.options.Page)
	mux.Handle("GET /assets/", a.options.Page)
	mux.HandleFunc("GET /api/access", a.options.Access.caller)
	for _, page := range []struct {
		pattern string
		right   Right
		handler http.HandlerFunc
	}{
		{"GET /api/", Read, a.options.API.ServeHTTP},
		{"GET /debug/table", Read, a.options.table},
		{"GET /debug/log-level", Read, a.options.logLevel},
		{"PUT /debug/log-level", Control, a.options.setLogLevel},
		{"GET /debug/pprof/{$}", Control, listProfiles},
		{"GET /debug/pprof/{name}", Control, profile},
		{"POST /explain", Read, a.options.Explain.ServeHTTP},
		{"POST /check", Read, a.options.Check.ServeHTTP},
		{"GET /status", Read, a.options.Status.ServeHTTP},
		{"GET /sessions", Read, a.options.Sessions.ServeHTTP},
	} {
		mux.HandleFunc(page.pattern, a.options.Access.Guard(page.right, page.handler))
	}
	return boundBodies(refuseForwarded(http.NewCrossOriginProtection().Handler(mux)))
}

// ProbeHandler returns a handler for /healthz, /readyz and /metrics, and for the requests of other replicas and of preStop hooks:
// those below /peers/ and /drain/. Like Handler, it refuses requests of clients and of web pages.
func (a *Admin) ProbeHandler() http.Handler {
	return boundBodies(refuseForwarded(http.NewCrossOriginProtection().Handler(a.probes())))
}

func (a *Admin) probes() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { writeText(w, http.StatusOK, "ok") })
	mux.HandleFunc("GET /readyz", a.options.readyz)
	mux.Handle("GET /metrics", a.options.Metrics.Handler())
	mux.Handle("/peers/", a.options.Peers)
	mux.HandleFunc("POST /drain/{namespace}/{pod}", a.options.drain)
	return mux
}

// refuseForwarded refuses requests that came through Limpet's own data plane: an object may have led it here, but this is
// not for clients. The data plane sets both fields on every request, regardless of the client and the objects. Kubelets,
// Prometheus and the proxy of the API server do not send both.
func refuseForwarded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if len(r.Header["X-Real-Ip"]) > 0 && len(r.Header["X-Request-Id"]) > 0 {
			writeText(w, http.StatusForbidden, "requests of clients are not served here")
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (o *Options) readyz(w http.ResponseWriter, _ *http.Request) {
	if !o.Ready() {
		writeText(w, http.StatusServiceUnavailable, "not ready")
		return
	}
	writeText(w, http.StatusOK, "ok")
}

func writeText(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text + "\n")) // the client is gone
}
