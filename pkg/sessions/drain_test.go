package sessions

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/peers"
	"github.com/limpet-dev/limpet/test/wait"
)

// startFleet serves a replica with all paths to others.
func startFleet(t *testing.T, f *Fleet) peers.Replica {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+PeerPath, f.ServePeer)
	mux.HandleFunc("POST "+DrainPath, f.ServeDrainPeer)
	server := httptest.NewServer((&peers.Server{Keys: testKeys}).Guard(mux))
	t.Cleanup(server.Close)
	return peers.Replica{Name: f.Self.Name, Address: netip.MustParseAddrPort(server.Listener.Addr().String())}
}

// isDraining reports whether the replica drains the pod.
func (c *Counter) isDraining(pod string) bool {
	return left(c.Report(Query{}, time.Now()), pod).Draining
}

var cartA = PodRef{"shop", "cart-a", "uid-a"}

func TestDrain_marksInAllReplicas(t *testing.T) {
	one, two := replica("limpet-1"), replica("limpet-2")
	two.serve(0, 0, 7)
	f := fleetOf(t, one, startFleet(t, &Fleet{Counter: *two}))
	got, err := f.Drain(t.Context(), cartA, 0)
	if err != nil || got.Done || got.Sessions != 7 || len(got.Missing) != 0 {
		t.Errorf("got %+v, %v", got, err)
	}
	if !one.isDraining("cart-a") || !two.isDraining("cart-a") {
		t.Errorf("draining in the first replica: %v, in the second: %v", one.isDraining("cart-a"), two.isDraining("cart-a"))
	}
}

// A replica that does not respond may still have sessions of the pod.
func TestDrain_notDoneWithoutAllReplicas(t *testing.T) {
	gone := httptest.NewServer(nil)
	address := netip.MustParseAddrPort(gone.Listener.Addr().String())
	gone.Close()
	f := fleetOf(t, replica("limpet-1"), peers.Replica{Name: "limpet-2", Address: address})
	got, err := f.Drain(t.Context(), cartA, 0)
	if err != nil || got.Done || len(got.Missing) != 1 || got.Missing[0].Name != "limpet-2" {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestDrain_unknownPods(t *testing.T) {
	c := replica("limpet-1")
	f := fleetOf(t, c)
	for _, pod := range []PodRef{{"shop", "cart-x", ""}, {"other", "cart-a", "uid-a"}, {"shop", "cart-a", "uid-of-an-older-pod"}} {
		if _, err := f.Drain(t.Context(), pod, 0); !errors.Is(err, ErrUnknownPod) {
			t.Errorf("%v: %v", pod, err)
		}
	}
	if c.isDraining("cart-a") {
		t.Error("another pod drains")
	}
	if _, err := f.Drain(t.Context(), PodRef{"shop", "cart-a", ""}, 0); err != nil || !c.isDraining("cart-a") {
		t.Errorf("by name: %v", err)
	}
}

// In a synctest bubble, minutes pass without waiting.
func TestDrain_waits(t *testing.T) {
	for name, c := range map[string]struct {
		ends     time.Duration // when the only session of the pod moves; 0: never
		wait     time.Duration
		done     bool
		min, max time.Duration
	}{
		"until the session has moved": {20 * time.Second, time.Minute, true, 20 * time.Second, 20*time.Second + drainInterval},
		"until the deadline":          {0, time.Minute, false, time.Minute, time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				counter := replica("limpet-1")
				counter.serve(0, 1, 2)
				f := &Fleet{Counter: *counter}
				if c.ends > 0 {
					time.AfterFunc(c.ends, func() { counter.Pools.Pool(cart).Set().Endpoint(0).SessionDeparted(model.Mix(1), 1800) })
				}
				start := time.Now()
				got, err := f.Drain(t.Context(), cartA, c.wait)
				if took := time.Since(start); err != nil || got.Done != c.done || took < c.min || took > c.max {
					t.Errorf("got %+v, %v after %v", got, err, took)
				}
			})
		})
	}
}

func TestDrain_activeRequests(t *testing.T) {
	c := replica("limpet-1")
	c.Pools.Pool(cart).Set().Endpoint(0).BeginRequest()
	got, err := fleetOf(t, c).Drain(t.Context(), cartA, 0)
	if err != nil || got.Done || got.InFlight != 1 {
		t.Errorf("got %+v, %v", got, err)
	}
}

