package translate

import (
	"fmt"
	"slices"
	"strings"

	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/pattern"
)

// maxPatterns bounds the patterns of one host, which are tried in order.
const maxPatterns = 256

// findPatternHosts records the hosts for which the paths of a namespace are regular expressions. As in ingress-nginx, one
// Ingress with use-regex, or with rewrite-target for another path, makes all paths of the host expressions. Ingresses of other
// namespaces do not count, so that they cannot change the routes of this one.
func (b *builder) findPatternHosts() {
	for _, d := range b.descriptions {
		for i := range d.rules {
			rule := &d.rules[i]
			if d.canary != nil || !d.paths.usesPatterns && !d.rewrites(rule) {
				continue
			}
			for _, host := range rule.hosts {
				b.patternHosts[hostKey{d.namespace(), host}] = true
			}
		}
	}
}

// rewrites reports whether the paths of requests for a rule are rewritten.
func (d *description) rewrites(rule *ruleDescription) bool {
	return rule.written != "" && d.paths.rewrite != "" && d.paths.rewrite != rule.written
}

// effectiveRule returns the rule as it applies to its hosts: with its path as an expression if the host has such paths. An
// invalid expression of a protected object is closed, together with all paths that it may match. The data plane knows them by
// the literal start of the expression.
func (b *builder) effectiveRule(t *translation, rule *ruleDescription) (*translation, *ruleDescription) {
	if rule.written == "" || len(rule.hosts) == 0 || !b.patternHosts[hostKey{t.namespace(), rule.hosts[0]}] {
		if rule.problem == nil && rule.looksLikePattern {
			b.reports.add(t.ref, ReasonLiteralPath, rule.field+".path",
				"path %s looks like a pattern, but Limpet compares it as it is written. Set annotation %s, or use pathType Prefix "+
					"with a path such as %s", quote(rule.path), AnnotationPathRegex, quote(literalPart(rule.path)))
		}
		return t, rule
	}
	out := *rule
	out.path, out.pathType, out.problem = rule.written, model.PathPattern, nil
	problem := checkPattern(rule.written)
	if problem == "" && b.patterns[rule.hosts[0]] >= maxPatterns {
		problem = fmt.Sprintf("is one of more than %d patterns of its host", maxPatterns)
	}
	out.guards = nil // the pattern itself is closed if the object is
	switch {
	case problem == "":
		b.patterns[rule.hosts[0]]++
	case t.isProtected && t.canary == nil:
		b.reports.add(t.ref, ReasonInvalidPath, rule.field,
			"path %s %s. Paths that it may match respond 503, because the %s restricts access", quote(rule.written), problem, t.ref.Kind)
		return t.closedBy("path " + quote(rule.written) + " is invalid"), &out
	default:
		invalid := problemOf(ReasonInvalidPath, rule.field, "path %s %s. It is ignored", quote(rule.written), problem)
		out.problem = &invalid
	}
	return t, &out
}

// checkPattern returns the problem of a path that is a regular expression, or "".
func checkPattern(path string) string {
	if len(path) == 0 || path[0] != '/' && path[0] != '(' && path[0] != '^' {
		return `must start with "/"`
	}
	if _, err := pattern.CompilePath(path); err != nil {
		return "must be a regular expression in the syntax of RE2: " + err.Error()
	}
	return ""
}

// requestsProtection reports whether an annotation restricts access, regardless of whether this version enforces it.
func requestsProtection(annotations map[string]string) bool {
	for key, text := range annotations {
		if name, ok := strings.CutPrefix(key, annotationPrefix); ok && slices.Contains(protectiveOwn, name) {
			return true
		}
		name, ok := strings.CutPrefix(key, nginxPrefix)
		if v := nginxByName[name]; ok && v != nil && v.effect != nil && v.effect(strings.TrimSpace(text), annotations) != effectNone {
			return true
		}
	}
	return false
}
