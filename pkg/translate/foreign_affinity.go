package translate

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/limpet-dev/limpet/pkg/model"
)

// What to use instead of a setting of another controller.
const (
	insteadCookie   = "limpet.dev/affinity: cookie on the Ingress"
	insteadSourceIP = "limpet.dev/affinity: source-ip on the Ingress"
	insteadHashed   = "an AffinityPolicy with binding Hashed"
)

// affinityWish is an annotation of another controller that requests session affinity.
type affinityWish struct {
	name string // after the prefix; "*" at its end matches any rest
	// values are parts of values that request affinity, in lower case. Empty means any value but "false", "none" and "".
	values  []string
	instead string
}

// cookieWishes are the annotations of controllers that follow the first ingress-nginx.
var cookieWishes = []affinityWish{
	{name: "affinity", instead: insteadCookie}, {name: "session-cookie-name", instead: insteadCookie},
}

var haproxyWishes = append(slices.Clone(cookieWishes),
	affinityWish{name: "balance-algorithm", values: []string{"source"}, instead: insteadSourceIP},
	affinityWish{name: "balance-algorithm", values: []string{"hdr", "uri", "url_param", "rdp-cookie"}, instead: insteadHashed})

// foreignAffinity lists the annotations of other controllers that request session affinity, by prefix.
var foreignAffinity = map[string][]affinityWish{
	"alb.ingress.kubernetes.io/": {
		{name: "target-group-attributes", values: []string{"stickiness.enabled=true"}, instead: insteadCookie},
		{name: "actions.*", values: []string{"stickinessconfig"}, instead: insteadCookie},
	},
	"appgw.ingress.kubernetes.io/": {{name: "cookie-based-affinity", instead: insteadCookie}},
	"haproxy-ingress.github.io/":   haproxyWishes,
	"haproxy.org/": {
		{name: "cookie-persistence*", instead: insteadCookie},
		{name: "load-balance", values: []string{"source"}, instead: insteadSourceIP},
		{name: "load-balance", values: []string{"hdr", "uri", "url_param", "rdp-cookie"}, instead: insteadHashed},
	},
	"haproxy.router.openshift.io/": {{name: "balance", values: []string{"source"}, instead: insteadSourceIP}},
	"higress.io/":                  cookieWishes,
	"ingress.appscode.com/":        {{name: "affinity", instead: insteadCookie}, {name: "sticky-session", instead: insteadCookie}},
	"ingress.kubernetes.io/":       haproxyWishes,
	"nginx.com/":                   {{name: "sticky-cookie-services", instead: insteadCookie}},
	"nginx.org/": {
		{name: "sticky-cookie-services", instead: insteadCookie},
		{name: "lb-method", values: []string{"ip_hash"}, instead: insteadSourceIP},
		{name: "lb-method", values: []string{"hash "}, instead: insteadHashed},
	},
	"router.openshift.io/": {{name: "cookie_name", instead: insteadCookie}},
	"traefik.ingress.kubernetes.io/": {
		{name: "affinity", instead: insteadCookie}, {name: "session-cookie-name", instead: insteadCookie},
		{name: "service.sticky*", instead: insteadCookie},
	},
	"traefik.io/":  {{name: "service.sticky*", instead: insteadCookie}},
	"zalando.org/": {{name: "skipper-loadbalancer", values: []string{"consistenthash"}, instead: insteadHashed}},
}

// wishOf returns what to use instead of an annotation that requests session affinity, or "".
func wishOf(key, value string) string {
	slash := strings.IndexByte(key, '/')
	name := key[slash+1:]
	for _, wish := range foreignAffinity[key[:slash+1]] {
		start, isStart := strings.CutSuffix(wish.name, "*")
		if (name == wish.name || isStart && strings.HasPrefix(name, start)) && wish.matches(value) {
			return wish.instead
		}
	}
	return ""
}

// matches reports whether a value requests affinity.
func (w *affinityWish) matches(value string) bool {
	value = strings.ToLower(strings.TrimSpace(value))
	if len(w.values) == 0 {
		return value != "" && value != "false" && value != "none"
	}
	return slices.ContainsFunc(w.values, func(part string) bool { return strings.Contains(value, part) })
}

// foreignWishes returns a problem for each annotation of another controller that requests session affinity.
func (r *annotationReader) foreignWishes() []Problem {
	var out []Problem
	for _, key := range slices.Sorted(maps.Keys(r.annotations)) {
		if instead := wishOf(key, r.annotations[key]); instead != "" {
			out = append(out, problemOf(ReasonForeignAffinity, annotationField(key),
				"annotation %s requests session affinity from another controller: Limpet does not read it, and the routes serve without "+
					"stickiness. Use %s, or an AffinityPolicy", quote(key), instead))
		}
	}
	return out
}

// reportWishes reports that an object or the Service of a backend requests affinity in a way that Limpet does not read. The
// backend has the affinity a, which may be nil.
func (b *builder) reportWishes(t *translation, backend *backendDescription, a *model.Affinity) {
	ref, key := b.refer(model.KindService, backend.namespace, backend.service)
	service := b.lookups.service(key)
	if service == nil {
		return
	}
	if a != nil || t.chosen.made {
		return
	}
	for _, p := range t.affinity.foreign {
		b.reports.addProblem(t.ref, p)
	}
	for _, key := range slices.Sorted(maps.Keys(service.Annotations)) {
		if instead := serviceWish(key, service.Annotations[key]); instead != "" {
			b.reportWish(t, backend, fmt.Sprintf("%s has the annotation %s", ref, quote(key)), instead)
		}
	}
	if service.Spec.SessionAffinity == corev1.ServiceAffinityClientIP {
		b.reportWish(t, backend, ref.String()+" has sessionAffinity: ClientIP, which is for connections to the Service's own address",
			insteadSourceIP)
	}
}

func (b *builder) reportWish(t *translation, backend *backendDescription, what, instead string) {
	b.reports.add(t.ref, ReasonForeignAffinity, backend.serviceField,
		"%s. Limpet does not read it, and the route serves without stickiness. Use %s, or an AffinityPolicy", what, instead)
}

// serviceWish is wishOf for an annotation of a Service. Those of ingress-nginx belong on the Ingress.
func serviceWish(key, value string) string {
	switch key {
	case "nginx.ingress.kubernetes.io/affinity":
		return insteadCookie
	case "nginx.ingress.kubernetes.io/upstream-hash-by":
		return insteadHashed
	}
	return wishOf(key, value)
}