// One pod cannot take the waits of others, nor can the pods of one tenant.
func TestDrain_boundsWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := replica("limpet-1")
		c.serve(0, 1, 2)
		f := &Fleet{Counter: *c}
		ctx, cancel := context.WithCancel(t.Context())
		for range maxOfPod {
			go func() { _, _ = f.Drain(ctx, cartA, time.Hour) }()
		}
		synctest.Wait()
		if _, err := f.Drain(ctx, cartA, time.Hour); !errors.Is(err, ErrBusy) {
			t.Errorf("one more waits: %v", err)
		}
		if _, err := f.Drain(ctx, PodRef{Namespace: "shop", Name: "cart-b"}, 0); err != nil {
			t.Errorf("another pod: %v", err)
		}
		cancel()
		synctest.Wait()
		if _, err := f.Drain(t.Context(), cartA, 0); err != nil {
			t.Errorf("after they have ended: %v", err)
		}
	})
}

func TestWaiting_isDividedAmongNamespaces(t *testing.T) {
	var w waiting
	began := 0
	for i := range maxWaiting {
		if w.begin(PodRef{"shop", fmt.Sprint(i), "uid"}) {
			began++
		}
	}
	if began != maxInNamespace {
		t.Errorf("%d of one namespace wait, want %d", began, maxInNamespace)
	}
	if !w.begin(PodRef{"other", "a", ""}) {
		t.Error("a pod of another namespace does not wait")
	}
	w.end(PodRef{"other", "a", "uid"})
	for i := range began {
		w.end(PodRef{"shop", fmt.Sprint(i), ""})
	}
	if w.all != 0 || len(w.namespaces) != 0 || len(w.pods) != 0 {
		t.Errorf("left: %+v", w.all)
	}
}

// A replica that starts during the drain gets the mark, too.
func TestDrain_marksReplicasThatStart(t *testing.T) {
	one, two := replica("limpet-1"), replica("limpet-2")
	one.serve(0, 0, 1)
	address := startFleet(t, &Fleet{Counter: *two})
	var started atomic.Bool
	f := &Fleet{Counter: *one, Peers: &peers.Client{Keys: testKeys, Replicas: func() []peers.Replica {
		if !started.Load() {
			return nil
		}
		return []peers.Replica{address}
	}}}
	t.Cleanup(f.Peers.Close)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = f.Drain(ctx, cartA, time.Minute)
	}()
	wait.Until(t, "the first replica drains", func() bool { return one.isDraining("cart-a") })
	started.Store(true)
	wait.Until(t, "the second replica drains", func() bool { return two.isDraining("cart-a") })
	cancel()
	<-done
}

func TestLeft_countsThePodOnly(t *testing.T) {
	r := &Report{Pools: []Pool{{Pods: []Pod{
		{Namespace: "shop", Pod: "cart-0", UID: "old", Sessions: 3},
		{Namespace: "shop", Pod: "cart-0", UID: "new", Sessions: 4},
	}}}}
	for uid, want := range map[string]int64{"old": 3, "new": 4, "": 7} {
		if p, found := r.Left(PodRef{"shop", "cart-0", uid}); !found || p.Sessions != want {
			t.Errorf("UID %q: %d sessions, want %d", uid, p.Sessions, want)
		}
	}
}

// Counts that may be too low do not end a drain.
func TestIsEmpty_onlyIfAllIsCounted(t *testing.T) {
	for name, c := range map[string]struct {
		report Report
		pod    Pod
		want   bool
	}{
		"empty":             {want: true},
		"sessions":          {pod: Pod{Sessions: 1}},
		"request in flight": {pod: Pod{InFlight: 1}},
		"no memory":         {pod: Pod{Incomplete: true}},
		"too many pods":     {report: Report{Truncated: true}},
		"replica missing":   {report: Report{Replicas: []Replica{{Error: "timeout"}}}},
	} {
		if got := c.report.IsEmpty(&c.pod); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

func TestReadMark_strict(t *testing.T) {
	valid := `{"namespace":"shop","uid":"uid-a","end":"` + time.Now().Add(time.Minute).Format(time.RFC3339) + `"}`
	if m, err := readMark(strings.NewReader(valid)); err != nil || m.UID != "uid-a" {
		t.Errorf("got %+v, %v", m, err)
	}
	for name, text := range map[string]string{
		"no UID": strings.Replace(valid, "uid-a", "", 1), "no namespace": strings.Replace(valid, "shop", "", 1),
		"unknown field": strings.Replace(valid, "{", `{"x":1,`, 1), "not JSON": "x",
		"for years": strings.Replace(valid, valid[strings.Index(valid, `"end":"`)+7:][:4], "9999", 1),
	} {
		if _, err := readMark(strings.NewReader(text)); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
