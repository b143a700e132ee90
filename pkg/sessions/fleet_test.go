package sessions

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/limpet-dev/limpet/pkg/peers"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func testKeys() [][32]byte { return [][32]byte{{1}} }

// startPeer serves a replica to others, and returns it as they know it.
func startPeer(t *testing.T, f *Fleet) peers.Replica {
	t.Helper()
	server := httptest.NewServer((&peers.Server{Keys: testKeys}).Guard(http.HandlerFunc(f.ServePeer)))
	t.Cleanup(server.Close)
	return peers.Replica{Name: f.Self.Name, Address: netip.MustParseAddrPort(server.Listener.Addr().String())}
}

func fleetOf(t *testing.T, c *Counter, others ...peers.Replica) *Fleet {
	t.Helper()
	f := &Fleet{Counter: *c, Peers: &peers.Client{Keys: testKeys, Replicas: func() []peers.Replica { return others }}}
	t.Cleanup(f.Peers.Close)
	return f
}

func getReport(t *testing.T, f *Fleet, query string) *Report {
	t.Helper()
	w := httptest.NewRecorder()
	f.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/sessions?"+query, nil))
	var r Report
	if err := json.Unmarshal(w.Body.Bytes(), &r); err != nil || w.Code != http.StatusOK {
		t.Fatalf("status %d, %s: %v", w.Code, w.Body, err)
	}
	return &r
}

func TestFleet_countsAllReplicas(t *testing.T) {
	one, two := replica("limpet-1"), replica("limpet-2")
	one.serve(0, 0, 30)
	two.serve(0, 20, 50)
	two.Pools.Pool(cart).Set().Endpoint(0).BeginRequest()
	f := fleetOf(t, one, startPeer(t, &Fleet{Counter: *two}))
	if got := getReport(t, f, "pod=shop/cart-a"); left(got, "cart-a").Sessions != 30 || len(got.Replicas) != 1 {
		t.Errorf("this replica: got %+v", got)
	}
	got := getReport(t, f, "pool=shop/cart:80&pod=cart-a&replicas=all")
	if a := left(got, "cart-a"); a.Sessions != 50 || a.InFlight != 1 || len(got.Replicas) != 2 || len(got.Missing()) != 0 {
		t.Errorf("all replicas: got %+v", got)
	}
}

// The numbers of the other replicas are still shown.
func TestFleet_namesMissingReplicas(t *testing.T) {
	one, two := replica("limpet-1"), replica("limpet-2")
	one.serve(0, 0, 30)
	two.serve(0, 30, 40)
	gone := httptest.NewServer(nil)
	address := netip.MustParseAddrPort(gone.Listener.Addr().String())
	gone.Close()
	f := fleetOf(t, one, peers.Replica{Name: "limpet-3", Address: address}, startPeer(t, &Fleet{Counter: *two}))
	got := getReport(t, f, "replicas=all")
	missing := got.Missing()
	if len(missing) != 1 || missing[0].Name != "limpet-3" || !strings.Contains(missing[0].Error, "refused") {
		t.Errorf("missing replicas are %+v", missing)
	}
	if len(got.Replicas) != 3 || left(got, "cart-a").Sessions != 40 {
		t.Errorf("got %+v", got)
	}
}

func TestFleet_unknownReplicas(t *testing.T) {
	f := &Fleet{Counter: *replica("limpet-1"), Unknown: "set --publish-service"}
	if got := getReport(t, f, "replicas=all").Missing(); len(got) != 1 || got[0].Error != "set --publish-service" {
		t.Errorf("missing replicas are %+v", got)
	}
}

func TestFleet_refusesInvalidQueries(t *testing.T) {
	f := &Fleet{Counter: *replica("limpet-1")}
	for _, handler := range []http.HandlerFunc{f.ServeHTTP, f.ServePeer} {
		w := httptest.NewRecorder()
		handler(w, httptest.NewRequest(http.MethodGet, "/sessions?host=a", nil))
		if w.Code != http.StatusBadRequest {
			t.Errorf("status %d", w.Code)
		}
	}
}

// 1,000 pods with 5,000 sessions each must fit into what one replica reads of another.
func TestFleet_largeReport(t *testing.T) {
	c := replica("limpet-1")
	c.serve(0, 0, 5000)
	r := c.Report(Query{}, time.Now())
	if err := r.pack(); err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(r.Pools[0].Pods[0])
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d bytes", len(text))
	if 1000*len(text) > maxReport {
		t.Errorf("a pod has %d bytes in a report", len(text))
	}
}
