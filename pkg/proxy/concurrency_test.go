package proxy

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/limpet-dev/limpet/pkg/affinity"
	"github.com/limpet-dev/limpet/pkg/model"
)

// Many clients send requests while the pods, the table, the keys and the certificates change continuously. The pods
// that leave keep serving for a while, as pods in a cluster do, so that no request may fail.
func TestChanges_noFailure(t *testing.T) {
	const clients, requests = 16, 150
	r, addr := tlsRig(t)
	var pods []*pod
	for i := range 6 {
		pods = append(pods, startEcho(t, fmt.Sprint("pod-", i)))
	}
	r.serve(cookieAffinity(headerMethod("X-Session-Id")), pods...)
	var working sync.WaitGroup
	answered := make(chan struct{}, clients*requests)
	for n := range clients {
		client := r.dial()
		if n%4 == 0 {
			client, _ = dialTLS(t, addr, "shop.example")
		}
		working.Go(func() { workThrough(t, client, n, requests, answered) })
	}
	go func() { working.Wait(); close(answered) }()
	for range answered {
		for range 5 {
			r.changeSomething(pods)
		}
	}
}

func workThrough(t *testing.T, client *caller, n, requests int, answered chan<- struct{}) {
	cookie := "X-None: a"
	for i := range requests {
		body, method := fmt.Sprintf("client %d, request %d", n, i), "POST"
		lines := []string{cookie, fmt.Sprint("X-Session-Id: ", n)}
		switch i % 3 {
		case 0:
			body = strings.Repeat(body, 2000)
		case 1:
			body, method = "", "GET"
		}
		if _, err := client.Conn.Write([]byte(request(method, "/", body, lines...))); err != nil {
			t.Errorf("client %d, request %d: %v", n, i, err)
			return
		}
		a, err := client.tryRead(method)
		if err != nil || a.err != nil || a.status != 200 || a.body != body {
			t.Errorf("client %d, request %d: %v, %+v", n, i, err, a)
			return
		}
		if set := a.header.Get("Set-Cookie"); set != "" {
			pair, _, _ := strings.Cut(set, ";")
			cookie = "Cookie: " + pair
		}
		answered <- struct{}{}
	}
}

func (r *rig) changeSomething(pods []*pod) {
	switch rand.IntN(6) {
	case 0:
		r.publish(routeTo(cart, cookieAffinity(headerMethod("X-Session-Id"))))
	case 1:
		r.publish(routeTo(cart, nil))
	case 2:
		ring, err := affinity.NewKeyring([][]byte{affinity.NewKey(), affinity.NewKey()})
		if err == nil {
			r.keys.Store(ring)
		}
	case 3:
		r.certs.Replace(nil)
	default:
		var endpoints []model.Endpoint
		for _, i := range rand.Perm(len(pods))[:1+rand.IntN(len(pods))] {
			state := model.EndpointReady
			if rand.IntN(3) == 0 {
				state = model.EndpointDraining
			}
			endpoints = append(endpoints, pods[i].endpoint(state))
		}
		r.replace(cart, endpoints...)
	}
}
