package translate

import (
	"fmt"
	"net/textproto"
	"slices"
	"strconv"

	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/pattern"
)

// The annotations that make an Ingress a canary: it adds a second backend to the routes of the Ingress with the same hosts
// and paths. They have the meaning and defaults of ingress-nginx.
const (
	annotationCanary        = nginxPrefix + "canary"
	annotationCanaryWeight  = nginxPrefix + "canary-weight"
	annotationCanaryTotal   = nginxPrefix + "canary-weight-total"
	annotationCanaryHeader  = nginxPrefix + "canary-by-header"
	annotationCanaryValue   = nginxPrefix + "canary-by-header-value"
	annotationCanaryPattern = nginxPrefix + "canary-by-header-pattern"
	annotationCanaryCookie  = nginxPrefix + "canary-by-cookie"
	annotationCanarySplit   = nginxPrefix + "affinity-canary-behavior"
)

var canaryAnnotations = []string{
	annotationCanary, annotationCanaryWeight, annotationCanaryTotal, annotationCanaryHeader, annotationCanaryValue,
	annotationCanaryPattern, annotationCanaryCookie, annotationCanarySplit,
}

// maxCanaryTotal bounds the total of weights.
const maxCanaryTotal = 1_000_000

// canary holds the canary settings of an Ingress.
type canary struct {
	weight, total int32
	rule          model.Canary
	// split is "sticky" or "legacy": whether sessions keep their side. Empty means that the policy decides.
	split string
}

// readCanary returns the canary settings, nil for an Ingress that is not a canary. An Ingress with an invalid annotation
// canary is treated as a canary without requests, so that it takes no route from another Ingress.
func (r *annotationReader) readCanary() *canary {
	value, set := r.annotations[annotationCanary]
	enabled, err := strconv.ParseBool(value)
	switch {
	case set && err != nil:
		r.invalid(annotationCanary, `annotation %s has the value %s; it must be "true" or "false". The Ingress gets no requests`,
			annotationCanary, quote(value))
		return &canary{total: 100}
	case !enabled:
		r.checkNoCanary()
		return nil
	}
	c := &canary{total: 100}
	r.readWeights(c)
	r.readHeaderRule(&c.rule)
	if name, set := r.annotations[annotationCanaryCookie]; set {
		c.rule.Cookie = name
		if !isToken(name) {
			c.rule.Cookie = ""
			r.invalidValue(annotationCanaryCookie, fmt.Sprintf("it must be a token of at most %d bytes", maxName))
		}
	}
	c.split = r.readSplit()
	return c
}

// isCanary reports whether readCanary returns a canary. That includes an invalid value.
func isCanary(annotations map[string]string) bool {
	value, set := annotations[annotationCanary]
	enabled, err := strconv.ParseBool(value)
	return set && (enabled || err != nil)
}

func (r *annotationReader) checkNoCanary() {
	for _, key := range canaryAnnotations[1:] {
		if _, set := r.annotations[key]; set {
			r.invalid(key, `annotation %s has no effect without %s: "true"`, key, annotationCanary)
		}
	}
}

// readWeights reads the weight and the total. As in ingress-nginx, the total is at least 100.
func (r *annotationReader) readWeights(c *canary) {
	c.total = max(r.readNumber(annotationCanaryTotal, 100), 100)
	c.weight = min(r.readNumber(annotationCanaryWeight, 0), c.total)
}

func (r *annotationReader) readNumber(key string, fallback int32) int32 {
	value, set := r.annotations[key]
	if !set {
		return fallback
	}
	n, err := strconv.ParseInt(value, 10, 32)
	if err != nil || n < 0 || n > maxCanaryTotal {
		r.invalidValue(key, fmt.Sprintf("it must be a whole number from 0 to %d", maxCanaryTotal))
		return fallback
	}
	return int32(n)
}

