package upstream

import (
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/limpet-dev/limpet/pkg/model"
)

// maxDrainMarks bounds the pods that are marked at the same time.
const maxDrainMarks = 10_000

// errTooManyMarks is returned while too many pods are marked.
var errTooManyMarks = errors.New("upstream: too many pods are marked as draining")

// markedPod is a pod that is marked as draining.
type markedPod struct{ namespace, uid string }

// drainMarks are the pods that drain until a time, regardless of their EndpointSlices. It is safe for concurrent use.
type drainMarks struct {
	count atomic.Int64 // of ends, so that pools need no lock when there is no mark

	mu   sync.Mutex // locked after Pool.mu
	ends map[markedPod]time.Time
}

// set marks a pod, or marks it for longer.
func (m *drainMarks) set(pod markedPod, end time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, known := m.ends[pod]; !known && len(m.ends) >= maxDrainMarks {
		return errTooManyMarks
	}
	if m.ends == nil {
		m.ends = map[markedPod]time.Time{}
	}
	if end.After(m.ends[pod]) {
		m.ends[pod] = end
	}
	m.count.Store(int64(len(m.ends)))
	return nil
}

// expire removes the marks that have ended, and returns their pods.
func (m *drainMarks) expire(now time.Time) (ended []markedPod) {
	if m.count.Load() == 0 {
		return nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for pod, end := range m.ends {
		if !now.Before(end) {
			ended = append(ended, pod)
			delete(m.ends, pod)
		}
	}
	m.count.Store(int64(len(m.ends)))
	return ended
}

func (m *drainMarks) has(pod markedPod) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	_, marked := m.ends[pod]
	return marked
}

// MarkDraining drains a pod until end: it keeps its sessions and gets no new ones, as with the annotation. It takes effect
// immediately in all pools of the namespace. A later end replaces an earlier one. It returns an error if too many pods are
// marked.
func (r *Registry) MarkDraining(namespace, uid string, end time.Time) error {
	pod := markedPod{namespace, uid}
	if err := r.marks.set(pod, end); err != nil {
		return err
	}
	r.refreshMarked(pod)
	return nil
}

// expireMarks removes the marks that have ended.
func (r *Registry) expireMarks(now time.Time) {
	for _, pod := range r.marks.expire(now) {
		r.refreshMarked(pod)
	}
}

// refreshMarked applies the marks to the pools with a pod.
func (r *Registry) refreshMarked(pod markedPod) {
	for _, p := range r.Pools() {
		if p.ID.Namespace == pod.namespace {
			p.applyMark(pod)
		}
	}
}

// applyMark makes the state of a pod follow its mark.
func (p *Pool) applyMark(pod markedPod) {
	p.mu.Lock()
	defer p.mu.Unlock()
	endpoints := p.declared()
	if slices.ContainsFunc(endpoints, func(e model.Endpoint) bool { return e.ID == pod.uid && e.State != model.EndpointNotReady }) {
		p.replace(endpoints)
	}
}

// withMarks returns the endpoints with the state Draining where a ready pod is marked. It remembers these in p.marked, and
// forgets others. It does not modify endpoints. p.mu must be held.
func (p *Pool) withMarks(endpoints []model.Endpoint) []model.Endpoint {
	p.marked = nil
	if p.registry.marks.count.Load() == 0 {
		return endpoints
	}
	var out []model.Endpoint
	for i := range endpoints {
		if endpoints[i].State != model.EndpointReady || !p.registry.marks.has(markedPod{p.ID.Namespace, endpoints[i].ID}) {
			continue
		}
		if out == nil {
			out, p.marked = append(out, endpoints...), map[string]bool{}
		}
		out[i].State = model.EndpointDraining
		p.marked[endpoints[i].ID] = true
	}
	if out == nil {
		return endpoints
	}
	return out
}
