package controllers

import (
	"context"
	"errors"
	"net"
	"sync"
	"testing"

	networkingv1 "k8s.io/api/networking/v1"
)

// cable is the way to the API server, and can be pulled.
type cable struct {
	mu     sync.Mutex
	pulled bool
	conns  []net.Conn
}

func (c *cable) dial(ctx context.Context, network, address string) (net.Conn, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.pulled {
		return nil, errors.New("the cable is pulled")
	}
	conn, err := new(net.Dialer).DialContext(ctx, network, address)
	if err == nil {
		c.conns = append(c.conns, conn)
	}
	return conn, err
}

func (c *cable) pull() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, conn := range c.conns {
		conn.Close()
	}
	c.pulled, c.conns = true, nil
}

func (c *cable) mend() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pulled = false
}

func TestAnAPIServerThatGoesAwayStopsNothing(t *testing.T) {
	ns := leaveNoTrace(t)
	create(t, service(ns, "shop"), ingress(ns, "shop"), slice(ns, "shop", "10.250.0.1"))
	var toServer cable
	r := startReplica(t, "a", func(o *Options) { o.Config.Dial = toServer.dial })
	endpoints := r.publisher.see(func(p *fakePublisher) bool { return len(p.endpoints[ns+"/shop"]) == 1 })
	eventually(t, "the route", r.publisher.serves(ns, "shop.example.com"))
	eventually(t, "the endpoint", endpoints)
	eventually(t, "it leads", r.said("Leading"))

	toServer.pull()
	eventually(t, "the lease is lost", r.said("Not leading any more"))
	select {
	case err := <-r.done:
		t.Fatalf("Run ended with the API server: %v", err)
	default:
	}
	if !r.publisher.serves(ns, "shop.example.com")() || !endpoints() || r.keys.Load() == nil {
		t.Error("what was published did not stay as it was")
	}

	change(t, ingress(ns, "shop"), func(in *networkingv1.Ingress) { in.Spec.Rules[0].Host = "moved.example.com" })
	toServer.mend()
	eventually(t, "what has changed meanwhile", r.publisher.serves(ns, "moved.example.com"))
}
