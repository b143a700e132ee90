package translate

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/limpet-dev/limpet/api/v1alpha1"
	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/variable"
)

// subsetFactor is the hash.balanceFactor for upstream-hash-by-subset: a pod gets at most this percentage of the mean number
// of active requests before others serve the same value.
const subsetFactor = 150

// hashChoice returns the stickiness of upstream-hash-by.
func (r *annotationReader) hashChoice() choice {
	v := r.annotation(nginxPrefix, "upstream-hash-by")
	if v.text == "" {
		return choice{}
	}
	parts, problem := hashedParts(v.text)
	if problem != "" {
		r.invalidValue(v.key, problem)
		return choice{}
	}
	c := choice{made: true, annotation: v.key}
	settings, problems := compile(r.ref, &v1alpha1.AffinityPolicySpec{Methods: []v1alpha1.Method{{
		Source: v1alpha1.SourceComposite, Binding: v1alpha1.BindingHashed, Composite: &v1alpha1.Composite{Parts: parts},
	}}})
	for _, p := range problems {
		r.invalid(v.key, "annotation %s: %s. The backends serve without stickiness", v.key, p.Message)
	}
	if settings == nil {
		return c
	}
	settings.Methods[0].AnyPart = true
	if r.nginxBool("upstream-hash-by-subset") {
		settings.BalanceFactor = subsetFactor
	}
	c.settings = settings
	return c
}

// hashedParts returns the variables of a text that upstream-hash-by hashes, without duplicates, or a problem. The text between
// them is the same in all requests, so it does not matter.
func hashedParts(text string) (parts []v1alpha1.Part, problem string) {
	pieces, err := variable.Split(text)
	if err != nil {
		return nil, "it " + err.Error()
	}
	for _, piece := range pieces {
		if strings.ContainsFunc(piece.Literal, isNoHashText) {
			return nil, "it must be printable ASCII, without spaces, quotes, semicolons and other braces than those of variables"
		}
		if piece.Name == "" {
			continue
		}
		part, known := hashedPart(piece.Name)
		if !known {
			return nil, fmt.Sprintf("variable %s is not supported; the supported ones are %s", quote("$"+piece.Name), hashVariables)
		}
		if !slices.ContainsFunc(parts, func(p v1alpha1.Part) bool { return reflect.DeepEqual(p, part) }) {
			parts = append(parts, part)
		}
	}
	switch {
	case len(parts) == 0:
		return nil, "it must contain a variable such as $request_uri"
	case len(parts) > maxParts:
		return nil, fmt.Sprintf("it must contain at most %d variables", maxParts)
	}
	return parts, ""
}

// isNoHashText reports whether a character must not occur between the variables of upstream-hash-by. ingress-nginx refuses more.
func isNoHashText(c rune) bool { return c <= ' ' || c >= 0x7f || strings.ContainsRune("\"';\\{}", c) }

// hashVariables lists the variables of hashedPart for messages.
const hashVariables = "$request_uri, $uri, $host, $request_method, $remote_addr, $arg_NAME, $cookie_NAME, $http_NAME and " +
	"$ssl_client_s_dn"

// hashedPart returns the part of a request that a variable of nginx contains.
func hashedPart(text string) (part v1alpha1.Part, known bool) {
	switch text {
	case "request_uri":
		return v1alpha1.Part{Source: v1alpha1.PartSourceURI}, true
	case "uri", "document_uri":
		return v1alpha1.Part{Source: v1alpha1.PartSourcePath}, true
	case "host", "http_host", "server_name":
		return v1alpha1.Part{Source: v1alpha1.PartSourceHost}, true
	case "request_method":
		return v1alpha1.Part{Source: v1alpha1.PartSourceMethod}, true
	case "remote_addr", "binary_remote_addr", "the_real_ip", "proxy_protocol_addr":
		whole := &v1alpha1.SourceIP{IPv4PrefixLength: 32, IPv6PrefixLength: 128}
		return v1alpha1.Part{Source: v1alpha1.PartSourceSourceIP, SourceIP: whole}, true
	case "ssl_client_s_dn", "ssl_client_fingerprint", "ssl_client_serial":
		return v1alpha1.Part{Source: v1alpha1.PartSourceClientCertificate}, true
	}
	kind, name, _ := strings.Cut(text, "_")
	switch {
	case name == "":
		return part, false
	case kind == "arg":
		return v1alpha1.Part{Source: v1alpha1.PartSourceQueryParam, QueryParam: &v1alpha1.QueryParam{Name: name}}, true
	case kind == "cookie":
		return v1alpha1.Part{Source: v1alpha1.PartSourceCookie, Cookie: &v1alpha1.PartCookie{Name: name}}, true
	case kind == "http":
		header := &v1alpha1.Header{Name: strings.ReplaceAll(name, "_", "-")}
		return v1alpha1.Part{Source: v1alpha1.PartSourceHeader, Header: header}, true
	}
	return part, false
}

// balance returns the algorithm for requests without stickiness, "" for the default. isOwn reports whether
// AnnotationLoadBalance sets it.
func (r *annotationReader) balance() (pick model.Pick, isOwn bool) {
	v := r.setting(strings.TrimPrefix(AnnotationLoadBalance, annotationPrefix), "load-balance")
	if v.text == "" {
		return r.defaultsOrZero().Balance, false
	}
	values := loadBalanceValues
	if v.isNginx {
		values = nginxLoadBalance
	}
	pick, known := values[v.text]
	if !known {
		r.invalidValue(v.key, "it must be one of "+strings.Join(slices.Sorted(maps.Keys(values)), ", "))
	}
	return pick, known && !v.isNginx
}

// AnnotationLoadBalance is how requests without stickiness are distributed over pods.
const AnnotationLoadBalance = annotationPrefix + "load-balance"

var (
	loadBalanceValues = map[string]model.Pick{
		"random": model.PickRandom, "round-robin": model.PickRoundRobin, "least-requests": model.PickLeastRequests,
		"least-latency": model.PickLatency,
	}
	nginxLoadBalance = map[string]model.Pick{"round_robin": model.PickRoundRobin, "ewma": model.PickLatency}
)
