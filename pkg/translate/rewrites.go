package translate

import (
	"strings"

	"github.com/limpet-dev/limpet/pkg/model"
)

// responseAnnotations are the annotations of an Ingress that change responses of its pods.
var responseAnnotations = []string{
	annotationPrefix + "redirect-from", annotationPrefix + "redirect-to", annotationPrefix + "cookie-domain",
	annotationPrefix + "cookie-path", annotationPrefix + "compress",
}

const maxReplacement = 1 << 10

// replacementVariables are the variables that may occur in a replacement, see model.Replacement.
var replacementVariables = []string{"$http_host", "$scheme", "$host"}

// readRewrites reads the annotations that rewrite fields of pods' responses.
func (r *annotationReader) readRewrites() {
	rewrites := model.ResponseRewrites{
		Redirect:     r.readRedirectReplacement(),
		CookieDomain: r.readCookieReplacement("cookie-domain", "proxy-cookie-domain"),
		CookiePath:   r.readCookieReplacement("cookie-path", "proxy-cookie-path"),
	}
	if rewrites.CookieDomain != nil {
		rewrites.CookieDomain.From = strings.TrimPrefix(rewrites.CookieDomain.From, ".")
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
			r.needCompanion([]string{"redirect-from"}, annotationPrefix+"redirect-to")
			r.needCompanion([]string{"redirect-to"}, annotationPrefix+"redirect-from")
		}
		return nil
	}
	return r.replacement(from, from.text, to, to.text)
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
	rest := to
	for _, name := range replacementVariables {
		rest = strings.ReplaceAll(rest, name, "")
	}
	switch {
	case strings.HasPrefix(from, "~"):
		r.invalidValue(fromValue.key, "a regular expression is not supported here")
	case strings.Contains(from, "$") || strings.Contains(rest, "$"):
		r.invalidValue(toValue.key, "the only variables are $scheme, $host and $http_host, in the replacement")
	case !isFieldValue(from) || !isFieldValue(to) || len(from)+len(to) > maxReplacement:
		r.invalidValue(toValue.key, "it must consist of at most 1024 printable ASCII characters")
	default:
		return &model.Replacement{From: from, To: to}
	}
	return nil
}

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
