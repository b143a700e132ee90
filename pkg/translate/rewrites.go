package translate

import (
	"fmt"
	"slices"
	"strings"

	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/pattern"
)

// responseAnnotations are the annotations of an Ingress that change responses of its pods.
var responseAnnotations = []string{
	annotationPrefix + "redirect-from", annotationPrefix + "redirect-to", annotationPrefix + "cookie-domain",
	annotationPrefix + "cookie-path", annotationPrefix + "compress",
}

const maxReplacement = 1 << 10

// readRewrites reads the annotations that rewrite fields of pods' responses.
func (r *annotationReader) readRewrites() {
	rewrites := model.ResponseRewrites{
		Redirect:     r.readRedirectReplacement(),
		CookieDomain: r.readCookieReplacement("cookie-domain", "proxy-cookie-domain"),
		CookiePath:   r.readCookieReplacement("cookie-path", "proxy-cookie-path"),
	}
	if d := rewrites.CookieDomain; d != nil && d.IsExpression {
		d.IgnoresCase = true
	} else if d != nil {
		d.From = strings.TrimPrefix(d.From, ".")
	}
	r.addDefaultRewrites(&rewrites)
	if rewrites != (model.ResponseRewrites{}) {
		r.ensureFilters().Rewrites = &rewrites
	}
	r.readCompression()
}

// addDefaultRewrites adds the replacements for which the object has no annotation.
func (r *annotationReader) addDefaultRewrites(to *model.ResponseRewrites) {
	d := r.defaultsOrZero().Rewrites
	if !r.setting("redirect-from", "proxy-redirect-from").isSet && !r.setting("redirect-to", "proxy-redirect-to").isSet {
		to.Redirect = d.Redirect
	}
	if !r.setting("cookie-domain", "proxy-cookie-domain").isSet {
		to.CookieDomain = d.CookieDomain
	}
	if !r.setting("cookie-path", "proxy-cookie-path").isSet {
		to.CookiePath = d.CookiePath
	}
}

// readRedirectReplacement returns the replacement in Location and Refresh, or nil. As in ingress-nginx, one annotation without
// the other has no effect. The value "default" means the address of the upstream server, which no pod knows.
func (r *annotationReader) readRedirectReplacement() *model.Replacement {
	from, to := r.setting("redirect-from", "proxy-redirect-from"), r.setting("redirect-to", "proxy-redirect-to")
	isOff := func(v value) bool { return !v.isSet || v.text == "off" || v.text == "" }
	if isOff(from) || isOff(to) || from.text == "default" {
		if from.isSet != to.isSet {
			fromNames, toNames := names{"redirect-from", "proxy-redirect-from"}, names{"redirect-to", "proxy-redirect-to"}
			r.needCompanion(toNames, fromNames)
			r.needCompanion(fromNames, toNames)
		}
		return nil
	}
	out := r.replacement(from, from.text, to, to.text)
	if out != nil && to.isNginx && strings.HasPrefix(out.To, "/") && !r.paths.isRelative {
		out.To = "$scheme://$host" + out.To // as nginx does with absolute_redirect
	}
	return out
}

// readCookieReplacement returns the replacement that consists of two words, or nil.
func (r *annotationReader) readCookieReplacement(own, nginx string) *model.Replacement {
	v := r.setting(own, nginx)
	if !v.isSet || v.text == "off" || v.text == "" {
		return nil
	}
	from, to, found := strings.Cut(v.text, " ")
	to = strings.TrimSpace(to)
	if quoted := strings.Trim(to, `"`); len(quoted)+2 == len(to) {
		to = quoted
	} else if strings.ContainsAny(to, ` "`) {
		found = false
	}
	if !found {
		r.invalidValue(v.key, `it must be off, or two words: the text to replace, and its replacement`)
		return nil
	}
	return r.replacement(v, from, v, to)
}

// replacement returns a replacement, or nil if it is invalid.
func (r *annotationReader) replacement(fromValue value, from string, toValue value, to string) *model.Replacement {
	out := cutExpression(from)
	out.To = to
	known := hostVariables
	if out.IsExpression {
		known = slices.Concat(hostVariables, groupReferences)
		if _, err := pattern.Compile(out.Expression()); err != nil {
			r.invalidValue(fromValue.key, fmt.Sprintf("its expression must have the syntax of RE2: %v", err))
			return nil
		}
	}
	switch {
	case !out.IsExpression && strings.Contains(from, "$") || !hasOnlyVariables(to, known):
		r.invalidValue(toValue.key, "the only variables are $scheme, $host and $http_host, and the groups of an expression, "+
			"in the replacement")
	case !isFieldValue(from) || !isFieldValue(to) || len(from)+len(to) > maxReplacement:
		r.invalidValue(toValue.key, "it must consist of at most 1024 printable ASCII characters")
	default:
		return &out
	}
	return nil
}

// cutExpression returns the text to replace, which is an expression after "~" or "~*".
func cutExpression(text string) (out model.Replacement) {
	if out.From, out.IsExpression = strings.CutPrefix(text, "~"); out.IsExpression {
		out.From, out.IgnoresCase = strings.CutPrefix(out.From, "*")
	}
	return out
}

// groupReferences are the references to groups of an expression in a replacement.
var groupReferences = []string{"$1", "$2", "$3", "$4", "$5", "$6", "$7", "$8", "$9"}

// readCompression reads the codings with which responses are compressed.
func (r *annotationReader) readCompression() {
	v := r.annotation(annotationPrefix, "compress")
	c := r.defaultsOrZero().Compression
	if !v.isSet && c != (model.Compression{}) {
		r.ensureFilters().Compression = &c
	}
	if !v.isSet || v.text == "off" {
		return
	}
	c = model.Compression{}
	for name := range strings.SplitSeq(v.text, ",") {
		switch strings.TrimSpace(name) {
		case "gzip":
			c.Gzip = true
		case "brotli":
			c.Brotli = true
		default:
			r.invalidValue(v.key, "it must be off, gzip, brotli, or both of these, separated by a comma")
			return
		}
	}
	r.ensureFilters().Compression = &c
}
