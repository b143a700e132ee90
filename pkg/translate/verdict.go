package translate

import (
	"maps"
	"slices"
	"strings"

	networkingv1 "k8s.io/api/networking/v1"
)

// The verdicts on annotations of ingress-nginx, in rising order of severity.
const (
	VerdictExact    = "exact"
	VerdictReplaced = "replaced"
	VerdictDiffers  = "differs"
	VerdictIgnored  = "no effect"
	VerdictClosed   = "closed"
)

// AnnotationVerdict describes how Limpet handles one annotation of ingress-nginx with its value.
type AnnotationVerdict struct {
	// Annotation is the key without its prefix.
	Annotation string `json:"annotation"`
	Verdict    string `json:"verdict"`
	// How describes the difference, or what replaces the annotation.
	How string `json:"how,omitempty"`
	// Use lists annotations to use instead.
	Use []string `json:"use,omitempty"`
}

// Verdicts returns how Limpet handles the annotations of ingress-nginx of an Ingress, sorted by key. Invalid values are in the
// Report of the Ingress.
func Verdicts(ingress *networkingv1.Ingress) []AnnotationVerdict {
	annotations, paths := ingress.Annotations, []string{}
	for _, rule := range ingress.Spec.Rules {
		if rule.HTTP == nil {
			continue
		}
		for i := range rule.HTTP.Paths {
			paths = append(paths, rule.HTTP.Paths[i].Path)
		}
	}
	waived := waivedNames(annotations)
	var out []AnnotationVerdict
	for _, f := range judge(annotations) {
		name, isNginx := strings.CutPrefix(f.key, nginxPrefix)
		if !isNginx {
			continue
		}
		v := nginxByName[name]
		if v == nil {
			v = &verdict{}
		}
		value := &setValue{strings.TrimSpace(annotations[f.key]), annotations, paths}
		out = append(out, v.judgeValue(name, value, &f, waived[name]))
	}
	return out
}

// waivedNames returns the names of the annotations that AnnotationUnenforced lists.
func waivedNames(annotations map[string]string) map[string]bool {
	out := map[string]bool{}
	for entry := range strings.SplitSeq(annotations[AnnotationUnenforced], ",") {
		out[strings.TrimPrefix(strings.TrimSpace(entry), nginxPrefix)] = true
	}
	return out
}

// judgeValue returns the verdict on one value.
func (v *verdict) judgeValue(name string, value *setValue, f *finding, isWaived bool) AnnotationVerdict {
	out := AnnotationVerdict{Annotation: name, Verdict: VerdictExact}
	switch {
	case v.handling == Exact, v.handling == Differs && v.isExact(value):
		return out
	case v.handling == Differs:
		out.Verdict, out.How = VerdictDiffers, v.how
		return out
	case v.handling == Replaced:
		out.Verdict, out.How = VerdictReplaced, v.how
		return out
	case f.effect == effectNone:
		return out
	case f.effect == effectProtection && !isWaived:
		out.Verdict = VerdictClosed
	default:
		out.Verdict, out.How = VerdictIgnored, v.how
	}
	if v.own != "" {
		out.Use = append(out.Use, annotationPrefix+v.own)
	}
	if strings.HasSuffix(name, "-snippet") {
		out.Use = append(out.Use, snippetEquivalents(value.text)...)
	}
	return out
}

// directiveAnnotations are the annotations of ingress-nginx for the directives that snippets mostly contain.
var directiveAnnotations = map[string]string{
	"add_header": "custom-headers", "more_set_headers": "custom-headers",
	"allow": "whitelist-source-range", "deny": "denylist-source-range", "satisfy": "satisfy",
	"auth_basic": "auth-type", "auth_basic_user_file": "auth-secret", "auth_request": "auth-url",
	"client_max_body_size": "proxy-body-size", "client_body_buffer_size": "client-body-buffer-size",
	"limit_req": "limit-rps", "limit_conn": "limit-connections", "limit_rate": "limit-rate",
	"proxy_buffering": "proxy-buffering", "proxy_buffer_size": "proxy-buffer-size", "proxy_buffers": "proxy-buffers-number",
	"proxy_busy_buffers_size": "proxy-busy-buffers-size", "proxy_request_buffering": "proxy-request-buffering",
	"proxy_connect_timeout": "proxy-connect-timeout", "proxy_read_timeout": "proxy-read-timeout",
	"proxy_send_timeout": "proxy-send-timeout", "proxy_cookie_domain": "proxy-cookie-domain",
	"proxy_cookie_path": "proxy-cookie-path", "proxy_http_version": "proxy-http-version",
	"proxy_next_upstream": "proxy-next-upstream", "proxy_redirect": "proxy-redirect-from", "proxy_ssl_name": "proxy-ssl-name",
	"proxy_ssl_server_name": "proxy-ssl-server-name", "proxy_ssl_verify": "proxy-ssl-verify",
	"return": "permanent-redirect", "rewrite": "rewrite-target", "access_log": "enable-access-log", "mirror": "mirror-target",
	"error_page": "custom-http-errors", "server_alias": "server-alias", "server_name": "server-alias",
	"proxy_set_header host": "upstream-vhost", "proxy_set_header x-forwarded-prefix": "x-forwarded-prefix",
	"proxy_set_header connection": "connection-proxy-header",
}

// snippetEquivalents returns the annotations that replace the directives of a snippet, sorted. It reads the directives before
// the first one that it does not understand.
func snippetEquivalents(text string) []string {
	found := map[string]bool{}
	directives, _ := parseSnippet(text)
	for _, name := range directives {
		if annotation := directiveAnnotations[name]; annotation != "" {
			found[nginxPrefix+annotation] = true
		}
	}
	return slices.Sorted(maps.Keys(found))
}
