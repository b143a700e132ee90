package sessions

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/sketch"
	"github.com/limpet-dev/limpet/pkg/upstream"
)

// maxPods bounds the pods of a Report.
const maxPods = 10_000

// Query selects the pods of a Report. Empty fields select everything.
type Query struct {
	Pool string // namespace/service:port
	// Pod is the name of a pod, or its namespace and name: namespace/name.
	Pod string
}

// queryNames are the parameters of GET /sessions.
var queryNames = []string{"pool", "pod", "replicas"}

// ParseQuery parses the query of GET /sessions. all reports whether all replicas are counted.
func ParseQuery(text string) (q Query, all bool, err error) {
	values, err := url.ParseQuery(text)
	if err != nil {
		return q, false, fmt.Errorf("query: %w", err)
	}
	for name, given := range values {
		if !slices.Contains(queryNames, name) || len(given) > 1 {
			return q, false, fmt.Errorf("query parameter %q: each of %s is allowed once", name, strings.Join(queryNames, ", "))
		}
	}
	if values.Has("replicas") && values.Get("replicas") != "all" {
		return q, false, errors.New(`query parameter "replicas": must be all`)
	}
	return Query{Pool: values.Get("pool"), Pod: values.Get("pod")}, values.Has("replicas"), nil
}

// Encode returns the query for the same pods.
func (q Query) Encode() string {
	values := url.Values{}
	if q.Pool != "" {
		values.Set("pool", q.Pool)
	}
	if q.Pod != "" {
		values.Set("pod", q.Pod)
	}
	return values.Encode()
}

func (q Query) selectsPod(namespace string, e *upstream.Endpoint) bool {
	if q.Pod == "" {
		return true
	}
	if of, name, found := strings.Cut(q.Pod, "/"); found {
		return of == namespace && name == e.Pod
	}
	return q.Pod == e.Pod
}

// Counter counts the live sessions of this replica.
type Counter struct {
	Pools *upstream.Registry
	// Self names this replica.
	Self Replica
}

// Report counts the sessions of the selected pods in this replica.
func (c *Counter) Report(q Query, now time.Time) *Report {
	r := &Report{Time: now.UTC(), Replicas: []Replica{c.Self}, IdleAfterSeconds: sketch.IdleSeconds, Pools: []Pool{}}
	left := maxPods
	for _, pool := range c.Pools.Pools() {
		if q.Pool != "" && q.Pool != pool.Name {
			continue
		}
		pods := live(pool, q, now)
		if len(pods) > left {
			r.Truncated, pods = true, pods[:left]
		}
		left -= len(pods)
		if len(pods) > 0 {
			p := Pool{Pool: pool.Name, Pods: pods}
			p.complete()
			r.Pools = append(r.Pools, p)
		}
	}
	return r
}

// Live counts the sessions of the pods of a pool in this replica.
func Live(pool *upstream.Pool, now time.Time) []Pod {
	p := Pool{Pods: live(pool, Query{}, now)}
	p.complete()
	return p.Pods
}

func live(pool *upstream.Pool, q Query, now time.Time) (pods []Pod) {
	for _, e := range pool.Set().Endpoints() {
		if q.selectsPod(pool.ID.Namespace, e) {
			pods = append(pods, podOf(pool.ID.Namespace, e, now))
		}
	}
	return pods
}

func podOf(namespace string, e *upstream.Endpoint, now time.Time) Pod {
	p := Pod{
		Namespace: namespace, Pod: e.Pod, UID: uidOf(e), Address: e.Address, Draining: e.State == model.EndpointDraining,
		InFlight: e.InFlight(),
	}
	if l := e.Live(); l != nil {
		p.Streams = l.Streams()
		p.NewPerMinute, p.WindowSeconds = l.StartedPerMinute(now), l.Window()
		p.sets = sets{l.Served(), l.Active(now.Unix()), l.MovedAway()}
	}
	p.count()
	return p
}

// uidOf returns the UID of the pod, or "" if the endpoint is not a pod.
func uidOf(e *upstream.Endpoint) string {
	if e.Pod == "" {
		return ""
	}
	return e.ID
}
