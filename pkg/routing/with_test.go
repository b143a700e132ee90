package routing

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/upstream"
)

// Random changes must lead to the same matches as compiling the whole model.
func TestWith_equalsCompile(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	pools := upstream.NewRegistry()
	hosts := []string{"", model.HostUnmatched, "*.foo.com", "a.foo.com", "b.foo.com", "bar.com"}
	changed := map[string]model.HostChange{}
	var table *Table
	for range 300 {
		var changes []model.HostChange
		for range 1 + random.IntN(2) {
			c := randomChange(random, hosts[random.IntN(len(hosts))])
			changes = append(changes, c)
			changed[c.Name] = c
		}
		table = table.With(changes, pools, time.Time{})
		whole := Compile(modelOf(changed), pools, nil, time.Time{})
		for _, host := range append(hosts, "x.foo.com", "other.com") {
			for _, path := range []string{"/", "/a", "/b/c", "/.well-known/acme-challenge/x"} {
				if got, want := table.matched(host, path), whole.matched(host, path); got != want {
					t.Fatalf("%s%s matches %q, want %q, with %+v", host, path, got, want, changed)
				}
			}
		}
	}
}

func randomChange(random *rand.Rand, host string) model.HostChange {
	c := model.HostChange{Name: host}
	for _, path := range []string{"/", "/.well-known", "/a", "/b"} {
		if random.IntN(2) == 0 {
			r := routes("Prefix:" + host + path)[0]
			r.Source.Namespace = []string{"shop", "other"}[random.IntN(2)]
			c.Routes = append(c.Routes, r)
		}
	}
	if random.IntN(2) == 0 {
		c.Owner = &model.HostOwner{Host: host, Namespace: "shop", SharesUnmatched: random.IntN(2) == 0}
	}
	return c
}

func modelOf(hosts map[string]model.HostChange) *model.Model {
	m := &model.Model{}
	for _, c := range hosts {
		m.Routes = append(m.Routes, c.Routes...)
		if c.Owner != nil {
			m.Owners = append(m.Owners, *c.Owner)
		}
	}
	slices.SortStableFunc(m.Routes, func(a, b model.Route) int { return strings.Compare(a.Host, b.Host) })
	return m
}

func TestWith_takesOverOtherHosts(t *testing.T) {
	pools := upstream.NewRegistry()
	first := Compile(&model.Model{Routes: routes("Prefix:a.example/", "Prefix:b.example/")}, pools, nil, time.Time{})
	second := first.With([]model.HostChange{{Name: "b.example", Routes: routes("Prefix:b.example/new")}}, pools, time.Time{})
	if first.host("a.example") != second.host("a.example") || second.Generation != 2 {
		t.Errorf("a.example was compiled again, or generation %d is not 2", second.Generation)
	}
	if got := second.matched("b.example", "/new"); got != "Prefix:b.example/new" {
		t.Errorf("matches %q", got)
	}
	third := second.With([]model.HostChange{{Name: "b.example"}}, pools, time.Time{})
	if got := third.matched("b.example", "/new"); got != "" {
		t.Errorf("the removed host matches %q", got)
	}
}

func BenchmarkWith(b *testing.B) {
	for _, n := range []int{100, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			pools := upstream.NewRegistry()
			var changes []model.HostChange
			for i := range n {
				host := fmt.Sprintf("h%d.example", i)
				changes = append(changes, model.HostChange{Name: host, Routes: routes("Prefix:" + host + "/")})
			}
			table := (*Table)(nil).With(changes, pools, time.Time{})
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				c := changes[i%n]
				c.Routes = slices.Clone(c.Routes)
				table = table.With([]model.HostChange{c}, pools, time.Time{})
			}
		})
	}
}

func BenchmarkMatch_manyHosts(b *testing.B) {
	pools := upstream.NewRegistry()
	var changes []model.HostChange
	for i := range 10_000 {
		host := fmt.Sprintf("h%d.example", i)
		changes = append(changes, model.HostChange{Name: host, Routes: routes("Prefix:" + host + "/")})
	}
	table := (*Table)(nil).With(changes, pools, time.Time{})
	host, path := []byte("h1234.example"), []byte("/cart")
	b.ReportAllocs()
	for b.Loop() {
		if table.Match(host, path, nil) == nil {
			b.Fatal("no match")
		}
	}
}
