package routing

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/upstream"
)

// sharedModel has routes of namespaces shop and other. A word that begins with "!" is a route of namespace other.
func sharedModel(words string, owners ...model.HostOwner) *model.Model {
	fields := strings.Fields(words)
	foreign := map[string]bool{}
	for i, word := range fields {
		plain, isForeign := strings.CutPrefix(word, "!")
		fields[i], foreign[plain] = plain, isForeign
	}
	m := &model.Model{Routes: routes(fields...), Owners: owners}
	for i := range m.Routes {
		r := &m.Routes[i]
		r.Source.Namespace = "shop"
		if foreign[fmt.Sprintf("%s:%s%s", r.PathType, r.Host, r.Path)] {
			r.Source.Namespace = "other"
		}
	}
	return m
}

func sharedTable(words string, owners ...model.HostOwner) *Table {
	return Compile(sharedModel(words, owners...), upstream.NewRegistry(), nil, time.Time{})
}

func TestUnmatchedPaths_ownNamespace(t *testing.T) {
	const words = "Prefix:a.foo.com/own !Prefix:a.foo.com/added Prefix:*.foo.com/wild !Prefix:*.foo.com/foreign" +
		" !Prefix:/ Prefix:/any !Prefix:b.foo.com/b"
	shop := model.HostOwner{Host: "a.foo.com", Namespace: "shop"}
	wild := model.HostOwner{Host: "*.foo.com", Namespace: "shop"}
	table := sharedTable(words, shop, wild, model.HostOwner{Host: "b.foo.com", Namespace: "other"})
	shop.SharesUnmatched = true
	shared := sharedTable(words, shop)
	for _, c := range []struct {
		table            *Table
		host, path, want string
	}{
		{table, "a.foo.com", "/own", "Prefix:a.foo.com/own"},
		{table, "a.foo.com", "/added", "Prefix:a.foo.com/added"},
		{table, "a.foo.com", "/wild", "Prefix:*.foo.com/wild"},
		{table, "a.foo.com", "/foreign", ""},
		{table, "a.foo.com", "/any/x", "Prefix:/any"},
		{table, "a.foo.com", "/x", ""},
		{table, "b.foo.com", "/wild", "Prefix:/"},
		{table, "b.foo.com", "/foreign", "Prefix:*.foo.com/foreign"},
		{table, "c.foo.com", "/foreign", "Prefix:*.foo.com/foreign"},
		{table, "c.foo.com", "/x", ""},
		{table, "c.foo.com", "/any", "Prefix:/any"},
		{table, "unknown.example", "/x", "Prefix:/"},
		{shared, "a.foo.com", "/foreign", "Prefix:*.foo.com/foreign"},
		{shared, "a.foo.com", "/x", "Prefix:/"},
	} {
		if got := c.table.matched(c.host, c.path); got != c.want {
			t.Errorf("%s%s matches %q, want %q", c.host, c.path, got, c.want)
		}
	}
}

// A namespace without a wildcard of its own still falls through to its routes for any host.
func TestUnmatchedPaths_pastForeignWildcard(t *testing.T) {
	table := sharedTable("Prefix:a.foo.com/own !Prefix:*.foo.com/ Prefix:/any",
		model.HostOwner{Host: "a.foo.com", Namespace: "shop"})
	if got := table.matched("a.foo.com", "/any"); got != "Prefix:/any" {
		t.Errorf("got %q", got)
	}
}

