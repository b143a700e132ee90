package translate

import (
	"slices"
	"strconv"
	"strings"
)

const nginxPrefix = "nginx.ingress.kubernetes.io/"

// effect is the effect of an annotation with a certain value in ingress-nginx.
type effect uint8

const (
	// effectOther is any effect that does not restrict access.
	effectOther effect = iota
	// effectNone is no effect, or what Limpet does anyway.
	effectNone
	// effectProtection restricts access.
	effectProtection
)

// Handling is how Limpet handles an annotation of ingress-nginx.
type Handling uint8

const (
	// Refused does not implement the annotation. It is reported by name, and closes the routes if it restricts access.
	Refused Handling = iota
	// Exact has the effect that it has in ingress-nginx.
	Exact
	// Differs has an effect that differs in a documented way.
	Differs
	// Replaced has no effect, because Limpet already does what it is for.
	Replaced
)

// verdict describes one annotation of ingress-nginx and how Limpet handles it.
type verdict struct {
	// name is the key without its prefix.
	name string
	// effect returns the effect of a value among the annotations of an Ingress. Nil means effectOther for all values.
	effect func(value string, annotations map[string]string) effect
	// handling is how this version serves the annotation. Unless it is refused, other code reads the annotation, reports its
	// problems, and closes routes.
	handling Handling
	// exact decides for which values the annotation is Exact, although handling is Differs or Refused. Without holds, no value is.
	exact exactRule
	// how completes the verdict: how the behaviour differs, or what replaces the annotation. It is a sentence without a period.
	how string
	// own is the equivalent limpet.dev annotation, without the prefix. Without one, it is empty.
	own string
	// isHostWide is true if ingress-nginx applies it to all paths of the hosts, including those of other Ingresses.
	isHostWide bool
	// when describes the values that restrict access, for the documentation.
	when string
}

// NginxAnnotation is a row of the table of verdicts, for the documentation.
type NginxAnnotation struct {
	// Name is the key without nginx.ingress.kubernetes.io/.
	Name string
	// Handling is how this version handles the annotation, and How completes it.
	Handling Handling
	How      string
	// Own is the equivalent limpet.dev annotation without its prefix, or "".
	Own string
	// ExactWhen describes the values for which the annotation is Exact, although Handling is Differs or Refused.
	ExactWhen string
	// Protective is true if the annotation restricts access for some values. When describes these values.
	Protective bool
	When       string
}

func (v *verdict) row() NginxAnnotation {
	return NginxAnnotation{
		Name: v.name, Handling: v.handling, How: v.how, Own: v.own, ExactWhen: v.exact.text, Protective: v.effect != nil, When: v.when,
	}
}

// Text describes how the annotation is handled, in Markdown.
func (a *NginxAnnotation) Text() string {
	switch {
	case a.Handling == Exact:
		return "exact"
	case a.Handling == Differs && a.ExactWhen != "":
		return "exact " + a.ExactWhen + "; otherwise **differs**: " + a.How
	case a.Handling == Differs:
		return "**differs**: " + a.How
	case a.Handling == Replaced:
		return "**replaced**: " + a.How
	case a.Protective:
		return "**closes the routes** " + a.When
	}
	text := "no effect"
	if a.ExactWhen != "" {
		text = "exact " + a.ExactWhen + "; otherwise " + text
	}
	if a.How != "" {
		text += ": " + a.How
	}
	return text
}

// NginxAnnotations returns all known annotations of ingress-nginx, sorted by name.
func NginxAnnotations() []NginxAnnotation {
	out := make([]NginxAnnotation, 0, len(nginxVerdicts))
	for i := range nginxVerdicts {
		v := &nginxVerdicts[i]
		out = append(out, v.row())
	}
	slices.SortFunc(out, func(x, y NginxAnnotation) int { return strings.Compare(x.Name, y.Name) })
	return out
}

var (
	nginxByName = indexVerdicts()
	nginxNames  = verdictNames()
)

func indexVerdicts() map[string]*verdict {
	out := make(map[string]*verdict, len(nginxVerdicts))
	for i := range nginxVerdicts {
		out[nginxVerdicts[i].name] = &nginxVerdicts[i]
	}
	return out
}

func verdictNames() []string {
	var names []string
	for i := range nginxVerdicts {
		names = append(names, nginxVerdicts[i].name)
	}
	return names
}

// isProtectiveNginx reports whether a known annotation restricts access for some values.
func isProtectiveNginx(name string) bool {
	v := nginxByName[name]
	return v != nil && v.effect != nil
}

// The functions below return the effect of a value. Values are trimmed before, as in ingress-nginx. An invalid value counts
// as protection.

// whenSet is for an annotation that restricts access unless it is empty.
func whenSet(value string, _ map[string]string) effect {
	if value == "" {
		return effectNone
	}
	return effectProtection
}

// unless returns a function for an annotation that has no effect if it is empty or has one of these values. Values are
// compared exactly: for another spelling ingress-nginx uses its default, which may be the opposite.
func unless(values ...string) func(string, map[string]string) effect {
	return func(value string, _ map[string]string) effect {
		if slices.Contains(values, value) {
			return effectNone
		}
		return whenSet(value, nil)
	}
}

// unlessFalse is for an annotation that ingress-nginx parses with strconv.ParseBool.
func unlessFalse(value string, _ map[string]string) effect {
	if on, err := strconv.ParseBool(value); err == nil && !on {
		return effectNone
	}
	return whenSet(value, nil)
}

// partOf returns a function for an annotation that only refines one of the others, which decide. If none of the others is
// set, it counts as protection, because its author may have misspelled one of them.
func partOf(others ...string) func(string, map[string]string) effect {
	return func(value string, annotations map[string]string) effect {
		for _, other := range others {
			if _, set := annotations[nginxPrefix+other]; set {
				return effectOther
			}
		}
		return whenSet(value, nil)
	}
}

// unlessVerifyOff is for auth-tls-secret and auth-tls-match-cn, which have no effect without verification.
func unlessVerifyOff(value string, annotations map[string]string) effect {
	if strings.TrimSpace(annotations[nginxPrefix+"auth-tls-verify-client"]) == "off" {
		return effectNone
	}
	return whenSet(value, nil)
}

// unlessAdmitsAll is for a list of allowed clients. ingress-nginx denies all clients if the list is empty or invalid.
func unlessAdmitsAll(value string, _ map[string]string) effect {
	if admitsEveryone(value) {
		return effectNone
	}
	return effectProtection
}

// always is for an annotation that restricts access with any value, including the empty one.
func always(string, map[string]string) effect { return effectProtection }

// snippetEffect is for a snippet of nginx configuration.
func snippetEffect(value string, _ map[string]string) effect {
	directives, err := parseSnippet(value)
	switch {
	case err != nil:
		return effectProtection
	case len(directives) == 0:
		return effectNone
	}
	for _, name := range directives {
		if !isHarmless(name) {
			return effectProtection
		}
	}
	return effectOther
}
