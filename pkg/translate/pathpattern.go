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

// applyPatterns replaces the rules of objects on hosts whose paths are expressions.
func (b *builder) applyPatterns() {
	for i, d := range b.descriptions {
		var placed *description
		for j := range d.rules {
			rule := &d.rules[j]
			if rule.written == "" || len(rule.hosts) == 0 || !b.patternHosts[hostKey{d.namespace(), rule.hosts[0]}] {
				continue
			}
			if placed == nil {
				c := *d
				c.rules = slices.Clone(d.rules)
				placed = &c
				b.descriptions[i] = placed
			}
			placed.rules[j] = b.patternRule(d, rule)
		}
	}
}

// patternRule returns a rule with its path as an expression. An invalid expression of a protected object is closed, together
// with all paths that it may match. The data plane knows them by the literal start of the expression.
func (b *builder) patternRule(d *description, rule *ruleDescription) ruleDescription {
	out := *rule
	out.path, out.pathType, out.problem, out.looksLikePattern = rule.written, model.PathPattern, nil, false
	out.guards = nil // the pattern itself is closed if the object is
	problem := checkPattern(rule.written)
	if problem == "" && b.patterns[rule.hosts[0]] >= maxPatterns {
		problem = fmt.Sprintf("is one of more than %d patterns of its host", maxPatterns)
	}
	if problem == "" {
		b.patterns[rule.hosts[0]]++
		return out
	}
	outcome := "It is ignored"
	if d.isProtected && d.canary == nil {
		outcome = "Paths that it may match respond 503, because the " + d.ref.Kind + " restricts access"
		out.closed = "path " + quote(rule.written) + " is invalid"
	}
	invalid := problemOf(ReasonInvalidPath, rule.field, "path %s %s. %s", quote(rule.written), problem, outcome)
	out.problem = &invalid
	return out
}

// asPatterns returns the rules that the object has on hosts whose paths are expressions or are not: an invalid path may be a
// valid expression.
func (d *description) asPatterns() []ruleDescription {
	rules := slices.Clone(d.rules)
	for i := range rules {
		if rule := &rules[i]; rule.problem != nil && rule.written != "" {
			rule.path, rule.pathType, rule.problem = rule.written, model.PathPattern, nil
		}
	}
	return rules
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
