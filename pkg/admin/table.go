package admin

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"time"

	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/upstream"
)

// Table is the content of /debug/table, without the pools.
type Table struct {
	Generation uint64
	// Digest is equal for replicas that serve the same hosts and routes.
	Digest  uint64
	BuiltAt time.Time
	Routes  []model.Route
	// Problems is a slice, encoded as JSON. Elements that implement Object can be filtered.
	Problems any
}

// objectOf is implemented by problems of an object.
type objectOf interface{ Object() model.Ref }

// pool is the JSON form of an upstream.Pool.
type pool struct {
	ID        string     `json:"id"`
	Endpoints []endpoint `json:"endpoints"`
}

// endpoint is the JSON form of an upstream endpoint.
type endpoint struct {
	ID       string `json:"id"`
	Pod      string `json:"pod,omitempty"`
	Address  string `json:"address"`
	Zone     string `json:"zone,omitempty"`
	State    string `json:"state"`
	Requests int64  `json:"requests"`
	Sessions int64  `json:"sessions"`
}

func describePool(p *upstream.Pool) pool {
	d := pool{ID: p.Name, Endpoints: []endpoint{}}
	for _, e := range p.Set().Endpoints() {
		d.Endpoints = append(d.Endpoints, endpoint{
			ID: e.ID, Pod: e.Pod, Address: e.Address, Zone: e.Zone, State: string(e.State),
			Requests: e.InFlight(), Sessions: e.Sessions(),
		})
	}
	return d
}

// table writes the parts of the table that the query selects.
func (o *Options) table(w http.ResponseWriter, r *http.Request) {
	f, err := parseFilter(r.URL.RawQuery)
	if err != nil {
		writeText(w, http.StatusBadRequest, err.Error())
		return
	}
	w.Header().Set("Content-Type", "application/json")
	buffered := bufio.NewWriterSize(w, 32<<10)
	s := &tableWriter{w: buffered, filter: f}
	s.write(o.Table(), o.Pools.Pools())
	if s.err == nil {
		_ = buffered.Flush() // the client is gone
	}
}

// tableWriter writes a table element by element, so that the whole is never in memory.
type tableWriter struct {
	w      io.Writer
	filter *filter
	err    error // of the first failed write; later ones do nothing
	isNext bool  // the current list has an element
}

func (s *tableWriter) write(t Table, pools []*upstream.Pool) {
	builtAt, err := json.Marshal(t.BuiltAt)
	if err != nil {
		builtAt = []byte("null")
	}
	s.printf("{\n  \"generation\": %d,\n  \"digest\": %d,\n  \"builtAt\": %s,\n", t.Generation, t.Digest, builtAt)
	s.list("routes", ",", func() {
		for i := range t.Routes {
			if s.err == nil && s.filter.selectRoute(&t.Routes[i]) {
				s.element(&t.Routes[i])
			}
		}
	})
	s.list("problems", ",", func() { s.problems(reflect.ValueOf(t.Problems)) })
	s.list("pools", "", func() {
		for _, p := range pools {
			if s.err == nil && s.filter.hasPool(p.ID) {
				s.element(describePool(p))
			}
		}
	})
	s.printf("}\n")
}

func (s *tableWriter) problems(all reflect.Value) {
	if all.Kind() != reflect.Slice {
		return
	}
	for i := range all.Len() {
		element := all.Index(i).Interface()
		if s.err == nil && s.filter.hasProblem(element) {
			s.element(element)
		}
	}
}

// list writes a list whose elements are written by do.
func (s *tableWriter) list(name, end string, do func()) {
	s.isNext = false
	s.printf("  %q: [", name)
	do()
	if s.isNext {
		s.printf("\n  ")
	}
	s.printf("]%s\n", end)
}

func (s *tableWriter) element(v any) {
	text, err := json.MarshalIndent(v, "    ", "  ")
	if err != nil {
		s.err = err
		return
	}
	if s.isNext {
		s.printf(",")
	}
	s.isNext = true
	s.printf("\n    %s", text)
}

func (s *tableWriter) printf(format string, args ...any) {
	if s.err == nil {
		_, s.err = fmt.Fprintf(s.w, format, args...)
	}
}
