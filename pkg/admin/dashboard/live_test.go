package dashboard

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/limpet-dev/limpet/pkg/sessions"
	"github.com/limpet-dev/limpet/pkg/status"
)

func TestPool_namesReplicasThatDoNotRespond(t *testing.T) {
	f := newFixture(t)
	f.live.total = func(_ context.Context, q sessions.Query) *sessions.Report {
		return &sessions.Report{Replicas: []sessions.Replica{{Name: "limpet-a"}, {Name: "limpet-b", Error: "connection refused"}},
			Pools: []sessions.Pool{{Pool: q.Pool, Pods: []sessions.Pod{
				{Pod: "cart-a", Address: "10.0.0.7:8080", Sessions: 5, Idle: 2, InFlight: 1, Streams: 1, Incomplete: true},
				{Pod: "cart-b", Address: "10.0.0.8:8080", Sessions: 3},
				{Pod: "cart-x", Address: "10.0.0.9:8080", Sessions: 100}, // this replica does not know it
			}}}}
	}
	var got poolDetail
	f.get(t, "/api/pool?id=shop/cart:80", &got)
	if got.Sessions != 8 || got.InFlight != 1 {
		t.Errorf("%d sessions, %d in flight, want 8 and 1", got.Sessions, got.InFlight)
	}
	if e := got.Endpoints[0]; e.Sessions != 5 || e.Idle != 2 || e.Streams != 1 || !e.IsIncomplete {
		t.Errorf("cart-a is %+v", e)
	}
	if len(got.Replicas) != 2 || got.Replicas[1].Error != "connection refused" {
		t.Errorf("replicas %+v", got.Replicas)
	}
}

func TestLive_sharesRecentReports(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		requests := 0
		c := liveCache{pools: map[string]*recent[*sessions.Report]{}, total: func(ctx context.Context, _ sessions.Query) *sessions.Report {
			requests++
			<-ctx.Done() // another replica does not respond
			return &sessions.Report{}
		}}
		c.get("shop/cart:80")
		c.get("shop/cart:80")
		if requests != 1 {
			t.Errorf("%d requests within %v", requests, liveAge)
		}
		<-time.After(liveAge)
		c.get("shop/cart:80")
		if requests != 2 {
			t.Errorf("%d requests, want another one for an old report", requests)
		}
		c.expire(time.Now().Add(liveLifetime / 2))
		if len(c.pools) != 1 {
			t.Error("a recent report is dropped")
		}
		c.expire(time.Now().Add(2 * liveLifetime))
		if len(c.pools) != 0 {
			t.Error("an unused report is kept")
		}
	})
}

func TestReplicas_areCompared(t *testing.T) {
	f := newFixture(t)
	var got status.Summary
	f.get(t, "/api/replicas", &got)
	if got.Agree || len(got.Members) != 2 || got.Members[1].Error != "connection refused" || len(got.Attention) == 0 {
		t.Errorf("got %+v", got)
	}
}
