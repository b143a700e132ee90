package status

import (
	"encoding/json"
	"flag"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/upstream"
)

var update = flag.Bool("update", false, "write the golden files")

var now = time.Date(2026, 12, 1, 12, 0, 0, 0, time.UTC)

// replica returns a healthy replica.
func replica(role string, digest uint64) *Replica {
	return &Replica{
		Version: "1.2.3", Ready: true, Role: role, Generation: 12, Digest: digest, BuiltAt: now.Add(-90 * time.Second), Routes: 40, Pools: 9,
		EmptyPools: 1, Problems: map[string]int{"ServiceNotFound": 2, "InvalidAnnotation": 1},
		Certificates: []Certificate{{"shop/tls", now.Add(40 * 24 * time.Hour)}}, Store: Store{Up: true},
	}
}

func TestSummary_text(t *testing.T) {
	expiring := replica(RoleLeader, 7)
	expiring.Certificates = []Certificate{{"shop/old", now.Add(-time.Hour)}, {"shop/tls", now.Add(3 * 24 * time.Hour)}}
	expiring.Store = Store{Shared: true}
	other := replica(RoleFollower, 8)
	other.Ready, other.BuiltAt = false, time.Time{}
	for name, members := range map[string][]Member{
		"healthy":     {{Name: "limpet-a", Node: "node-1", Replica: replica(RoleFollower, 7)}, {Name: "limpet-b", Node: "node-2", Replica: replica(RoleLeader, 7)}},
		"diverging":   {{Name: "limpet-a", Node: "node-1", Replica: expiring}, {Name: "limpet-b", Node: "node-2", Replica: other}},
		"unreachable": {{Name: "limpet-a", Replica: replica(RoleFollower, 7)}, {Name: "limpet-b\x1b[2J", Error: "does not respond"}},
		"local":       {{Name: "127.0.0.1:9090", Replica: replica("", 7)}},
	} {
		var out strings.Builder
		if err := Summarize(members, now).WriteText(&out, now); err != nil {
			t.Fatal(err)
		}
		file := "testdata/" + name + ".txt"
		if *update {
			if err := os.WriteFile(file, []byte(out.String()), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil || out.String() != string(want) {
			t.Errorf("%s: %v, got\n%s\nwant\n%s", name, err, out.String(), want)
		}
	}
}

func TestSummary_attention(t *testing.T) {
	for name, c := range map[string]struct {
		change func(a, b *Member)
		agree  bool
		want   string // a part of the only line of Attention; "" if there is no line
	}{
		"healthy":           {func(_, _ *Member) {}, true, ""},
		"other table":       {func(_, b *Member) { b.Replica.Digest = 8 }, false, "different tables: 7 on a; 8 on b"},
		"no response":       {func(_, b *Member) { b.Replica, b.Error = nil, "timeout" }, false, "no state of b: timeout"},
		"not ready":         {func(a, _ *Member) { a.Replica.Ready = false }, true, "a is not ready"},
		"no leader":         {func(a, _ *Member) { a.Replica.Role = RoleFollower }, true, "0 replicas lead"},
		"two leaders":       {func(_, b *Member) { b.Replica.Role = RoleLeader }, true, "2 replicas lead"},
		"no election":       {func(a, b *Member) { a.Replica.Role, b.Replica.Role = "", "" }, true, ""},
		"store is away":     {func(_, b *Member) { b.Replica.Store = Store{Shared: true} }, true, "b cannot reach the store"},
		"expires in a week": {func(a, _ *Member) { a.Replica.Certificates[0].Expires = now.Add(7 * 24 * time.Hour) }, true, "expires on 2026-12-08"},
	} {
		members := []Member{{Name: "a", Replica: replica(RoleLeader, 7)}, {Name: "b", Replica: replica(RoleFollower, 7)}}
		c.change(&members[0], &members[1])
		s := Summarize(members, now)
		fits := c.want == "" && len(s.Attention) == 0 || c.want != "" && len(s.Attention) == 1 && strings.Contains(s.Attention[0], c.want)
		if !fits || s.Agree != c.agree {
			t.Errorf("%s: agree %v, attention %q, want %v, %q", name, s.Agree, s.Attention, c.agree, c.want)
		}
	}
}

func TestReplica_describe(t *testing.T) {
	pools := upstream.NewRegistry()
	ready, empty := model.PoolID{Namespace: "shop", Service: "cart", Port: 80}, model.PoolID{Namespace: "shop", Service: "pay", Port: 80}
	pools.Pool(ready).Replace([]model.Endpoint{{ID: "a", Address: "10.0.0.1:80", State: model.EndpointReady}})
	pools.Pool(empty).Replace([]model.Endpoint{{ID: "b", Address: "10.0.0.2:80", State: model.EndpointNotReady}})
	r := &Replica{}
	r.Describe(&model.Model{Routes: make([]model.Route, 3), Pools: []model.Pool{{ID: ready}, {ID: empty}}}, pools)
	if r.Routes != 3 || r.Pools != 2 || r.EmptyPools != 1 {
		t.Errorf("got %+v", r)
	}
	r = &Replica{}
	if r.Describe(nil, pools); r.Pools != 0 {
		t.Errorf("before the first table: got %+v", r)
	}
}

func TestHandler_respondsWithJSON(t *testing.T) {
	w := httptest.NewRecorder()
	Handler(func() *Replica { return replica(RoleLeader, 7) })(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/status", nil))
	var got Replica
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || got.Digest != 7 || !slices.Equal(got.Certificates, replica("", 7).Certificates) {
		t.Errorf("got %+v, %v", got, err)
	}
}
