package sessions

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/limpet-dev/limpet/pkg/sketch"
)

// pack encodes the sets of all pods, for another replica.
func (r *Report) pack() error {
	for i := range r.Pools {
		for j := range r.Pools[i].Pods {
			if err := r.Pools[i].Pods[j].pack(); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p *Pod) pack() error {
	for _, set := range []struct {
		from *sketch.Set
		to   *[]byte
	}{{p.sets.served, &p.Served}, {p.sets.active, &p.Active}, {p.sets.departed, &p.Departed}} {
		if set.from == nil || set.from.Count() == 0 {
			continue
		}
		var err error
		if *set.to, err = set.from.MarshalBinary(); err != nil {
			return fmt.Errorf("sessions: pod %s/%s: %w", p.Namespace, p.Pod, err)
		}
	}
	return nil
}

// unpack decodes the sets of all pods, and drops their encoded form.
func (r *Report) unpack() error {
	for i := range r.Pools {
		for j := range r.Pools[i].Pods {
			if err := r.Pools[i].Pods[j].unpack(); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p *Pod) unpack() error {
	for _, set := range []struct {
		from *[]byte
		to   **sketch.Set
	}{{&p.Served, &p.sets.served}, {&p.Active, &p.sets.active}, {&p.Departed, &p.sets.departed}} {
		if len(*set.from) == 0 {
			continue
		}
		*set.to = &sketch.Set{}
		if err := (*set.to).UnmarshalBinary(*set.from); err != nil {
			return fmt.Errorf("sessions: pod %s/%s: %w", p.Namespace, p.Pod, err)
		}
		*set.from = nil
	}
	return nil
}

// podKey identifies an endpoint of a pool in all replicas.
type podKey struct{ pool, uid, pod, address string }

// merge returns the sum of reports. A session that several replicas have seen counts once.
func merge(reports []*Report) *Report {
	sum := &Report{Time: reports[0].Time, IdleAfterSeconds: reports[0].IdleAfterSeconds, Pools: []Pool{}}
	pods := map[podKey]*Pod{}
	for _, r := range reports {
		sum.Replicas = append(sum.Replicas, r.Replicas...)
		sum.Truncated = sum.Truncated || r.Truncated
		for i := range r.Pools {
			for _, p := range r.Pools[i].Pods {
				key := podKey{r.Pools[i].Pool, p.UID, p.Pod, p.Address}
				if pods[key] == nil {
					pods[key] = &Pod{Namespace: p.Namespace, Pod: p.Pod, UID: p.UID, Address: p.Address}
				}
				pods[key].add(&p)
			}
		}
	}
	pools := map[string]*Pool{}
	for key, p := range pods {
		p.count()
		if pools[key.pool] == nil {
			pools[key.pool] = &Pool{Pool: key.pool}
		}
		pools[key.pool].Pods = append(pools[key.pool].Pods, *p)
	}
	for _, name := range slices.SortedFunc(maps.Keys(pools), cmp.Compare[string]) {
		pools[name].complete()
		sum.Pools = append(sum.Pools, *pools[name])
	}
	return sum
}

// add adds the numbers and sets of other, the same pod in another replica.
func (p *Pod) add(other *Pod) {
	p.Draining = p.Draining || other.Draining
	p.Incomplete = p.Incomplete || other.Incomplete
	p.InFlight += other.InFlight
	p.Streams += other.Streams
	p.NewPerMinute += other.NewPerMinute
	p.WindowSeconds = max(p.WindowSeconds, other.WindowSeconds)
	p.sets.served = union(p.sets.served, other.sets.served)
	p.sets.active = union(p.sets.active, other.sets.active)
	p.sets.departed = union(p.sets.departed, other.sets.departed)
}

// union adds the values of b to a, which may be nil. It does not change b.
func union(a, b *sketch.Set) *sketch.Set {
	if b == nil {
		return a
	}
	a = orEmpty(a)
	a.Merge(b)
	return a
}
