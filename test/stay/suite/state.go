package main

import (
	"slices"
)

// state is the desired state of a proxy, as the objects of a cluster describe it.
type state struct {
	Routes []*route
	// Others is the number of routes with hosts and backends of their own, and Edition the revision of their paths.
	Others, Edition int
	// Timeout is a setting of Routes that has nothing to do with sessions, in seconds.
	Timeout int
	// Keys seal tokens, in order of preference.
	Keys []string
	// Revision is changed by each change of a field other than the pods. The proxy responds to /REVISION of revisionHost with
	// another status than 404 once it has applied it.
	Revision int
}

const revisionHost = "revision.example.com"

// route is a path of a host, with a Service of its own.
type route struct {
	Name, host, path string
	Pods             []podState
	Canary           *canary // or nil
}

// canary is a second backend of a route, which gets Weight percent of the new sessions. It has a Service of its own.
type canary struct {
	Pods   []podState
	Weight int
}

// service is what a Service selects.
type service struct {
	Name string
	Pods []podState
}

// Services returns the Services of all routes.
func (s *state) Services() []service {
	var all []service
	for _, r := range s.Routes {
		all = append(all, service{r.Name, r.Pods})
		if r.Canary != nil {
			all = append(all, service{r.Name + "-canary", r.Canary.Pods})
		}
	}
	return all
}

// Host and Path are for templates.
func (r *route) Host() string { return r.host }

// Path returns the path prefix.
func (r *route) Path() string { return r.path }

// podState is a pod as its EndpointSlice shows it.
type podState struct {
	*pod
	Condition condition
}

type condition string

const (
	ready       condition = "ready"
	terminating condition = "terminating" // and serving
	notReady    condition = "not ready"   // and not terminating
)

// IP is for templates, as the next two methods.
func (p podState) IP() string { return p.ip }

// PodName returns the name of the pod.
func (p podState) PodName() string { return p.name }

// UID returns the UID of the pod.
func (p podState) UID() string { return p.uid }

// Ready returns the addresses of the ready pods. These are what most ingress controllers configure.
func (r *route) Ready() []string { return readyOf(r.Pods) }

// Ready returns the addresses of the canary's ready pods.
func (c *canary) Ready() []string { return readyOf(c.Pods) }

// Rest is the weight of the other backend.
func (c *canary) Rest() int { return 100 - c.Weight }

func readyOf(pods []podState) []string {
	var addresses []string
	for _, p := range pods {
		if p.Condition == ready {
			addresses = append(addresses, p.address())
		}
	}
	return addresses
}

func (r *route) clone() *route {
	c := *r
	c.Pods = slices.Clone(r.Pods)
	if r.Canary != nil {
		c.Canary = &canary{slices.Clone(r.Canary.Pods), r.Canary.Weight}
	}
	return &c
}

func (s *state) clone() *state {
	c := *s
	c.Routes = nil
	for _, r := range s.Routes {
		c.Routes = append(c.Routes, r.clone())
	}
	return &c
}

// reversed returns the state with all pods in the opposite order.
func (s *state) reversed() *state {
	c := s.clone()
	for _, r := range c.Routes {
		slices.Reverse(r.Pods)
	}
	return c
}

// Canary returns the canary of the first route, which alone may have one.
func (s *state) Canary() *canary { return s.Routes[0].Canary }

// Numbers returns the numbers below Others, for templates.
func (s *state) Numbers() []int {
	n := make([]int, s.Others)
	for i := range n {
		n[i] = i
	}
	return n
}