// readHeaderRule reads the header rule. A header with an invalid value or pattern is ignored, so that "always" does not match.
func (r *annotationReader) readHeaderRule(rule *model.Canary) {
	value, text := r.annotations[annotationCanaryValue], r.annotations[annotationCanaryPattern]
	header, set := r.annotations[annotationCanaryHeader]
	name := textproto.CanonicalMIMEHeaderKey(header)
	switch {
	case !set:
		r.needs(annotationCanaryValue, annotationCanaryHeader)
		r.needs(annotationCanaryPattern, annotationCanaryHeader)
	case !isToken(name) || slices.Contains(framingHeaders, name):
		r.invalidValue(annotationCanaryHeader, "it must be the name of a header that does not frame or route the message")
	case value != "":
		if text != "" {
			r.invalid(annotationCanaryPattern,
				"annotation %s is ignored, because %s takes precedence", annotationCanaryPattern, annotationCanaryValue)
		}
		rule.Header, rule.Value = name, value
	case r.isPattern(annotationCanaryPattern):
		rule.Header, rule.Pattern = name, text
	}
}

// isPattern reports whether an annotation is a valid regular expression. It reports a Problem if it is not. A missing
// annotation is valid, as the empty pattern.
func (r *annotationReader) isPattern(key string) bool {
	_, err := pattern.Compile(r.annotations[key])
	if err == nil {
		return true
	}
	r.invalidValue(key, fmt.Sprintf("it must be a regular expression of at most %d bytes, in the syntax of RE2, "+
		"which has no look-around and no back-references: %v",
		pattern.MaxText, err))
	return false
}

func (r *annotationReader) needs(key, other string) {
	if _, set := r.annotations[key]; set {
		r.invalid(key, "annotation %s has no effect without %s", key, other)
	}
}

func (r *annotationReader) readSplit() string {
	value := r.annotations[annotationCanarySplit]
	if value == "" || value == "sticky" || value == "legacy" {
		return value
	}
	r.invalidValue(annotationCanarySplit, "it must be sticky or legacy")
	return ""
}

// addCanary adds the backend of a canary to the route with the same key. A closed canary adds no backend.
func (b *builder) addCanary(t *translation, rule *ruleDescription, key routeKey) {
	if t.closed != "" || len(rule.backends) == 0 {
		return
	}
	backend := &rule.backends[0]
	field := backend.field
	route := b.routes.find(key)
	if route == nil || route.Source.Kind != t.ref.Kind || route.Source.Namespace != t.namespace() || len(route.Backends) == 0 {
		b.reports.add(t.ref, ReasonCanaryAlone, field,
			"no other %s of namespace %s has a backend for %s, which a canary needs. The canary gets no requests for that path",
			t.ref.Kind, t.namespace(), key)
		return
	}
	if b.requiresOtherClients(t.description, route) {
		b.reports.add(t.ref, ReasonProtectionNotEnforced, field,
			"%s serves %s without the client certificates that this canary requires. The canary gets no requests for that path",
			route.Source, key)
		return
	}
	if b.lacksProtection(t.description, route) || b.lacksConfig(t.description, route) {
		return
	}
	if first, taken := b.canaries[key]; taken {
		b.reports.add(t.ref, ReasonRouteConflict, field,
			"%s already has a canary for %s, because %s. This canary gets no requests for that path", first, key, t.ranksBelow())
		return
	}
	b.canaries[key] = t.ref
	t.primary = route.Backends[0].Affinity
	if second := b.resolve(t, backend); second != nil {
		setCookiePath(second, rule.path)
		b.splitRoute(route, second, t.canary)
	}
}

func (b *builder) splitRoute(route *model.Route, second *model.Backend, c *canary) {
	first := &route.Backends[0]
	first.Weight, second.Weight = c.total-c.weight, c.weight
	for _, backend := range []*model.Backend{first, second} {
		if backend.Affinity != nil {
			backend.Affinity.StickySplit = b.isStickySplit(backend.Affinity, c)
		}
	}
	route.Backends = append(route.Backends, *second)
	if c.rule != (model.Canary{}) {
		route.Canary = &c.rule
	}
}

// isStickySplit reports whether sessions keep their side of the split. The annotation of the canary decides, otherwise the
// policy, otherwise the default of ingress-nginx.
func (b *builder) isStickySplit(a *model.Affinity, c *canary) bool {
	if c.split == "" && b.uses.by[a].policy != nil {
		return a.StickySplit
	}
	return c.split != "legacy"
}
