package explain

import (
	"fmt"
	"slices"
	"strings"

	"github.com/limpet-dev/limpet/pkg/model"
)

// maxNearest bounds NoRoute.Nearest.
const maxNearest = 8

// nearest returns why no route matches a host and a path. Routes are sorted by host.
func nearest(routes []model.Route, host, path string) *NoRoute {
	var hosts, paths []string
	for i := range routes {
		r := &routes[i]
		if len(hosts) == 0 || hosts[len(hosts)-1] != r.Host {
			hosts = append(hosts, r.Host)
		}
		if covers(r.Host, host) {
			paths = append(paths, displayHost(r.Host)+r.Path)
		}
	}
	if len(paths) > 0 {
		return &NoRoute{fmt.Sprintf("host %q has no route for path %q", host, path), closest(paths, displayHost(host)+path)}
	}
	return &NoRoute{fmt.Sprintf("no route has host %q", host), closest(hosts, host)}
}

// covers reports whether routes of host pattern receive requests for a host.
func covers(pattern, host string) bool {
	if parent, wildcard := strings.CutPrefix(pattern, "*"); wildcard {
		label, found := strings.CutSuffix(host, parent)
		return found && label != "" && !strings.Contains(label, ".")
	}
	return pattern == host || pattern == ""
}

func displayHost(host string) string {
	if host == "" {
		return "*"
	}
	return host
}

// closest returns the names that share most of their beginning or end with a name, in order of this length.
func closest(names []string, name string) []string {
	names = slices.Clone(names)
	slices.SortStableFunc(names, func(a, b string) int { return shared(b, name) - shared(a, name) })
	return slices.Compact(names[:min(len(names), maxNearest)])
}

// shared returns the length of the common prefix and suffix of two names.
func shared(a, b string) int {
	n := min(len(a), len(b))
	prefix, suffix := 0, 0
	for prefix < n && a[prefix] == b[prefix] {
		prefix++
	}
	for suffix < n-prefix && a[len(a)-1-suffix] == b[len(b)-1-suffix] {
		suffix++
	}
	return prefix + suffix
}
