package routing

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/upstream"
)

// described is a request in words.
type described struct {
	method, query string
	headers       map[string]string
	lookups       *int // counts those of header fields
}

func (r *described) Method() []byte { return []byte(r.method) }
func (r *described) Query() []byte  { return []byte(r.query) }

func (r *described) Header(name string) ([]byte, bool) {
	if r.lookups != nil {
		*r.lookups++
	}
	value, ok := r.headers[name]
	return []byte(value), ok
}

// request reads "GET a=1&b=2 X-Name:value ...". "-" is no query.
func request(text string) *described {
	words := strings.Fields(text)
	r := &described{method: words[0], query: strings.TrimPrefix(words[1], "-"), headers: map[string]string{}}
	for _, word := range words[2:] {
		name, value, _ := strings.Cut(word, ":")
		r.headers[name] = value
	}
	return r
}

// conditional reads "Prefix:/path" and conditions: "GET", "X-Name:value", "?name=value". A value in slashes is a pattern.
// Its Service is named as the text.
func conditional(text string) model.Route {
	words := strings.Fields(text)
	r := routes(words[0])[0]
	r.Backends[0].Pool.Service = text
	r.Conditions = &model.Conditions{}
	for _, word := range words[1:] {
		parameter, isQuery := strings.CutPrefix(word, "?")
		name, value, isHeader := strings.Cut(word, ":")
		switch {
		case isQuery:
			name, value, _ = strings.Cut(parameter, "=")
			r.Conditions.Query = append(r.Conditions.Query, valueOf(name, value))
		case isHeader:
			r.Conditions.Headers = append(r.Conditions.Headers, valueOf(name, value))
		default:
			r.Conditions.Methods = append(r.Conditions.Methods, word)
		}
	}
	return r
}

func valueOf(name, value string) model.ValueCondition {
	if text, isPattern := strings.CutPrefix(value, "/"); isPattern {
		return model.ValueCondition{Name: name, Pattern: strings.TrimSuffix(text, "/")}
	}
	return model.ValueCondition{Name: name, Value: value}
}

func conditionalTable(texts ...string) *Table {
	var m model.Model
	for _, text := range texts {
		m.Routes = append(m.Routes, conditional(text))
	}
	slices.SortStableFunc(m.Routes, func(a, b model.Route) int { return strings.Compare(a.Host, b.Host) })
	return Compile(&m, upstream.NewRegistry(), nil, time.Time{})
}

// found returns the text of the route.
func (t *Table) found(path string, req Request) string {
	if r := t.Match([]byte("any.example"), []byte(path), req); r != nil {
		return r.Backends[0].Pool.ID.Service
	}
	return ""
}

func TestConditions_match(t *testing.T) {
	for _, c := range []struct{ route, request string }{
		{"Prefix:/ GET", "GET -"},
		{"Prefix:/ GET POST", "POST -"},
		{"Prefix:/ X-Env:canary", "GET - X-Env:canary"},
		{"Prefix:/ X-Env:/v[0-9]+/", "GET - X-Env:v12"},
		{"Prefix:/ X-Env:a X-User:b", "GET - X-User:b X-Env:a"},
		{"Prefix:/ ?a=1", "GET a=1"},
		{"Prefix:/ ?a=1", "GET b=2&a=1&a=3"},
		{"Prefix:/ ?a=", "GET a"},
		{"Prefix:/ ?a=/x+/", "GET a=%78x"},
		{"Prefix:/ ?a&b=c=d", "GET %61%26b=c%3dd"},
		{"Prefix:/ ?a=1 ?b=2 GET X-Env:a", "GET b=2&a=1 X-Env:a"},
	} {
		if got := conditionalTable(c.route).found("/x", request(c.request)); got != c.route {
			t.Errorf("%q does not match %q", c.request, c.route)
		}
	}
}

func TestConditions_noMatch(t *testing.T) {
	long := strings.Repeat("a", maxParameter+1)
	for _, c := range []struct{ route, request string }{
		{"Prefix:/ GET", "POST -"},
		{"Prefix:/ GET", "get -"},
		{"Prefix:/ X-Env:canary", "GET -"},
		{"Prefix:/ X-Env:canary", "GET - X-Env:canary2"},
		{"Prefix:/ X-Env:/v[0-9]+/", "GET - X-Env:v12x"},
		{"Prefix:/ X-Env:/(/", "GET - X-Env:("},
		{"Prefix:/ X-Env:a X-User:b", "GET - X-Env:a"},
		{"Prefix:/ ?a=1", "GET -"},
		{"Prefix:/ ?a=1", "GET a=2&a=1"},
		{"Prefix:/ ?a=1", "GET ba=1"},
		{"Prefix:/ ?a=1", "GET a=%3"},
		{"Prefix:/ ?a=1", "GET a=%zz"},
		{"Prefix:/ ?a=1", "GET " + strings.Repeat("b&", maxParameters) + "a=1"},
		{"Prefix:/ ?a=/.*/", "GET a=" + long},
		{"Prefix:/ ?a=/.*/", "GET a=%61" + long},
		{"Exact:/y GET", "GET -"},
	} {
		if got := conditionalTable(c.route).found("/x", request(c.request)); got != "" {
			t.Errorf("%.40q matches %q", c.request, c.route)
		}
	}
}

