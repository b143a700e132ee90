package translate

import (
	"cmp"
	"fmt"
	"maps"
	"net/textproto"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/variable"
)

// The names of the annotations by which a service authenticates clients. Most are the same for Limpet and ingress-nginx.
const (
	nameAuthURL             = "auth-url"
	nameAuthMethod          = "auth-method"
	nameAuthSignIn          = "auth-signin"
	nameAuthRedirectParam   = "auth-signin-redirect-param"
	nameAuthRequestRedirect = "auth-request-redirect"
	nameAuthResponseHeaders = "auth-response-headers"
	nameAuthAlwaysSetCookie = "auth-always-set-cookie"
	nameAuthCacheKey        = "auth-cache-key"
	nameAuthCacheDuration   = "auth-cache-duration"
	nameAuthRequestHeaders  = "auth-request-headers"
	nameAuthCA              = "auth-ca"
)

// externalAuthNames are the limpet.dev annotations, without their prefix.
var externalAuthNames = []string{
	nameAuthURL, nameAuthMethod, nameAuthSignIn, nameAuthRedirectParam, nameAuthRequestRedirect, nameAuthResponseHeaders,
	nameAuthAlwaysSetCookie, nameAuthCacheKey, nameAuthCacheDuration, nameAuthRequestHeaders, nameAuthCA,
}

// ownAuthNames is the number of names at the end of externalAuthNames that annotations of ingress-nginx do not have.
const ownAuthNames = 2

// authSettings are the settings of a service that authenticates clients.
type authSettings struct {
	model.ExternalAuth

	to destination
	// from is the key of the ConfigMap of ingress-nginx with the URL, as a subject of messages. Empty for an annotation.
	from string
	// headers is the ConfigMap of fields for the service, as "namespace/name" or "name". Empty disables them.
	headers value
	// ca is the name of a Secret with the CA of the service. Empty means the CAs of the system.
	ca value
}

// authMethods are the methods of requests for decisions. CONNECT and TRACE are not allowed: they carry no ordinary request.
var authMethods = []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}

// maxAuthHeaders bounds the fields that pods receive from the service.
const maxAuthHeaders = 64

// readExternalAuth returns the settings, or nil without auth-url. An invalid annotation of the family closes the object.
func (r *annotationReader) readExternalAuth() *authSettings {
	target := r.setting(nameAuthURL, nameAuthURL)
	if !target.isSet || target.isNginx && target.text == "" { // ingress-nginx ignores an empty one
		r.refuseAuthParts()
		return r.globalAuth()
	}
	s := &authSettings{}
	problem := ""
	if s.to, problem = parseDestination(target); problem != "" {
		r.failProtection(target, false, problem)
		return nil
	}
	s.URL = target.text
	s.Method = r.authMethod()
	s.SignIn = r.authSignIn()
	s.Redirect = r.authText(nameAuthRequestRedirect)
	s.ResponseHeaders = r.authHeaders()
	s.AlwaysSetCookie = r.authSwitch(nameAuthAlwaysSetCookie)
	s.CacheKey, s.CacheTimes = r.authText(nameAuthCacheKey), r.authCacheTimes()
	s.headers = r.setting(nameAuthRequestHeaders, "auth-proxy-set-headers")
	if s.ca = r.annotation(annotationPrefix, nameAuthCA); s.ca.isSet && !strings.HasPrefix(s.URL, "https://") {
		r.failProtection(s.ca, false, "requires an "+nameAuthURL+" that starts with https://")
	}
	return s
}

// refuseAuthParts closes the object if it has parts of an authentication without the service: auth-url may be misspelled.
func (r *annotationReader) refuseAuthParts() {
	nginxNames := append(slices.Clone(externalAuthNames[1:len(externalAuthNames)-ownAuthNames]),
		"auth-proxy-set-headers", "auth-keepalive", "auth-keepalive-requests", "auth-keepalive-share-vars", "auth-keepalive-timeout")
	for _, name := range externalAuthNames[1:] {
		r.refuseAuthPart(r.annotation(annotationPrefix, name))
	}
	for _, name := range nginxNames {
		r.refuseAuthPart(r.annotation(nginxPrefix, name))
	}
}

func (r *annotationReader) refuseAuthPart(part value) {
	if part.isSet && part.text != "" {
		r.failProtection(part, false, "belongs to "+nameAuthURL+", which is missing")
	}
}

func (r *annotationReader) authMethod() string {
	v := r.setting(nameAuthMethod, nameAuthMethod)
	if v.isSet && !slices.Contains(authMethods, v.text) {
		r.failProtection(v, false, "must be one of "+strings.Join(authMethods, ", "))
	}
	return v.text
}

// authText returns a text with variables.
func (r *annotationReader) authText(name string) string {
	v := r.setting(name, name)
	if problem := textProblem(v.text); problem != "" {
		r.failProtection(v, false, problem)
		return ""
	}
	return v.text
}

// textProblem returns why a text with variables cannot be part of a header field, or "".
func textProblem(text string) string {
	if _, err := variable.Parse(text); err != nil {
		return err.Error()
	}
	if strings.ContainsFunc(text, isControl) {
		return "has a control character"
	}
	return ""
}

