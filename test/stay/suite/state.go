package main

import (
	"slices"
)

// state is the desired state of a proxy, as the objects of a cluster describe it.
type state struct {
	Routes []*route
	// Others is the number of routes with hosts and backends of their own, and Edition the revision of their paths.
	Others, Edition int
	// Crowd is a number of further such routes, which never changes.
	Crowd int
	// Timeout is a setting of Routes that has nothing to do with sessions, in seconds.
	Timeout int
	// Idle is the time after its last request at which a session ends, in seconds. With zero, it does not end.
	Idle int
	// Adopts is the affinity-mode of ingress-nginx, if the sessions began there.
	Adopts string
	// App is set if the app has its own sessions: pods set a cookie for each, and the proxy learns which pod did.
	App bool
	// Filters adds settings to Routes that act on requests and responses, but not on those of the suite.
	Filters bool
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
	// Canary are the pods of the route's canary, which gets Weight percent of the new sessions. It may have no pods.
	Canary []podState
	Weight int
}

// AppCookie is the name of the cookie that the pods set.
func (r *route) AppCookie() string { return appCookie(r.path) }

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

// ReadyCanary is Ready of the canary.
func (r *route) ReadyCanary() []string { return readyOf(r.Canary) }

func readyOf(pods []podState) []string {
	var addresses []string
	for _, p := range pods {
		if p.Condition == ready {
			addresses = append(addresses, p.address())
		}
	}
	return addresses
}

// Weights returns the weights of the servers of Ready and ReadyCanary, so that the canary gets its part of new sessions.
func (r *route) Weights() []int {
	var weights []int
	stable, canary := len(r.Ready()), len(r.ReadyCanary())
	for range stable {
		weights = append(weights, max(100-r.Weight, 0)*canary)
	}
	for range canary {
		weights = append(weights, r.Weight*stable)
	}
	return weights
}

// backend is one Service with its pods.
type backend struct {
	Name string
	Pods []podState
}

// Backends returns the Service of the route, and that of its canary.
func (r *route) Backends() []backend {
	all := []backend{{r.Name, r.Pods}}
	if r.Canary != nil {
		all = append(all, backend{r.CanaryName(), r.Canary})
	}
	return all
}

// CanaryName returns the name of the Service of the canary.
func (r *route) CanaryName() string { return r.Name + "-canary" }

func (r *route) clone() *route {
	c := *r
	c.Pods, c.Canary = slices.Clone(r.Pods), slices.Clone(r.Canary)
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
		slices.Reverse(r.Canary)
	}
	return c
}

// Numbers numbers the routes of other hosts, for templates.
func (s *state) Numbers() []int {
	n := make([]int, s.Crowd+s.Others)
	for i := range n {
		n[i] = i
	}
	return n
}
