package main

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/netip"
	"strconv"

	"github.com/limpet-dev/limpet/pkg/affinity"
	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/upstream"
)

// The simulated installation.
const (
	simulatedReplicas  = 100
	simulatedSessions  = 1_000_000
	simulatedEndpoints = 50
	decidingReplicas   = 5 // random replicas that decide each session
)

// simulate prints what many replicas do: whether they agree on hashed sessions, and the traffic of a shared session store.
func simulate(w io.Writer) error {
	disagreements, spread := simulateHashing(rand.New(rand.NewPCG(1, 2)))
	fmt.Fprintf(w, "%d replicas, %d hashed sessions, %d endpoints, %d replicas decide each session: %d disagreements."+
		" The fullest endpoint has %.2f times the mean.\n\n", simulatedReplicas, simulatedSessions, simulatedEndpoints,
		decidingReplicas, disagreements, spread)
	fmt.Fprintf(w, "%d learned sessions, each with a request every %d s to a random replica, idle timeout %d min:\n\n",
		simulatedSessions, storeInterval, storeIdle/60)
	fmt.Fprint(w, "| Replicas | Requests/s | Writes/s | Notifications/s | Queries/s | Requests that wait |\n"+
		"|--:|--:|--:|--:|--:|--:|\n")
	for _, replicas := range []int{1, 2, 3, 10, 30, simulatedReplicas} {
		t := simulateStore(replicas, rand.New(rand.NewPCG(3, 4)))
		fmt.Fprintf(w, "| %d | %.0f | %.0f | %.0f | %.0f | %.1f %% |\n", replicas, t.requests, t.writes, t.notifications, t.queries,
			100*t.queries/t.requests)
	}
	if disagreements > 0 {
		return fmt.Errorf("replicas disagree on %d sessions", disagreements)
	}
	return nil
}

// headerRequest is a request with a session id in a header.
type headerRequest struct{ id []byte }

func (r *headerRequest) Header(string) ([]byte, bool) { return r.id, true }
func (r *headerRequest) CookieHeader(int) []byte      { return nil }
func (r *headerRequest) Method() []byte               { return []byte("GET") }
func (r *headerRequest) Host() []byte                 { return nil }
func (r *headerRequest) ClientCertificate() []byte    { return nil }
func (r *headerRequest) Path() []byte                 { return nil }
func (r *headerRequest) Query() []byte                { return nil }
func (r *headerRequest) ClientIP() netip.Addr         { return netip.Addr{} }

// simulateHashing lets replicas that learned of the endpoints in different orders decide sessions. It returns the number of
// sessions on which two replicas disagree, and the share of the fullest endpoint relative to the mean.
func simulateHashing(random *rand.Rand) (disagreements int, spread float64) {
	policy := affinity.Compile(&model.Affinity{Scope: "shop/cart", Pick: model.PickLeastSessions, Identity: model.IdentityPod,
		KeepDraining: true, Unavailable: model.Unavailable{Action: model.UnavailableRepick, Status: 503},
		Methods: []model.Method{{Source: model.SourceHeader, Binding: model.BindingHashed, Header: &model.Header{Name: "X-Id"}}}})
	sets := make([]*upstream.Set, simulatedReplicas)
	for i := range sets {
		sets[i] = learnedInRandomOrder(random)
	}
	count := map[string]int{}
	var d affinity.Decision
	var state affinity.ConnState
	for k := range simulatedSessions {
		req := headerRequest{strconv.AppendInt([]byte("session-"), int64(k), 10)}
		chosen, agree := "", true
		for range decidingReplicas {
			set := sets[random.IntN(len(sets))]
			policy.Decide(&d, &req, set, nil, &state, 0)
			address := set.Address(d.Endpoint)
			agree = agree && (chosen == "" || chosen == address)
			chosen = address
		}
		count[chosen]++
		if !agree {
			disagreements++
		}
	}
	for _, n := range count {
		spread = max(spread, float64(n)*simulatedEndpoints/simulatedSessions)
	}
	return disagreements, spread
}

// learnedInRandomOrder returns the set of a replica that saw the endpoints join in a random order.
func learnedInRandomOrder(random *rand.Rand) *upstream.Set {
	pool := upstream.NewRegistry().Pool(model.PoolID{Namespace: "shop", Service: "cart", Port: 80})
	var endpoints []model.Endpoint
	for _, i := range random.Perm(simulatedEndpoints) {
		endpoints = append(endpoints, model.Endpoint{ID: fmt.Sprint("uid-", i), State: model.EndpointReady,
			Address: fmt.Sprintf("10.0.0.%d:8080", i)})
		pool.Replace(endpoints)
	}
	return pool.Set()
}