// authSignIn returns the URL to redirect clients to. The URL of the request is added to its query, as ingress-nginx does,
// unless the parameter is there.
func (r *annotationReader) authSignIn() string {
	v, param := r.setting(nameAuthSignIn, nameAuthSignIn), r.setting(nameAuthRedirectParam, nameAuthRedirectParam)
	name := "rd"
	if param.text != "" {
		name = param.text
	}
	switch {
	case !v.isSet || v.text == "":
		return ""
	case url.QueryEscape(name) != name:
		r.failProtection(param, false, "is not the name of a query parameter")
		return ""
	}
	if problem := textProblem(v.text); problem != "" {
		r.failProtection(v, false, problem)
		return ""
	}
	u, err := url.Parse(v.text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || strings.ContainsAny(v.text, " \"<>\\#") {
		r.failProtection(v, false, "must be a URL that starts with http:// or https://")
		return ""
	}
	query, separator := u.Query(), "&"
	if query.Get(name) != "" {
		return v.text
	}
	if len(query) == 0 {
		separator = "?"
	}
	return v.text + separator + name + "=$pass_access_scheme://$http_host$escaped_request_uri"
}

// ownFields are fields of requests to pods that Limpet writes itself.
var ownFields = []string{
	"X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Port", "X-Forwarded-Proto", "X-Real-Ip", "Forwarded", "X-Request-Id", "Via",
}

func (r *annotationReader) authHeaders() []string {
	v := r.setting(nameAuthResponseHeaders, nameAuthResponseHeaders)
	if v.text == "" {
		return nil
	}
	var names []string
	for name := range strings.SplitSeq(v.text, ",") {
		name = textproto.CanonicalMIMEHeaderKey(strings.TrimSpace(name))
		isFraming := slices.Contains(framingHeaders, name) && !strings.HasSuffix(name, "Cookie")
		if !isToken(name) || isFraming || slices.Contains(ownFields, name) {
			r.failProtection(v, false, fmt.Sprintf("has %s, which is not the name of a header that a service can set", quote(name)))
			return nil
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if len(names) > maxAuthHeaders {
		r.failProtection(v, false, fmt.Sprintf("has more than %d names", maxAuthHeaders))
	}
	return names
}

func (r *annotationReader) authSwitch(name string) bool {
	v := r.setting(name, name)
	on, err := strconv.ParseBool(v.text)
	if v.isSet && err != nil {
		r.failProtection(v, false, `must be "true" or "false"`)
	}
	return on
}

// externalAuth returns the settings of an object with its Service and ConfigMap, or nil.
func (b *builder) externalAuth(d *description) *model.ExternalAuth {
	if d.auth == nil {
		return nil
	}
	out := d.auth.ExternalAuth
	to := b.resolveDestination(d, &d.auth.to, "The routes respond 503")
	out.Service, out.Unavailable = to.pool, to.problem
	if d.auth.to.isRequested && slices.ContainsFunc(d.rules, func(r ruleDescription) bool { return slices.Contains(r.hosts, "") }) {
		out.Unavailable = "the host of the service would be any host that a client requests"
		b.reports.add(d.ref, ReasonProtectionNotEnforced, d.auth.to.field(),
			"%s has the host of the request, but a rule is for any host: clients could name a service of their own. "+
				"The routes respond 503", cmp.Or(d.auth.from, "annotation "+d.auth.to.key))
	}
	if d.auth.ca.isSet {
		const instead = "the service cannot be verified, and the routes respond 503"
		ref, text, _ := b.authority(d, d.auth.ca.key, d.auth.ca.text, instead)
		if out.Authority, out.AuthorityPEM = ref, string(text); text == nil {
			out.Unavailable = ref.String() + " has no CA"
		}
	}
	if d.auth.headers.text != "" {
		headers, problem := b.authRequestHeaders(d)
		out.Headers = headers
		if problem != "" {
			out.Unavailable = problem
		}
	}
	return &out
}

// authRequestHeaders returns the fields in the ConfigMap for the service. A problem closes the routes, because the service may
// decide by these fields.
func (b *builder) authRequestHeaders(d *description) (headers []model.HeaderField, problem string) {
	v := d.auth.headers
	namespace, name, found := strings.Cut(v.text, "/")
	if !found {
		namespace, name = d.namespace(), v.text
	}
	fail := func(format string, args ...any) ([]model.HeaderField, string) {
		problem := fmt.Sprintf(format, args...)
		b.reports.add(d.ref, ReasonProtectionNotEnforced, annotationField(v.key),
			"annotation %s: %s. The routes respond 503", v.key, problem)
		return nil, problem
	}
	if namespace != d.namespace() { // as in ingress-nginx without cross-namespace resources
		return fail("the ConfigMap must be in namespace %s", d.namespace())
	}
	ref, key := b.refer(model.KindConfigMap, namespace, name)
	configMap := b.lookups.configMap(key)
	if configMap == nil {
		return fail("%s does not exist", ref)
	}
	for _, key := range slices.Sorted(maps.Keys(configMap.Data)) {
		text := configMap.Data[key]
		name := textproto.CanonicalMIMEHeaderKey(key)
		if why := textProblem(strings.TrimSpace(text)); why != "" || !isToken(name) || slices.Contains(framingHeaders, name) {
			return fail("field %s of %s is not valid", quote(key), ref)
		}
		if headers = append(headers, model.HeaderField{Name: name, Value: strings.TrimSpace(text)}); len(headers) > maxAuthHeaders {
			return fail("%s has more than %d fields", ref, maxAuthHeaders)
		}
	}
	return headers, ""
}
