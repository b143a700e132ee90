package sessions

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/peers"
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

func TestDrain_boundsWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := replica("limpet-1")
		c.serve(0, 1, 2)
		f := &Fleet{Counter: *c}
		ctx, cancel := context.WithCancel(t.Context())
		for range maxWaiting {
			go func() { _, _ = f.Drain(ctx, cartA, time.Hour) }()
		}
		synctest.Wait()
		if _, err := f.Drain(ctx, cartA, time.Hour); !errors.Is(err, ErrBusy) {
			t.Errorf("one more waits: %v", err)
		}
		cancel()
		synctest.Wait()
		if _, err := f.Drain(t.Context(), cartA, 0); err != nil {
			t.Errorf("after they have ended: %v", err)
		}
	})
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
