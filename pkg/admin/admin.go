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
	// Access decides who may read the debug pages.
	Access Access
	// Explain serves POST /explain. It needs Access too.
	Explain http.Handler
	// Sessions serves GET /sessions. It needs Access too.
	Sessions http.Handler
	// Peers serves the requests of other replicas, below /peers/. It authenticates them itself.
	Peers http.Handler
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

// Handler returns a handler for /healthz, /readyz, /metrics, the pages below /debug and /peers, /explain and /sessions. It responds with 403 to
// requests that a proxy has forwarded for a client and to requests that change something and come from a web page of another
// origin. It serves the pages below /debug and /explain only to clients that Options.Access allows.
func (a *Admin) Handler() http.Handler {
	mux := a.probes()
	for pattern, handler := range map[string]http.HandlerFunc{
		"GET /debug/table":        a.options.table,
		"GET /debug/log-level":    a.options.logLevel,
		"PUT /debug/log-level":    a.options.setLogLevel,
		"GET /debug/pprof/{$}":    listProfiles,
		"GET /debug/pprof/{name}": profile,
		"POST /explain":           a.options.Explain.ServeHTTP,
		"GET /sessions":           a.options.Sessions.ServeHTTP,
	} {
		mux.HandleFunc(pattern, a.options.Access.guard(handler))
	}
	return refuseForwarded(http.NewCrossOriginProtection().Handler(mux))
}

// ProbeHandler returns a handler like that of Handler without the pages that need Options.Access.
func (a *Admin) ProbeHandler() http.Handler { return refuseForwarded(a.probes()) }

func (a *Admin) probes() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { writeText(w, http.StatusOK, "ok") })
	mux.HandleFunc("GET /readyz", a.options.readyz)
	mux.Handle("GET /metrics", a.options.Metrics.Handler())
	mux.Handle("/peers/", a.options.Peers)
	return mux
}

// refuseForwarded refuses requests that came through Limpet's own data plane: an object may have led it here, but this is
// not for clients. The data plane sets both fields on every request, whatever the client and the objects say. Kubelets,
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
