package translate

import (
	"crypto/tls"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/limpet-dev/limpet/pkg/pattern"
	"github.com/limpet-dev/limpet/pkg/variable"
)

// exactRule decides for which values an annotation is Exact, although its handling is Differs.
type exactRule struct {
	// text describes these values after the word "exact", in Markdown.
	text  string
	holds func(s *setValue) bool
}

// isExact reports whether the rule of a row holds for a value.
func (v *verdict) isExact(s *setValue) bool { return v.exact.holds != nil && v.exact.holds(s) }

// setValue is the value of an annotation, and what else may decide on its effect.
type setValue struct {
	text        string
	annotations map[string]string
	// paths are the paths of the Ingress, as written.
	paths []string
}

// other returns the value of another annotation of ingress-nginx.
func (s *setValue) other(name string) string {
	return strings.TrimSpace(s.annotations[nginxPrefix+name])
}

// with is the rule for a list of values.
func with(values ...string) exactRule {
	return exactRule{"with `" + strings.Join(values, "`, `") + "`", func(s *setValue) bool {
		return slices.Contains(values, s.text)
	}}
}

// onlyVariables is the rule for values without other variables than these.
func onlyVariables(names ...string) exactRule {
	return exactRule{"without other variables than " + strings.Join(names, ", "), func(s *setValue) bool {
		return hasOnlyVariables(s.text, names)
	}}
}

func hasOnlyVariables(text string, names []string) bool {
	pieces, err := variable.Split(text)
	return err == nil && !slices.ContainsFunc(pieces, func(p variable.Piece) bool {
		return p.Name != "" && !slices.Contains(names, "$"+p.Name)
	})
}

// The rules for single annotations.
var (
	exactIfFalse = exactRule{"with `false`", func(s *setValue) bool {
		on, err := strconv.ParseBool(s.text)
		return err == nil && !on
	}}
	exactIfPortable = exactRule{"if RE2 and PCRE read the expression alike", func(s *setValue) bool {
		return pattern.IsPortable(s.text)
	}}
	exactIfPathsPortable = exactRule{"with `false`, or if RE2 and PCRE read all paths alike", func(s *setValue) bool {
		on, err := strconv.ParseBool(s.text)
		return err == nil && !on || s.hasPortablePaths()
	}}
	exactIfFixedPath = exactRule{"without groups, if RE2 and PCRE read all paths alike", func(s *setValue) bool {
		return !strings.Contains(s.text, "$") && s.hasPortablePaths()
	}}
	exactIfURL = exactRule{"with a URL that has a host", func(s *setValue) bool {
		page, err := url.Parse(s.text)
		return err == nil && (page.Scheme == "http" || page.Scheme == "https") && page.Host != ""
	}}
	exactIfPlain = exactRule{"without quotes and backslashes", func(s *setValue) bool {
		return !strings.ContainsAny(s.text, "\"\\")
	}}
	exactIfHosts    = exactRule{"without regular expressions", func(s *setValue) bool { return !strings.Contains(s.text, "~") }}
	exactIfKeyIsSet = exactRule{"with a variable that each request has", func(s *setValue) bool { return identifiesAll(s.text) }}
	exactIfCA       = exactRule{"with `off`, and with `on`, a Secret and proxy-ssl-name", func(s *setValue) bool {
		return s.text == "off" || s.text == "on" && s.other("proxy-ssl-secret") != "" && s.other("proxy-ssl-name") != ""
	}}
	exactIfModern = exactRule{"with `TLSv1.3`, and with `TLSv1.2 TLSv1.3`", func(s *setValue) bool {
		lowest, all := tlsVersions(s.text)
		return all && lowest >= tls.VersionTLS12
	}}
	exactIfRewritten = exactRule{"with rewrite-target, without groups", func(s *setValue) bool {
		return s.other("rewrite-target") != "" && !strings.Contains(s.text, "$")
	}}
	exactUpToMaxAttempts = exactRule{"from 1 to " + strconv.Itoa(maxAttempts), func(s *setValue) bool {
		tries, err := strconv.Atoi(s.text)
		return err == nil && 1 <= tries && tries <= maxAttempts
	}}
)

// exactReplacement is the rule for annotations that replace text in responses. Each word may be an expression, or text with
// variables and groups.
var exactReplacement = exactRule{"without other variables than " + strings.Join(hostVariables, ", ") +
	", if RE2 and PCRE read the expression alike", func(s *setValue) bool {
	known := slices.Concat(hostVariables, groupReferences)
	return !slices.ContainsFunc(strings.Fields(s.text), func(word string) bool {
		part := cutExpression(word)
		return part.IsExpression && !pattern.IsPortable(part.From) || !part.IsExpression && !hasOnlyVariables(word, known)
	})
}}

// hasPortablePaths reports whether RE2 and PCRE read all paths of the Ingress alike.
func (s *setValue) hasPortablePaths() bool {
	return !slices.ContainsFunc(s.paths, func(path string) bool { return !pattern.IsPortable(path) })
}

// identifiesAll reports whether a text has a variable that no request leaves empty.
func identifiesAll(text string) bool {
	template, err := variable.Parse(text)
	return err == nil && template.HasSetVariable()
}

// tlsVersions returns the lowest version in a value of nginx, and whether all later ones are listed.
func tlsVersions(text string) (lowest uint16, all bool) {
	versions := []string{"TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"}
	listed := strings.Fields(text)
	for i, name := range versions {
		isListed := slices.Contains(listed, name)
		switch {
		case isListed && lowest == 0:
			lowest, all = tls.VersionTLS10+uint16(i), true
		case !isListed && lowest != 0:
			all = false
		}
	}
	return lowest, all
}
