package translate

import (
	"slices"
	"strconv"
	"strings"
)

const nginxPrefix = "nginx.ingress.kubernetes.io/"

// demand is what an annotation with a certain value asks for.
type demand uint8

const (
	// asksOther is for something that restricts nobody.
	asksOther demand = iota
	// asksNothing is for what Limpet does anyway.
	asksNothing
	// asksProtection is for something that restricts access.
	asksProtection
)

// verdict is what Limpet makes of one annotation of ingress-nginx.
type verdict struct {
	// name is the key without its prefix.
	name string
	// asks tells what the value asks for, among the annotations of an Ingress. Nil: asksOther, whatever the value.
	asks func(value string, annotations map[string]string) demand
	// isHonoured says that this version implements the annotation: it is never reported here, and closes nothing.
	isHonoured bool
	// isHostWide says that ingress-nginx applies it to all paths of the hosts, also to those of other Ingresses.
	isHostWide bool
	// when says for the documentation which values ask for protection.
	when string
}

// NginxAnnotation is a row of the table of verdicts, for the documentation.
type NginxAnnotation struct {
	// Name is the key without nginx.ingress.kubernetes.io/.
	Name string
	// Honoured says that this version implements it.
	Honoured bool
	// Protective says that it restricts access for some values: When says which.
	Protective bool
	When       string
}

// NginxAnnotations returns all known annotations of ingress-nginx, sorted by name.
func NginxAnnotations() []NginxAnnotation {
	out := make([]NginxAnnotation, 0, len(nginxVerdicts))
	for i := range nginxVerdicts {
		v := &nginxVerdicts[i]
		out = append(out, NginxAnnotation{Name: v.name, Honoured: v.isHonoured, Protective: v.asks != nil, When: v.when})
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
	return v != nil && v.asks != nil
}

// The functions below tell what a value asks for. Values are trimmed first, as ingress-nginx does. A value that is not
// understood asks for protection.

// whenSet: ingress-nginx ignores the annotation if it is empty.
func whenSet(value string, _ map[string]string) demand {
	if value == "" {
		return asksNothing
	}
	return asksProtection
}

// unless returns a function for an annotation that asks for nothing with one of these values, or none. They are compared
// exactly: ingress-nginx takes another spelling for its default, which may be the opposite.
func unless(values ...string) func(string, map[string]string) demand {
	return func(value string, _ map[string]string) demand {
		if slices.Contains(values, value) {
			return asksNothing
		}
		return whenSet(value, nil)
	}
}

// unlessFalse is for an annotation that ingress-nginx reads by strconv.ParseBool.
func unlessFalse(value string, _ map[string]string) demand {
	if on, err := strconv.ParseBool(value); err == nil && !on {
		return asksNothing
	}
	return whenSet(value, nil)
}

// partOf returns a function for a detail of another annotation, which decides. A detail without any of the others asks
// for a protection that its author left out or misspelled.
func partOf(others ...string) func(string, map[string]string) demand {
	return func(value string, annotations map[string]string) demand {
		for _, other := range others {
			if _, set := annotations[nginxPrefix+other]; set {
				return asksOther
			}
		}
		return whenSet(value, nil)
	}
}

// unlessVerifyOff is for auth-tls-secret and auth-tls-match-cn: without verification they ask for nothing.
func unlessVerifyOff(value string, annotations map[string]string) demand {
	if strings.TrimSpace(annotations[nginxPrefix+"auth-tls-verify-client"]) == "off" {
		return asksNothing
	}
	return whenSet(value, nil)
}

// unlessAdmitsAll is for a list of the clients that are let in. ingress-nginx denies everyone if the list is empty or no
// list of networks.
func unlessAdmitsAll(value string, _ map[string]string) demand {
	if admitsEveryone(value) {
		return asksNothing
	}
	return asksProtection
}

// always is for an annotation whose every value asks for protection, the empty one too.
func always(string, map[string]string) demand { return asksProtection }

// snippetAsks is for configuration of nginx.
func snippetAsks(value string, _ map[string]string) demand {
	directives, err := parseSnippet(value)
	switch {
	case err != nil:
		return asksProtection
	case len(directives) == 0:
		return asksNothing
	}
	for _, name := range directives {
		if !isHarmless(name) {
			return asksProtection
		}
	}
	return asksOther
}
