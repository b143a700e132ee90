package proxy

import (
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/limpet-dev/limpet/pkg/filter"
	"github.com/limpet-dev/limpet/pkg/http1"
	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/routing"
)

// edits is a filter of requests and responses: it rewrites the path that pods receive, and returns the matched path to
// clients.
type edits struct{}

func (edits) Name() string { return "edits" }

func (edits) FilterRequest(r *filter.Request) *filter.Response {
	r.Forward.Path = []byte("/rewritten")
	return nil
}

func (edits) FilterResponse(r *filter.Request, head *http1.Response) {
	head.Set([]byte("X-Matched"), r.Path)
}

func TestFilters_podProtocols(t *testing.T) {
	for name, transport := range map[string]model.Transport{"HTTP/1.1": {}, "HTTP/2": overHTTP2} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			pod := startBackend(t, nil, func(w http.ResponseWriter, q *http.Request) {
				w.Header().Set("X-Matched", "app")
				io.WriteString(w, q.Proto+" "+q.URL.RequestURI())
			})
			r.serveBy(transport, nil, pod.Listener.Addr().String())
			route := routeTo(cart, nil)
			route.Backends[0].Transport = transport
			table := routing.Compile(&model.Model{Routes: []model.Route{route}}, r.pools, nil, time.Now())
			table.Match(nil, []byte("/"), nil).Filters.Add(edits{})
			r.tables.Publish(table)
			got := r.dial().get("/old/%7Epath?x=1")
			want := map[string]string{"HTTP/1.1": "HTTP/1.1", "HTTP/2": "HTTP/2.0"}[name] + " /rewritten?x=1"
			got.expectOK(t, want)
			if matched := got.header.Values("X-Matched"); len(matched) != 1 || matched[0] != "/old/~path" {
				t.Errorf("matched %q", matched)
			}
		})
	}
}
