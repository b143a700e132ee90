package routing

import (
	"testing"
	"time"

	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/upstream"
)

func TestUsage_outlivesTables(t *testing.T) {
	pools := upstream.NewRegistry()
	ingress := func(name string) model.Ref { return model.Ref{Kind: model.KindIngress, Namespace: "shop", Name: name} }
	first := []model.Route{{Host: "a.example", Path: "/", PathType: model.PathPrefix, Source: ingress("a")},
		{Host: "a.example", Path: "/cart", PathType: model.PathPrefix, Source: ingress("a")}}
	table := Compile(&model.Model{Routes: first}, pools, nil, time.Now())
	for _, unix := range []int64{100, 101, 100} { // a request may end after a later one
		table.Match([]byte("a.example"), []byte("/cart/x"), nil).Usage.Count(unix)
	}
	next := []model.Route{{Host: "a.example", Path: "/", PathType: model.PathPrefix, Source: ingress("b")},
		{Host: "a.example", Path: "/cart", PathType: model.PathPrefix, Source: ingress("a"), Closed: "changed"},
		{Host: "a.example", Path: "/new", PathType: model.PathPrefix, Source: ingress("a")}}
	table = table.With([]model.HostChange{{Name: "a.example", Routes: next}}, pools, time.Now())
	for i, want := range []uint64{0, 3, 0} {
		if got := table.UsageOf(&next[i]).Requests(); got != want {
			t.Errorf("%s of %s: %d requests, want %d", next[i].Path, next[i].Source, got, want)
		}
	}
	if last := table.UsageOf(&next[1]).LastUsed(); last != 101 {
		t.Errorf("last used at %d, want 101", last)
	}
	if u := table.UsageOf(&first[0]); u != nil {
		t.Errorf("the removed route has a usage")
	}
	var none *Table
	if none.UsageOf(&first[0]) != nil {
		t.Error("no table has a usage")
	}
}
