package translate

import "slices"

// Apps trust the header of a handoff, and connect to the address in it. So clients must not be able to send it. The pods behind
// a backend may also be pods of other Services, but only of the same namespace. Therefore the header of any policy is reserved
// for all backends in its namespace (docs/adr/0107).

// handoffIndex has the headers of the handoffs in each namespace.
type handoffIndex map[string]namespaceHandoffs

type namespaceHandoffs struct {
	used    counts[string]
	headers []string // sorted; replaced when it changes
}

// replace replaces one policy. Both may be nil. It reports whether the headers of the namespace have changed.
func (x handoffIndex) replace(namespace string, before, after *policy) (changed bool) {
	left, added := before.handoffHeader(), after.handoffHeader()
	if left == added {
		return false
	}
	n := x[namespace]
	if added != "" {
		n.used.add(added)
	}
	if left != "" {
		n.used.remove(left)
	}
	var headers []string
	for i := range n.used {
		headers = append(headers, n.used[i].key)
	}
	slices.Sort(headers)
	changed = !slices.Equal(headers, n.headers)
	if changed {
		n.headers = headers
	}
	if x[namespace] = n; len(headers) == 0 {
		delete(x, namespace)
	}
	return changed
}

// handoffHeader returns the header of the handoff of a policy, or "". p may be nil.
func (p *policy) handoffHeader() string {
	if p == nil || p.settings == nil || p.settings.Handoff == nil {
		return ""
	}
	return p.settings.Handoff.Header
}
