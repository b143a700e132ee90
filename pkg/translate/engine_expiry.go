package translate

import (
	"container/heap"
	"time"
)

// expiry is the time at which a group must be translated again.
type expiry struct {
	at    time.Time
	index int // in the queue; -1 if the group is not in it
}

// expiryQueue has the groups that must be translated again at some time. It implements heap.Interface.
type expiryQueue []*group

func (q expiryQueue) Len() int           { return len(q) }
func (q expiryQueue) Less(i, j int) bool { return q[i].expiry.at.Before(q[j].expiry.at) }
func (q expiryQueue) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].expiry.index, q[j].expiry.index = i, j
}

// Push implements heap.Interface.
func (q *expiryQueue) Push(x any) {
	g, _ := x.(*group)
	g.expiry.index = len(*q)
	*q = append(*q, g)
}

// Pop implements heap.Interface.
func (q *expiryQueue) Pop() any {
	last := len(*q) - 1
	g := (*q)[last]
	(*q)[last] = nil
	*q = (*q)[:last]
	g.expiry.index = -1
	return g
}

// set sets the time of a group. Zero removes the group from the queue.
func (q *expiryQueue) set(g *group, at time.Time) {
	g.expiry.at = at
	switch {
	case at.IsZero() && g.expiry.index >= 0:
		heap.Remove(q, g.expiry.index)
	case at.IsZero():
	case g.expiry.index >= 0:
		heap.Fix(q, g.expiry.index)
	default:
		heap.Push(q, g)
	}
}

// next returns the earliest time, zero if the queue is empty.
func (q *expiryQueue) next() time.Time {
	if len(*q) == 0 {
		return time.Time{}
	}
	return (*q)[0].expiry.at
}

// expire marks the groups whose time is not in the future.
func (e *Engine) expire() {
	for len(e.expiring) > 0 && !e.expiring.next().After(e.now) {
		g := e.expiring[0]
		e.expiring.set(g, time.Time{})
		e.step.dirty[g] = struct{}{}
	}
}
