package observe

import (
	"slices"

	"github.com/limpet-dev/limpet/pkg/model"
)

// Detail selects by which objects traffic is counted and exported.
type Detail uint8

// The details, from the fewest series to the most.
const (
	// DetailController counts the traffic of all pools together.
	DetailController Detail = iota
	// DetailNamespace counts traffic by the namespace of the pool.
	DetailNamespace
	// DetailPool counts traffic by pool. The duration of requests is not counted by pool.
	DetailPool
	// DetailEndpoint counts everything by pool, and exports sessions and requests in flight of each endpoint, with or without
	// recent traffic.
	DetailEndpoint

	details
)

// DefaultDetail is the Detail of controllers that do not set one.
const DefaultDetail = DetailPool

var detailNames = [details]string{"controller", "namespace", "pool", "endpoint"}

// String returns one of DetailNames.
func (d Detail) String() string { return detailNames[d] }

// DetailNames returns the names of all Details.
func DetailNames() []string { return detailNames[:] }

// DetailOf returns the Detail with that name, or DefaultDetail for other names.
func DetailOf(name string) Detail {
	if i := slices.Index(detailNames[:], name); i >= 0 {
		return Detail(i)
	}
	return DefaultDetail
}

// label returns the names of the labels of series by pool: none, namespace or pool.
func (d Detail) label() []string {
	switch d {
	case DetailController:
		return nil
	case DetailNamespace:
		return []string{"namespace"}
	}
	return []string{"pool"}
}

// group returns the name of the group in which a pool is counted.
func (d Detail) group(id model.PoolID) string {
	switch d {
	case DetailController:
		return ""
	case DetailNamespace:
		return id.Namespace
	}
	return id.String()
}

// object returns how an object is named in a label: completely, by namespace, or not at all.
func (d Detail) object(namespace, full string) string {
	switch d {
	case DetailController:
		return ""
	case DetailNamespace:
		return namespace
	}
	return full
}

// hasOwnDuration reports whether each group has a histogram of its own.
func (d Detail) hasOwnDuration() bool { return d != DetailPool }

// exportsZeros reports whether counters are exported that have counted nothing.
func (d Detail) exportsZeros() bool { return d == DetailController || d == DetailEndpoint }
