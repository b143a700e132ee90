package translate

import (
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/variable"
)

// destination is where Limpet sends a request of its own, as the host of a URL names it.
type destination struct {
	key string // the annotation, or "" if the URL is not in one
	// namespace and service are the Service that the host names. Empty if it names none.
	namespace, service string
	port               int32
	// mayBeName is true if the host may also be a DNS name, because it has only the two labels service.namespace. It names the
	// Service if that exists.
	mayBeName bool
	// name is the host as a DNS name or address. Empty if it can only name a Service, or is taken from the request.
	name string
	// isRequested is true if the host is taken from the request.
	isRequested bool
}

// parseDestination parses a URL that may have variables. problem is the end of a sentence about the URL.
func parseDestination(v value) (d destination, problem string) {
	if _, err := variable.Parse(v.text); err != nil {
		return d, err.Error()
	}
	scheme, rest, _ := strings.Cut(v.text, "://")
	d.key, d.port = v.key, 80
	switch scheme {
	case "https":
		d.port = 443
	case "http":
	default:
		return d, "must start with http:// or https://"
	}
	authority := rest[:authorityEnd(rest)]
	if strings.ContainsAny(rest, "#\\ \"<>") || strings.ContainsFunc(rest, isControl) {
		return d, "has a byte that a URL of a request cannot have"
	}
	if strings.Contains(authority, "$") {
		d.isRequested = isRequestedHost(authority)
		if !d.isRequested {
			return d, "has a variable in its host; only $host, $http_host and $best_http_host can be the host"
		}
		return d, ""
	}
	return d, d.setHost(scheme + "://" + authority)
}

func isControl(r rune) bool { return r < ' ' || r >= 0x7f }

// authorityEnd returns the length of the authority at the start of text. A variable whose value starts with a slash ends it.
func authorityEnd(text string) int {
	end := len(text)
	for _, mark := range []string{"/", "?", "$request_uri", "${request_uri}", "$uri", "${uri}"} {
		if at := strings.Index(text, mark); at >= 0 {
			end = min(end, at)
		}
	}
	return end
}

// isRequestedHost reports whether an authority is the host of the request, with a port for $host only.
func isRequestedHost(authority string) bool {
	name, port, hasPort := strings.Cut(strings.NewReplacer("{", "", "}", "").Replace(authority), ":")
	switch name {
	case "$host":
		return !hasPort || isPort(port)
	case "$http_host", "$best_http_host":
		return !hasPort
	}
	return false
}

func isPort(text string) bool {
	n, err := strconv.ParseUint(text, 10, 16)
	return err == nil && n > 0
}

// setHost sets what the host and port of a URL without variables name.
func (d *destination) setHost(text string) (problem string) {
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" || u.User != nil {
		return "has no valid host"
	}
	if port := u.Port(); port != "" || strings.HasSuffix(u.Host, ":") {
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil || n == 0 {
			return "has no valid port"
		}
		d.port = int32(n)
	}
	host := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	if addr, err := netip.ParseAddr(host); err == nil {
		if addr = addr.Unmap(); !addr.IsGlobalUnicast() {
			return "has an address of this machine or of its link"
		}
		d.name = host
		return ""
	}
	return d.setName(host)
}

func (d *destination) setName(host string) (problem string) {
	labels := strings.Split(host, ".")
	isService := len(labels) >= 3 && labels[2] == "svc"
	switch {
	case isService:
		d.service, d.namespace = labels[0], labels[1]
		return ""
	case len(labels) == 1 && host != "localhost":
		return "has a host with one label; write service.namespace.svc"
	case len(labels) == 2:
		d.service, d.namespace, d.mayBeName = labels[0], labels[1], true
	}
	d.name, problem = externalName(host)
	if problem != "" {
		return "has a host that " + problem
	}
	return ""
}

// resolvedDestination is a destination with what its Service provides.
type resolvedDestination struct {
	pool *model.PoolID // nil if the host is resolved by DNS
	// problem is the reason why there is no destination. It was reported.
	problem string
}

// field returns the field with the URL, or "" if it is not one of the object.
func (d *destination) field() string {
	if d.key == "" {
		return ""
	}
	return annotationField(d.key)
}

// resolveDestination finds the Service of a destination. outcome describes how requests are handled without it.
func (b *builder) resolveDestination(d *description, to *destination, outcome string) resolvedDestination {
	if to.service == "" {
		return resolvedDestination{}
	}
	if to.mayBeName {
		_, key := b.refer(model.KindService, to.namespace, to.service)
		if b.lookups.service(key) == nil {
			return resolvedDestination{}
		}
	}
	backend := backendDescription{
		serviceField: to.field(), namespace: to.namespace, service: to.service,
		port: portDescription{number: to.port}, isAnnotation: true, outcome: outcome,
	}
	pool, ok := b.pool(d, &backend)
	if !ok {
		return resolvedDestination{problem: "the Service or its port does not exist"}
	}
	b.pools[pool.ID] = pool
	return resolvedDestination{pool: &pool.ID}
}
