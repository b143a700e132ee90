package main

import (
	"errors"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/limpet-dev/limpet/test/ingressnginx"
)

// model is the affinity of ingress-nginx in this process.
type model struct {
	balanced bool
	replicas []*modelReplica
}

// modelReplica has one controller for each route, because the model knows no paths.
type modelReplica struct {
	routes   atomic.Pointer[[]modelRoute] // longest path first
	server   *http.Server
	listen   string
	reversed bool
}

type modelRoute struct {
	*route
	controller *ingressnginx.Controller
}

func (m *model) about() about {
	a := about{name: "ingress-nginx", version: "model of 1.15.1 in test/ingressnginx, persistent", notes: []string{
		"The model has the cookies, the hash ring and the choice of pods of its Lua balancer. It has neither the retries nor the " +
			"reloads of its nginx, so scenarios about these are left out, and no time is measured.",
		"`affinity-mode: persistent`, which is not the default. Each backend has a `session-cookie-name` of its own.",
	}}
	if m.balanced {
		a.name, a.version = "ingress-nginx-balanced", "model of 1.15.1 in test/ingressnginx, balanced"
		a.notes = []string{"As `ingress-nginx`, with `affinity-mode: balanced`, which is the default."}
	}
	return a
}

func (m *model) cannot(scenario string) string {
	switch scenario {
	case rollingAbrupt, podKilled:
		return "the model does not retry"
	case unrelatedChurn, relatedEdit, proxyRestart, proxyUpgrade, webSockets:
		return "the model does not reload"
	case keyRotation:
		return "it has no keys"
	case idleReplay:
		return notEnforced
	case canarySplit:
		return "the model has no canaries"
	case storeLost:
		return notLearned
	case adoption, adoptionBalanced:
		return "the sessions are its own"
	case tampered, foreign:
		if m.balanced {
			return "a cookie that is hashed names no pod"
		}
	}
	return ""
}

func (m *model) start(s *state, reversed bool) error {
	l, err := net.Listen("tcp", nextAddress())
	if err != nil {
		return err
	}
	r := &modelReplica{listen: l.Addr().String(), reversed: reversed}
	r.server = &http.Server{Handler: r, ReadHeaderTimeout: 10 * time.Second}
	m.replicas = append(m.replicas, r)
	if err := m.apply(s); err != nil {
		return err
	}
	go func() { _ = r.server.Serve(l) }()
	return nil
}

// ServeHTTP chooses the route with the longest path.
func (r *modelReplica) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	for _, route := range *r.routes.Load() {
		if strings.HasPrefix(req.URL.Path, route.path) {
			route.controller.ServeHTTP(w, req)
			return
		}
	}
	http.NotFound(w, req)
}

func (m *model) address(i int) string { return m.replicas[i].listen }

// apply replaces the routes by new ones with the ready pods. A controller has no state but these.
func (m *model) apply(s *state) error {
	for _, r := range m.replicas {
		own := s
		if r.reversed {
			own = s.reversed()
		}
		var routes []modelRoute
		for _, route := range own.Routes {
			b := ingressnginx.Backend{Name: "shop-" + route.Name + "-80", Balanced: m.balanced, Cookie: route.Name}
			c := ingressnginx.New()
			c.Serve(route.host, b, route.Ready())
			routes = append(routes, modelRoute{route, c})
		}
		slices.SortFunc(routes, func(a, b modelRoute) int { return len(b.path) - len(a.path) })
		r.routes.Store(&routes)
	}
	return nil
}

func (m *model) restart(int, *state) error { return errors.ErrUnsupported }

func (m *model) stop() {
	for _, r := range m.replicas {
		r.server.Close()
	}
	m.replicas = nil
}
