package sessions

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/upstream"
)

var cart = model.PoolID{Namespace: "shop", Service: "cart", Port: 80}

// replica returns a replica that knows two pods of one pool, of which b is draining.
func replica(name string) *Counter {
	c := &Counter{Pools: upstream.NewRegistry(), Self: Replica{Name: name}}
	c.Pools.Pool(cart).Replace([]model.Endpoint{
		{ID: "uid-a", Pod: "cart-a", Address: "10.0.0.1:80", State: model.EndpointReady},
		{ID: "uid-b", Pod: "cart-b", Address: "10.0.0.2:80", State: model.EndpointDraining},
	})
	return c
}

// serve counts sessions from..to-1 at the i-th endpoint.
func (c *Counter) serve(i int, from, to uint64) {
	e := c.Pools.Pool(cart).Set().Endpoint(i)
	for s := from; s < to; s++ {
		e.SessionResponded(model.Mix(s), 1800, true)
	}
}

func TestReport_countsPods(t *testing.T) {
	c := replica("limpet-1")
	c.serve(0, 0, 30)
	c.serve(1, 100, 110)
	b := c.Pools.Pool(cart).Set().Endpoint(1)
	b.SessionDeparted(model.Mix(100), 1800)
	b.BeginRequest()
	b.BeginRequest()
	b.BeginStream()
	r := c.Report(Query{}, time.Now())
	if len(r.Pools) != 1 || r.Pools[0].Pool != "shop/cart:80" || r.Pools[0].Sessions != 39 || len(r.Pools[0].Pods) != 2 {
		t.Fatalf("got %+v", r)
	}
	got := r.Pools[0].Pods[1]
	got.sets, got.NewPerMinute = sets{}, 0
	want := Pod{Namespace: "shop", Pod: "cart-b", UID: "uid-b", Address: "10.0.0.2:80", Draining: true, Sessions: 9, InFlight: 2,
		Streams: 1, Share: 9. / 39, WindowSeconds: 1800}
	if !samePod(&got, &want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

// samePod compares what clients see.
func samePod(a, b *Pod) bool {
	x, _ := json.Marshal(a)
	y, _ := json.Marshal(b)
	return string(x) == string(y)
}

func TestReport_selectsPods(t *testing.T) {
	c := replica("limpet-1")
	c.Pools.Pool(model.PoolID{Namespace: "other", Service: "cart", Port: 80}).Replace([]model.Endpoint{
		{ID: "uid-c", Pod: "cart-a", Address: "10.0.0.3:80", State: model.EndpointReady},
	})
	for query, want := range map[string]string{
		"":                              "other/cart-a shop/cart-a shop/cart-b",
		"pool=shop/cart:80":             "shop/cart-a shop/cart-b",
		"pod=cart-a":                    "other/cart-a shop/cart-a",
		"pod=shop/cart-a":               "shop/cart-a",
		"pool=other/cart:80&pod=cart-b": "",
		"pool=other%2Fcart%3A80&pod=other/cart-a": "other/cart-a",
	} {
		q, all, err := ParseQuery(query)
		if err != nil || all {
			t.Fatalf("%s: %v, %v", query, all, err)
		}
		var got []string
		for _, p := range c.Report(q, time.Now()).Pools {
			for _, pod := range p.Pods {
				got = append(got, pod.Namespace+"/"+pod.Pod)
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: got %v, want %s", query, got, want)
		}
	}
}

func TestParseQuery_refuses(t *testing.T) {
	for _, query := range []string{"pods=a", "pool=a&pool=b", "replicas=1", "replicas=", "%zz"} {
		if _, _, err := ParseQuery(query); err == nil {
			t.Errorf("%s: accepted", query)
		}
	}
}

// A session that two replicas have seen counts once, also if one saw it serve and the other saw it leave.
func TestMerge_countsSessionsOnce(t *testing.T) {
	one, two := replica("limpet-1"), replica("limpet-2")
	one.serve(0, 0, 30)
	two.serve(0, 20, 50)
	one.serve(1, 100, 120)
	two.Pools.Pool(cart).Set().Endpoint(1).SessionDeparted(model.Mix(100), 1800)
	var reports []*Report
	for _, c := range []*Counter{one, two} {
		reports = append(reports, overTheWire(t, c.Report(Query{}, time.Now())))
	}
	sum := merge(reports)
	a, b := left(sum, "cart-a"), left(sum, "cart-b")
	if a.Sessions != 50 || b.Sessions != 19 || sum.Pools[0].Sessions != 69 {
		t.Errorf("%d and %d sessions of %d, want 50 and 19 of 69", a.Sessions, b.Sessions, sum.Pools[0].Sessions)
	}
	if a.Draining || !b.Draining || a.Idle != 0 {
		t.Errorf("got %+v and %+v", a, b)
	}
	if len(sum.Replicas) != 2 || sum.Replicas[1].Name != "limpet-2" {
		t.Errorf("replicas are %+v", sum.Replicas)
	}
	text, err := json.Marshal(sum)
	if err != nil || strings.Contains(string(text), "served") {
		t.Errorf("the sum has sets of sessions: %s, %v", text, err)
	}
}

func left(r *Report, pod string) Pod {
	p, _ := r.Left(PodRef{Namespace: "shop", Name: pod})
	return p
}

func overTheWire(t *testing.T, r *Report) *Report {
	t.Helper()
	if err := r.pack(); err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var received Report
	if err := json.Unmarshal(text, &received); err != nil {
		t.Fatal(err)
	}
	if err := received.unpack(); err != nil {
		t.Fatal(err)
	}
	return &received
}

func TestUnpack_refusesHostileSets(t *testing.T) {
	r := &Report{Pools: []Pool{{Pods: []Pod{{Served: []byte("no sketch")}}}}}
	if err := r.unpack(); err == nil {
		t.Error("accepted")
	}
}
