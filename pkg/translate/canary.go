package translate

import (
	"fmt"
	"net/textproto"
	"slices"
	"strconv"

	networkingv1 "k8s.io/api/networking/v1"

	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/pattern"
)

// The annotations by which an Ingress is the canary of another one: it brings a second backend to the routes of the
// Ingress that has the same hosts and paths. Meaning and defaults are those of ingress-nginx.
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

// maxCanaryTotal bounds what weights are parts of.
const maxCanaryTotal = 1_000_000

// canary is what the annotations of an Ingress ask for.
type canary struct {
	weight, total int32
	rule          model.Canary
	// split says whether sessions keep their side. Empty: the policy does.
	split string
}

// readCanary gives what the annotations ask for, nil for an Ingress that is no canary. One that does not say clearly
// whether it is one takes no route away from others, and gets no requests.
func (b *builder) readCanary(s *source) *canary {
	value, set := s.Annotations[annotationCanary]
	enabled, err := strconv.ParseBool(value)
	switch {
	case set && err != nil:
		b.wrongAnnotation(s, annotationCanary, `it must be "true" or "false". The Ingress is taken for a canary without requests`)
		return &canary{total: 100}
	case !enabled:
		b.checkNoCanary(s)
		return nil
	}
	c := &canary{total: 100}
	b.readWeights(s, c)
	b.readHeaderRule(s, &c.rule)
	if name, set := s.Annotations[annotationCanaryCookie]; set {
		c.rule.Cookie = name
		if !isToken(name) {
			c.rule.Cookie = ""
			b.wrongAnnotation(s, annotationCanaryCookie, fmt.Sprintf("it must be a token of at most %d bytes", maxName))
		}
	}
	c.split = b.readSplit(s)
	return c
}

func (b *builder) checkNoCanary(s *source) {
	for _, key := range canaryAnnotations[1:] {
		if _, set := s.Annotations[key]; set {
			b.reports.add(s.ref, ReasonInvalidAnnotation, annotationField(key),
				`annotation %s has no effect without %s: "true"`, key, annotationCanary)
		}
	}
}

// readWeights: ingress-nginx takes a total of less than 100 for 100.
func (b *builder) readWeights(s *source, c *canary) {
	c.total = max(b.readNumber(s, annotationCanaryTotal, 100), 100)
	c.weight = min(b.readNumber(s, annotationCanaryWeight, 0), c.total)
}

func (b *builder) readNumber(s *source, key string, fallback int32) int32 {
	value, set := s.Annotations[key]
	if !set {
		return fallback
	}
	n, err := strconv.ParseInt(value, 10, 32)
	if err != nil || n < 0 || n > maxCanaryTotal {
		b.wrongAnnotation(s, key, fmt.Sprintf("it must be a whole number from 0 to %d", maxCanaryTotal))
		return fallback
	}
	return int32(n)
}

// readHeaderRule: a header whose value or pattern is wrong is not asked at all, because "always" was not meant.
func (b *builder) readHeaderRule(s *source, rule *model.Canary) {
	value, text := s.Annotations[annotationCanaryValue], s.Annotations[annotationCanaryPattern]
	header, set := s.Annotations[annotationCanaryHeader]
	name := textproto.CanonicalMIMEHeaderKey(header)
	switch {
	case !set:
		b.needs(s, annotationCanaryValue, annotationCanaryHeader)
		b.needs(s, annotationCanaryPattern, annotationCanaryHeader)
	case !isToken(name) || slices.Contains(framingHeaders, name):
		b.wrongAnnotation(s, annotationCanaryHeader, "it must be the name of a header that does not frame or route the message")
	case value != "":
		if text != "" {
			b.reports.add(s.ref, ReasonInvalidAnnotation, annotationField(annotationCanaryPattern),
				"annotation %s has no effect beside %s", annotationCanaryPattern, annotationCanaryValue)
		}
		rule.Header, rule.Value = name, value
	case b.isPattern(s, annotationCanaryPattern):
		rule.Header, rule.Pattern = name, text
	}
}

// isPattern reports whether an annotation is a regular expression that can be used, and names the Problem if it is not.
// One that is not set is: it is empty.
func (b *builder) isPattern(s *source, key string) bool {
	_, err := pattern.Compile(s.Annotations[key])
	if err == nil {
		return true
	}
	b.wrongAnnotation(s, key, fmt.Sprintf("it must be a regular expression of at most %d bytes, in the syntax of RE2, "+
		"which knows no look-around and no back-references: %v",
		pattern.MaxText, err))
	return false
}

func (b *builder) needs(s *source, key, other string) {
	if _, set := s.Annotations[key]; set {
		b.reports.add(s.ref, ReasonInvalidAnnotation, annotationField(key),
			"annotation %s has no effect without %s", key, other)
	}
}

func (b *builder) readSplit(s *source) string {
	value := s.Annotations[annotationCanarySplit]
	if value == "" || value == "sticky" || value == "legacy" {
		return value
	}
	b.wrongAnnotation(s, annotationCanarySplit, "it must be sticky or legacy")
	return ""
}

func (b *builder) wrongAnnotation(s *source, key, must string) {
	b.reports.add(s.ref, ReasonInvalidAnnotation, annotationField(key),
		"annotation %s has the value %s; %s", key, quote(s.Annotations[key]), must)
}

// addCanary brings the backend of a canary to the route that it is the canary of. A closed one brings it nowhere.
func (b *builder) addCanary(s *source, key routeKey, backend *networkingv1.IngressBackend, field string) {
	if s.closed != "" {
		return
	}
	route := b.routes.find(key)
	if route == nil || route.Source.Namespace != s.Namespace || len(route.Backends) == 0 {
		b.reports.add(s.ref, ReasonCanaryAlone, field,
			"host %s, path %s, %s has no backend of another Ingress in namespace %s that this one could be the canary of. "+
				"It is left out", quote(key.host), quote(key.path), key.kind, s.Namespace)
		return
	}
	if b.asksOtherClients(s, route) {
		b.reports.add(s.ref, ReasonCanaryAlone, field,
			"host %s, path %s, %s of %s does not ask clients for the certificates that this canary asks for. It is left out",
			quote(key.host), quote(key.path), key.kind, route.Source)
		return
	}
	if first, taken := b.canaries[key]; taken {
		b.reports.add(s.ref, ReasonRouteConflict, field,
			"host %s, path %s, %s has a canary already: %s, which is older or names it first. This one is left out",
			quote(key.host), quote(key.path), key.kind, first)
		return
	}
	b.canaries[key] = s.ref
	s.primary = route.Backends[0].Affinity
	if second := b.resolve(s, backend, field); second != nil {
		b.splitRoute(route, second, s.canary)
	}
}

func (b *builder) splitRoute(route *model.Route, second *model.Backend, c *canary) {
	first := &route.Backends[0]
	first.Weight, second.Weight = c.total-c.weight, c.weight
	for _, backend := range []*model.Backend{first, second} {
		if backend.Affinity != nil {
			backend.Affinity.StickySplit = b.keepsSides(backend.Affinity, c)
		}
	}
	route.Backends = append(route.Backends, *second)
	if c.rule != (model.Canary{}) {
		route.Canary = &c.rule
	}
}

// keepsSides is what the annotation of the canary says, else the policy, else, where there is none, what ingress-nginx
// does by default.
func (b *builder) keepsSides(a *model.Affinity, c *canary) bool {
	if c.split == "" && b.policies.uses[a].policy != nil {
		return a.StickySplit
	}
	return c.split != "legacy"
}