// https://gateway-api.sigs.k8s.io/reference/spec/#httprouterule
func TestConditions_precedence(t *testing.T) {
	order := []string{ // each wins over the next
		"Exact:/a/b ?q=1",
		"Prefix:/a/b ?q=1",
		"Prefix:/a GET X-A:1 X-B:1",
		"Prefix:/a GET X-A:1 ?q=1",
		"Prefix:/a GET X-A:1",
		"Prefix:/a GET ?q=1",
		"Prefix:/a GET",
		"Prefix:/a X-A:1 X-B:1",
		"Prefix:/a X-A:1 ?q=1",
		"Prefix:/a X-B:1 ?q=1", // delivered later
		"Prefix:/a X-A:1",
		"Prefix:/a ?q=1 ?r=1",
		"Prefix:/a ?q=1",
		"Prefix:/a",
		"Prefix:/ GET X-A:1 X-B:1",
		"Prefix:/",
	}
	req := request("GET q=1&r=1 X-A:1 X-B:1")
	for i := range order {
		if got := conditionalTable(order[i:]...).found("/a/b", req); got != order[i] {
			t.Errorf("of %q, %q matches", order[i:], got)
		}
		mixed := slices.Clone(order[i:])
		slices.SortStableFunc(mixed, func(a, b string) int { return len(b) - len(a) })
		if got := conditionalTable(mixed...).found("/a/b", req); got != order[i] {
			t.Errorf("of %q, %q matches", mixed, got)
		}
	}
}

func TestConditions_tieIsDecidedByOrder(t *testing.T) {
	table := conditionalTable("Prefix:/ X-A:1", "Prefix:/ X-B:1", "Prefix:/ X-C:1")
	if got := table.found("/", request("GET - X-C:1 X-B:1")); got != "Prefix:/ X-B:1" {
		t.Errorf("%q matches", got)
	}
}

func TestConditions_otherPathsNotEvaluated(t *testing.T) {
	table := conditionalTable("Exact:/other X-A:1", "Prefix:/a X-A:1", "Prefix:/")
	req := request("GET - X-A:1")
	req.lookups = new(int)
	if got := table.found("/b", req); got != "Prefix:/" || *req.lookups != 0 {
		t.Errorf("%q matches after %d lookups", got, *req.lookups)
	}
}

func TestConditions_withoutRequest(t *testing.T) {
	if got := conditionalTable("Prefix:/a GET", "Prefix:/").found("/a", nil); got != "Prefix:/" {
		t.Errorf("%q matches", got)
	}
}

// The parts of a host by namespace keep the order.
func TestConditions_ownersOnly(t *testing.T) {
	var m model.Model
	for _, conditions := range []string{"", " GET", " GET X-A:1"} {
		r := conditional("Prefix:h.example" + model.ChallengePath + conditions)
		r.Source.Namespace = "owner"
		m.Routes = append(m.Routes, r)
	}
	m.Routes[2].Source.Namespace = "other"
	m.Owners = []model.HostOwner{{Host: "h.example", Namespace: "owner"}}
	table := Compile(&m, upstream.NewRegistry(), nil, time.Time{})
	r := table.Match([]byte("h.example"), []byte(model.ChallengePath+"/x"), request("GET - X-A:1"))
	if r == nil || r.Source.Namespace != "owner" || r.conditions == nil {
		t.Errorf("got %+v", r)
	}
}

// fixed is a request that allocates nothing.
type fixed struct{ method, header, query []byte }

func (r *fixed) Method() []byte               { return r.method }
func (r *fixed) Header(string) ([]byte, bool) { return r.header, true }
func (r *fixed) Query() []byte                { return r.query }

// manyConditions is a table with eight routes for one path, of which the last one matches.
func manyConditions() (*Table, *fixed) {
	texts := []string{"Prefix:/a ?q=/x.z/"}
	for i := range 7 {
		texts = append(texts, fmt.Sprintf("Prefix:/a X-Env:v%d", i))
	}
	return conditionalTable(texts...), &fixed{[]byte("GET"), []byte("none"), []byte("a=1&q=x%20z")}
}

func TestConditions_allocateNothing(t *testing.T) {
	table, req := manyConditions()
	host, path := []byte("any.example"), []byte("/a/b")
	if r := table.Match(host, path, req); r == nil || len(r.conditions.query) == 0 {
		t.Fatalf("got %+v", r)
	}
	if n := testing.AllocsPerRun(100, func() { table.Match(host, path, req) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkMatchConditions(b *testing.B) {
	table, req := manyConditions()
	host, path := []byte("any.example"), []byte("/a/b")
	b.ReportAllocs()
	for b.Loop() {
		table.Match(host, path, req)
	}
}
