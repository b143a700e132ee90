package store

// quotas divide the slots of a shard among policies. While slots are free, a policy may use all of them. When the
// shard is full, a new session evicts one of the policy that has the most. So a policy with fewer sessions than its
// equal share never loses one to another policy.
type quotas struct {
	byPolicy map[uint64]int32
	list     []quota
	unused   []int32 // indexes of list
}

// quota are the sessions of one policy in a shard.
type quota struct {
	policy uint64
	count  int32
	hand   int32 // next slot checked by eviction (CLOCK algorithm); valid if count is positive
}

// of returns the quota of a policy, and creates it if it is missing.
func (q *quotas) of(policy uint64) int32 {
	if i, ok := q.byPolicy[policy]; ok {
		return i
	}
	i := int32(len(q.list))
	if n := len(q.unused); n > 0 {
		i, q.unused = q.unused[n-1], q.unused[:n-1]
	} else {
		q.list = append(q.list, quota{})
	}
	q.list[i] = quota{policy: policy}
	q.byPolicy[policy] = i
	return i
}

// free removes a quota without sessions.
func (q *quotas) free(i int32) {
	delete(q.byPolicy, q.list[i].policy)
	q.list[i] = quota{}
	q.unused = append(q.unused, i)
}

// largest returns the quota with the most sessions. If several have as many, it prefers the given one.
func (q *quotas) largest(preferred int32) int32 {
	for i := range q.list {
		if q.list[i].count > q.list[preferred].count {
			preferred = int32(i)
		}
	}
	return preferred
}