func TestChallenges_ownerOnly(t *testing.T) {
	const challenge = "/.well-known/acme-challenge/token"
	for _, shares := range []bool{false, true} {
		for _, c := range []struct{ words, path, want string }{
			{"Prefix:a.foo.com/own !Prefix:a.foo.com/", challenge, ""},
			{"Prefix:a.foo.com/own !Prefix:a.foo.com/", "/.well-known/acme-challenge", ""},
			{"Prefix:a.foo.com/own !Prefix:a.foo.com/", "/.well-known/acme-challenges", "Prefix:a.foo.com/"},
			{"Prefix:a.foo.com/ !Prefix:a.foo.com/.well-known", challenge, "Prefix:a.foo.com/"},
			{"Prefix:a.foo.com/ !Prefix:a.foo.com/.well-known", "/.well-known/x", "Prefix:a.foo.com/.well-known"},
			{"Prefix:a.foo.com/own !Exact:a.foo.com" + challenge, challenge, ""},
			{"Exact:a.foo.com" + challenge + " !Prefix:a.foo.com/", challenge, "Exact:a.foo.com" + challenge},
			{"Prefix:a.foo.com/own !Prefix:*.foo.com/", challenge, ""},
			{"Prefix:a.foo.com/own Prefix:*.foo.com/ !Prefix:/", challenge, "Prefix:*.foo.com/"},
			{"!Prefix:a.foo.com/", challenge, ""},
		} {
			table := sharedTable(c.words, model.HostOwner{Host: "a.foo.com", Namespace: "shop", SharesUnmatched: shares})
			if got := table.matched("a.foo.com", c.path); got != c.want {
				t.Errorf("%s: %s matches %q, want %q", c.words, c.path, got, c.want)
			}
		}
	}
}

// Hosts are carried over between tables, but not what they fall through to.
func TestCompile_ownerChanges(t *testing.T) {
	pools := upstream.NewRegistry()
	m := sharedModel("Prefix:a.foo.com/own !Prefix:/")
	first := Compile(m, pools, nil, time.Time{})
	m.Owners = []model.HostOwner{{Host: "a.foo.com", Namespace: "shop"}}
	second := Compile(m, pools, first, time.Time{})
	if first.host("a.foo.com") != second.host("a.foo.com") {
		t.Error("an unchanged host was compiled again")
	}
	if got := first.matched("a.foo.com", "/x") + second.matched("a.foo.com", "/x"); got != "Prefix:/" {
		t.Errorf("got %q", got)
	}
}

func TestMatch_ownersAllocateNothing(t *testing.T) {
	table := sharedTable("Prefix:a.foo.com/own !Prefix:*.foo.com/ Prefix:/", model.HostOwner{Host: "a.foo.com", Namespace: "shop"})
	host := []byte("a.foo.com")
	for _, path := range [][]byte{[]byte("/x"), []byte(model.ChallengePath + "/token")} {
		if n := testing.AllocsPerRun(100, func() { table.Match(host, path, nil) }); n > 0 {
			t.Errorf("%s: %v allocations", path, n)
		}
	}
}

func TestUnmatched_lastOfAll(t *testing.T) {
	owner := model.HostOwner{Host: "a.foo.com", Namespace: "shop"}
	words := "Prefix:a.foo.com/own !Prefix:a.foo.com/added Prefix:*.foo.com/wild"
	plain, unmatched := sharedModel(words, owner), sharedModel("!Prefix:"+model.HostUnmatched+"/", owner)
	plain.Routes = append(plain.Routes, unmatched.Routes...)
	pools := upstream.NewRegistry()
	table := Compile(plain, pools, nil, time.Time{})
	const last = "Prefix:*/"
	for _, c := range []struct{ host, path, want string }{
		{"a.foo.com", "/own", "Prefix:a.foo.com/own"},
		{"a.foo.com", "/x", last}, // the owner of the host does not matter
		{"a.foo.com", model.ChallengePath + "/token", last},
		{"b.foo.com", "/wild", "Prefix:*.foo.com/wild"},
		{"b.foo.com", "/x", last},
		{"unknown.example", "/x", last},
		{"*", "/x", last},
		{"", "/x", last},
	} {
		if got := table.matched(c.host, c.path); got != c.want {
			t.Errorf("%s%s: %q, want %q", c.host, c.path, got, c.want)
		}
	}
	without := table.With([]model.HostChange{{Name: model.HostUnmatched}}, pools, time.Time{})
	if got := without.matched("unknown.example", "/x"); got != "" {
		t.Errorf("after its removal: %q", got)
	}
	if got := without.With(nil, pools, time.Time{}).matched("a.foo.com", "/own"); got != "Prefix:a.foo.com/own" {
		t.Errorf("another host: %q", got)
	}
}
