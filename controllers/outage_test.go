package controllers

import (
	"context"
	"errors"
	"net"
	"sync"
	"testing"

	networkingv1 "k8s.io/api/networking/v1"
)

// connections tracks the connections to the API server, and can cut them.
type connections struct {
	mu    sync.Mutex
	isCut bool
	conns []net.Conn
}

func (c *connections) dial(ctx context.Context, network, address string) (net.Conn, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.isCut {
		return nil, errors.New("connection cut by the test")
	}
	conn, err := new(net.Dialer).DialContext(ctx, network, address)
	if err == nil {
		c.conns = append(c.conns, conn)
	}
	return conn, err
}

func (c *connections) cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, conn := range c.conns {
		conn.Close()
	}
	c.isCut, c.conns = true, nil
}

func (c *connections) restore() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.isCut = false
}

func TestRun_apiServerOutage(t *testing.T) {
	ns := newNamespace(t)
	create(t, service(ns, "shop"), ingress(ns, "shop"), slice(ns, "shop", "10.250.0.1"))
	var apiServer connections
	r := startReplica(t, "a", func(o *Options) { o.Config.Dial = apiServer.dial })
	endpoints := r.publisher.locked(func(p *fakePublisher) bool { return len(p.endpoints[ns+"/shop"]) == 1 })
	eventually(t, "the route", r.publisher.serves(ns, "shop.example.com"))
	eventually(t, "the endpoint", endpoints)
	eventually(t, "it leads", r.hasLogged("Started leading"))

	apiServer.cut()
	eventually(t, "the lease is lost", r.hasLogged("Stopped leading"))
	eventually(t, "the watches fail", r.hasLogged("Failed to watch"))
	select {
	case err := <-r.done:
		t.Fatalf("Run returned during the outage: %v", err)
	default:
	}
	if !r.publisher.serves(ns, "shop.example.com")() || !endpoints() || r.keys.Load() == nil {
		t.Error("the published state was lost")
	}

	change(t, ingress(ns, "shop"), func(in *networkingv1.Ingress) { in.Spec.Rules[0].Host = "moved.example.com" })
	apiServer.restore()
	eventually(t, "the change made during the outage", r.publisher.serves(ns, "moved.example.com"))
}
