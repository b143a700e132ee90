package routing

import (
	"math"
	"testing"
	"time"

	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/upstream"
)

func TestCompile_unchangedHosts(t *testing.T) {
	pools := upstream.NewRegistry()
	compile := func(previous *Table, words ...string) *Table {
		return Compile(&model.Model{Routes: routes(words...)}, pools, previous, time.Now())
	}
	first := compile(nil, "Prefix:a.example/", "Prefix:b.example/", "Prefix:*.c.example/", "Prefix:/")
	second := compile(first, "Prefix:a.example/", "Prefix:b.example/", "Exact:b.example/new", "Prefix:*.c.example/", "Prefix:/")
	if first.Generation != 1 || second.Generation != 2 {
		t.Errorf("the generations are %d and %d", first.Generation, second.Generation)
	}
	for _, host := range []string{"a.example", "x.c.example", "other.example"} {
		if first.Match([]byte(host), []byte("/"), nil) != second.Match([]byte(host), []byte("/"), nil) {
			t.Errorf("the routes of %s were compiled again", host)
		}
	}
	if first.Match([]byte("b.example"), []byte("/"), nil) == second.Match([]byte("b.example"), []byte("/"), nil) {
		t.Error("a host that changed was taken over")
	}
	if got := first.matched("b.example", "/new"); got != "Prefix:b.example/" {
		t.Errorf("the first table matches %s by now", got)
	}
	third := compile(second, "Prefix:b.example/")
	for _, host := range []string{"a.example", "x.c.example", "other.example"} {
		if got := third.matched(host, "/"); got != "" {
			t.Errorf("the removed host %s matches %s", host, got)
		}
	}
}

func TestCompile_changedRoute(t *testing.T) {
	base := func() model.Route {
		r := routes("Prefix:a.example/")[0]
		r.Backends[0].Affinity = &model.Affinity{Scope: "a", Methods: []model.Method{{
			Source: model.SourceHeader, Binding: model.BindingHashed, Header: &model.Header{Name: "X-A"},
		}}}
		return r
	}
	for name, change := range map[string]func(*model.Route){
		"nothing":      func(*model.Route) {},
		"path":         func(r *model.Route) { r.Path = "/b" },
		"path type":    func(r *model.Route) { r.PathType = model.PathExact },
		"source":       func(r *model.Route) { r.Source.Name = "b" },
		"pool":         func(r *model.Route) { r.Backends[0].Pool.Port = 81 },
		"weight":       func(r *model.Route) { r.Backends[0].Weight = 2 },
		"no affinity":  func(r *model.Route) { r.Backends[0].Affinity = nil },
		"idle timeout": func(r *model.Route) { r.Backends[0].Affinity.IdleTimeout = 1 },
		"header":       func(r *model.Route) { r.Backends[0].Affinity.Methods[0].Header.Name = "X-B" },
		"one more":     func(r *model.Route) { r.Backends = append(r.Backends, r.Backends[0]) },
	} {
		pools := upstream.NewRegistry()
		first := Compile(&model.Model{Routes: []model.Route{base()}}, pools, nil, time.Time{})
		changed := base()
		change(&changed)
		second := Compile(&model.Model{Routes: []model.Route{changed}}, pools, first, time.Time{})
		if same := first.host("a.example") == second.host("a.example"); same != (name == "nothing") {
			t.Errorf("%s: taken over: %v", name, same)
		}
	}
}

func TestCompile_livePools(t *testing.T) {
	pools := upstream.NewRegistry()
	m := &model.Model{Routes: routes("Prefix:/")}
	table := Compile(m, pools, nil, time.Time{})
	id := m.Routes[0].Backends[0].Pool
	pools.Pool(id).Replace([]model.Endpoint{{ID: "a", Address: "a:80", State: model.EndpointReady}})
	b := table.Match(nil, []byte("/"), nil).Split(0)
	if b.Pool != pools.Pool(id) || b.Pool.Set().Len() != 1 {
		t.Error("the table does not see what the pool holds")
	}
}

func TestSplit_byWeight(t *testing.T) {
	for _, c := range []struct {
		weights []int32
		share   []float64 // nil: no backend
	}{
		{nil, nil},
		{[]int32{1}, []float64{1}},
		{[]int32{0}, []float64{1}}, // there is nowhere else
		{[]int32{0, 0}, nil},
		{[]int32{1, 1}, []float64{0.5, 0.5}},
		{[]int32{90, 10}, []float64{0.9, 0.1}},
		{[]int32{0, 5}, []float64{0, 1}},
		{[]int32{5, 0, 15}, []float64{0.25, 0, 0.75}},
		{[]int32{math.MaxInt32, math.MaxInt32}, []float64{0.5, 0.5}},
		{[]int32{-5, 5}, []float64{0, 1}},
	} {
		m := routes("Prefix:/")
		m[0].Backends = nil
		for i, w := range c.weights {
			m[0].Backends = append(m[0].Backends, model.Backend{Pool: model.PoolID{Port: int32(i)}, Weight: w})
		}
		r := Compile(&model.Model{Routes: m}, upstream.NewRegistry(), nil, time.Time{}).Match(nil, []byte("/"), nil)
		counts := make([]float64, len(c.weights))
		const draws = 10_000
		for i := range uint64(draws) {
			b := r.Split(i * (math.MaxUint64/draws + 1))
			if (b == nil) != (c.share == nil) {
				t.Fatalf("%v: backend %v", c.weights, b)
			}
			if b != nil {
				counts[b.Pool.ID.Port]++
			}
		}
		for i, want := range c.share {
			if got := counts[i] / draws; math.Abs(got-want) > 0.001 {
				t.Errorf("%v: backend %d gets %.3f, want %.3f", c.weights, i, got, want)
			}
		}
	}
}

// A client that has changed to a growing canary does not change back while it grows.
func TestSplit_growingShare(t *testing.T) {
	split := func(weight int32) *Route {
		m := routes("Prefix:/")
		m[0].Backends = []model.Backend{
			{Pool: model.PoolID{Service: "stable"}, Weight: 100 - weight},
			{Pool: model.PoolID{Service: "canary"}, Weight: weight},
		}
		return Compile(&model.Model{Routes: m}, upstream.NewRegistry(), nil, time.Time{}).Match(nil, []byte("/"), nil)
	}
	for client := range uint64(200) {
		number := model.Mix(client)
		there := false
		for weight := int32(0); weight <= 100; weight += 5 {
			canary := split(weight).Split(number).Pool.ID.Service == "canary"
			if there && !canary {
				t.Fatalf("client %d leaves the canary at a weight of %d", client, weight)
			}
			there = canary
		}
		if !there {
			t.Fatalf("client %d never changes to the canary", client)
		}
	}
}

func TestStore_lastPublished(t *testing.T) {
	var s Store
	if s.Current() != nil {
		t.Error("there is a table before the first")
	}
	first, second := tableOf(), tableOf("Prefix:/")
	s.Publish(first)
	s.Publish(second)
	if s.Current() != second {
		t.Error("the current table is not the last one")
	}
	if first.matched("a.example", "/") != "" {
		t.Error("an empty table has a match")
	}
}
