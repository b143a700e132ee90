package translate

import (
	"strings"

	"github.com/limpet-dev/limpet/pkg/model"
)

// corsAnnotations are the annotations of an Ingress for cross-origin resource sharing.
var corsAnnotations = []string{
	annotationPrefix + "cors", annotationPrefix + "cors-allow-origin", annotationPrefix + "cors-allow-methods",
	annotationPrefix + "cors-allow-headers", annotationPrefix + "cors-expose-headers",
	annotationPrefix + "cors-allow-credentials", annotationPrefix + "cors-max-age",
}

// Defaults of ingress-nginx.
const (
	defaultCORSMethods = "GET, PUT, POST, DELETE, PATCH, OPTIONS"
	defaultCORSHeaders = "DNT,Keep-Alive,User-Agent,X-Requested-With,If-Modified-Since,Cache-Control,Content-Type,Range," +
		"Authorization"
	defaultCORSMaxAge = 1728000
)

const (
	maxOrigins  = 256
	maxCORSAge  = 1<<31 - 1
	maxCORSList = 4 << 10
)

// readCORS reads the annotations about cross-origin resource sharing.
func (r *annotationReader) readCORS() {
	if !r.readBool(r.setting("cors", "enable-cors"), false) {
		for _, key := range corsAnnotations[1:] {
			r.needCompanion(names{`cors: "true"`, `enable-cors: "true"`}, sameName(strings.TrimPrefix(key, annotationPrefix)))
		}
		return
	}
	cors := model.CORS{
		Methods:          r.readTokenList("cors-allow-methods", defaultCORSMethods, false),
		Headers:          r.readTokenList("cors-allow-headers", defaultCORSHeaders, false),
		ExposeHeaders:    r.readTokenList("cors-expose-headers", "", true),
		AllowCredentials: r.readBool(r.setting("cors-allow-credentials", "cors-allow-credentials"), true),
		MaxAge:           r.readNumberSetting("cors-max-age", "cors-max-age", defaultCORSMaxAge, 0, maxCORSAge),
	}
	if r.readOrigins(&cors); cors.AnyOrigin || len(cors.Origins) > 0 {
		r.ensureFilters().CORS = &cors
	}
}

// readOrigins sets the allowed origins. It leaves out invalid ones. Without an annotation, all origins are allowed.
func (r *annotationReader) readOrigins(cors *model.CORS) {
	v := r.setting("cors-allow-origin", "cors-allow-origin")
	if !v.isSet {
		cors.AnyOrigin = true
		return
	}
	for entry := range strings.SplitSeq(v.text, ",") {
		entry = strings.ToLower(strings.TrimSpace(entry))
		switch {
		case entry == "":
		case entry == "*":
			cors.AnyOrigin, cors.Origins = true, nil
			return
		case !isOrigin(entry) || len(cors.Origins) == maxOrigins:
			r.invalid(v.key, "annotation %s: %s is left out, because it is not an origin such as https://shop.example.com or "+
				"https://*.example.com, of at most %d", v.key, quote(entry), maxOrigins)
		default:
			cors.Origins = append(cors.Origins, entry)
		}
	}
}

// isOrigin reports whether text is an origin in lower case: a scheme and a host, perhaps with a wildcard as the first label, and
// perhaps with a port.
func isOrigin(text string) bool {
	scheme, host, found := strings.Cut(text, "://")
	if !found || scheme == "" || strings.Trim(scheme, "abcdefghijklmnopqrstuvwxyz0123456789+-.") != "" {
		return false
	}
	host, port, hasPort := strings.Cut(host, ":")
	if hasPort && (port == "" || len(port) > 5 || strings.Trim(port, "0123456789") != "") {
		return false
	}
	host = strings.TrimPrefix(host, "*.")
	return host != "" && strings.Trim(host, "abcdefghijklmnopqrstuvwxyz0123456789-.") == ""
}

// readTokenList returns a list of methods or field names as it is written, or the fallback.
func (r *annotationReader) readTokenList(name, fallback string, allowsStar bool) string {
	v := r.setting(name, name)
	if !v.isSet || v.text == "" {
		return fallback
	}
	valid := len(v.text) <= maxCORSList
	for entry := range strings.FieldsFuncSeq(v.text, func(c rune) bool { return c == ',' || c == ' ' }) {
		valid = valid && (isFieldName(entry) || allowsStar && entry == "*")
	}
	if !valid {
		r.invalidValue(v.key, "it must be a comma-separated list of names")
		return fallback
	}
	return v.text
}
