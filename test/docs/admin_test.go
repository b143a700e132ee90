package docs

import (
	"context"
	"net/http"
	"net/http/httptest"
	"regexp"
	"testing"

	"github.com/limpet-dev/limpet/pkg/admin"
	"github.com/limpet-dev/limpet/pkg/admin/dashboard"
	"github.com/limpet-dev/limpet/pkg/observe"
	"github.com/limpet-dev/limpet/pkg/sessions"
	"github.com/limpet-dev/limpet/pkg/status"
	"github.com/limpet-dev/limpet/pkg/upstream"
)

func TestAdminPaths_exist(t *testing.T) {
	ready, pools, metrics := func() bool { return true }, upstream.NewRegistry(), observe.NewMetrics()
	pages := dashboard.New(dashboard.Options{Ready: ready, Pools: pools, Metrics: metrics, Changes: func() uint64 { return 0 },
		State:    func() dashboard.State { return dashboard.State{} },
		Replicas: func(context.Context) *status.Summary { return &status.Summary{} }})
	handler := admin.New(admin.Options{
		Ready: ready, Metrics: metrics, Pools: pools, Table: func() admin.Table { return admin.Table{} },
		Access: admin.Access{TrustLoopback: true}, Explain: http.NotFoundHandler(), Page: dashboard.Page(), API: pages.API(),
		Check: http.NotFoundHandler(), Status: status.Handler(func() *status.Replica { return &status.Replica{} }),
		Sessions: &sessions.Fleet{Counter: sessions.Counter{Pools: upstream.NewRegistry()}}, Peers: http.NotFoundHandler(),
		Drain: &sessions.Fleet{},
	}).Handler()
	rows := regexp.MustCompile("(?m)^\\| `(/[a-z/]+)` \\|").FindAllStringSubmatch(readPage(t, "docs/reference/admin.md").text, -1)
	if len(rows) < 4 {
		t.Fatalf("found only %d paths in docs/reference/admin.md", len(rows))
	}
	for _, row := range rows {
		for _, method := range []string{http.MethodGet, http.MethodHead} {
			answer := httptest.NewRecorder()
			request := httptest.NewRequestWithContext(t.Context(), method, "http://localhost"+row[1], nil)
			request.RemoteAddr = "127.0.0.1:5000"
			handler.ServeHTTP(answer, request)
			if answer.Code != http.StatusOK {
				t.Errorf("%s %s: %d", method, row[1], answer.Code)
			}
		}
	}
}
