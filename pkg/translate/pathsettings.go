package translate

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/limpet-dev/limpet/pkg/model"
)

// The annotations for paths, rewriting, redirects and hosts.
const (
	// AnnotationPathRegex is "true" if paths are regular expressions.
	AnnotationPathRegex = annotationPrefix + "path-regex"
	// AnnotationRewriteTarget is the path that pods receive.
	AnnotationRewriteTarget = annotationPrefix + "rewrite-target"
	// AnnotationHTTPSRedirect is "true" if cleartext requests are redirected to HTTPS.
	AnnotationHTTPSRedirect = annotationPrefix + "https-redirect"
	// AnnotationAppRoot is the path to which requests for "/" are redirected.
	AnnotationAppRoot = annotationPrefix + "app-root"
	// AnnotationRedirect is the URL to which all requests are redirected.
	AnnotationRedirect = annotationPrefix + "redirect"
	// AnnotationRedirectCode is the status of AnnotationRedirect.
	AnnotationRedirectCode = annotationPrefix + "redirect-code"
	// AnnotationWWWRedirect is "true" if the host with or without www. redirects to the host of the Ingress.
	AnnotationWWWRedirect = annotationPrefix + "www-redirect"
	// AnnotationHostAliases lists further hosts with the same rules.
	AnnotationHostAliases = annotationPrefix + "host-aliases"
	// AnnotationUpstreamHost is the Host that pods receive.
	AnnotationUpstreamHost = annotationPrefix + "upstream-host"
	// AnnotationForwardedPrefix is the X-Forwarded-Prefix that pods receive.
	AnnotationForwardedPrefix = annotationPrefix + "forwarded-prefix"
	// AnnotationRelativeRedirects is "true" if redirects to paths of the same host have no scheme and host.
	AnnotationRelativeRedirects = annotationPrefix + "relative-redirects"
)

var pathAnnotations = []string{
	AnnotationPathRegex, AnnotationRewriteTarget, AnnotationHTTPSRedirect, AnnotationAppRoot, AnnotationRedirect,
	AnnotationRedirectCode, AnnotationWWWRedirect, AnnotationHostAliases, AnnotationUpstreamHost, AnnotationForwardedPrefix,
	AnnotationRelativeRedirects,
}

// redirectCode is the status of redirects to HTTPS and between a host and its www twin, unless ingress-nginx's ConfigMap sets it.
const redirectCode = 308

// pathSettings are the settings of an object for paths, rewriting, redirects and hosts.
type pathSettings struct {
	usesPatterns bool
	rewrite      string // the target, or ""
	// https redirects to HTTPS, on all hosts if isForced is true, otherwise on hosts with a TLS section. Nil disables it.
	https    *model.HTTPSRedirect
	isForced bool
	redirect *model.Redirect
	appRoot  string
	www      *model.Redirect // without its host
	aliases  []string
	// isRelative is true if redirects to paths of the same host have no scheme and host.
	isRelative bool
	// unredirected are the beginnings of paths, as written in rules, without a redirect to HTTPS.
	unredirected []string
	// unauthenticated are those without authentication.
	unauthenticated []string
	// addsSlash redirects requests for a path without the slash at the end of the rule's path, as nginx does.
	addsSlash bool
	// upstreamHost may contain variables of upstreamVariables.
	upstreamHost string
	prefix       string
}

func (r *annotationReader) readPaths() {
	p := &r.paths
	p.usesPatterns = r.readBool(r.setting("path-regex", "use-regex"), false)
	p.rewrite = r.readRewrite()
	d := r.defaultsOrZero()
	p.isRelative = r.readBool(r.setting("relative-redirects", "relative-redirects"), d.RelativeRedirects)
	p.addsSlash, p.unredirected, p.unauthenticated = d.AddsSlash, d.NoRedirectLocations, d.NoAuthLocations
	r.readHTTPS(p)
	r.readRedirect(p)
	p.appRoot = r.readAppRoot()
	if v := r.setting("www-redirect", "from-to-www-redirect"); r.readBool(v, false) {
		p.www = &model.Redirect{Status: r.redirectStatus(), DropsTrailingSlash: v.isNginx}
	}
	p.aliases = r.readAliases()
	p.upstreamHost = r.readUpstreamHost()
	p.prefix = r.readPrefix()
}

// readBool returns the value of a boolean setting, or the fallback if it is missing or invalid.
func (r *annotationReader) readBool(v value, fallback bool) bool {
	if !v.isSet {
		return fallback
	}
	on, err := strconv.ParseBool(v.text)
	if err != nil {
		r.invalidValue(v.key, `it must be "true" or "false"`)
		return fallback
	}
	return on
}

// redirectStatus returns the status of redirects to HTTPS and between a host and its www twin.
func (r *annotationReader) redirectStatus() int {
	return cmp.Or(r.defaultsOrZero().RedirectCode, redirectCode)
}

// readHTTPS reads the redirect to HTTPS. Limpet's annotation takes precedence over both of ingress-nginx, and over its defaults.
func (r *annotationReader) readHTTPS(p *pathSettings) {
	ssl, force := r.setting("https-redirect", "ssl-redirect"), r.annotation(nginxPrefix, "force-ssl-redirect")
	d := r.defaultsOrZero()
	isForced, isOn := d.ForceSSLRedirect, d.SSLRedirect
	keepsSlash := r.readBool(r.annotation(nginxPrefix, "preserve-trailing-slash"), d.KeepsSlash)
	switch {
	case !ssl.isSet || ssl.isNginx:
		isOn, isForced = r.readBool(ssl, isOn), r.readBool(force, isForced)
	case force.isSet:
		r.invalid(force.key, "annotation %s is ignored, because %s takes precedence", force.key, ssl.key)
		fallthrough
	default:
		isForced = r.readBool(ssl, isForced)
		isOn, keepsSlash = isForced, true
	}
	if isOn || isForced {
		p.https = &model.HTTPSRedirect{Status: r.redirectStatus(), DropsTrailingSlash: !keepsSlash}
		p.isForced = isForced
	}
}

// readRedirect reads the redirect of all requests. As in ingress-nginx, a temporal one takes precedence.
func (r *annotationReader) readRedirect(p *pathSettings) {
	own, ownCode := r.annotation(annotationPrefix, "redirect"), r.annotation(annotationPrefix, "redirect-code")
	temporal, temporalCode := r.annotation(nginxPrefix, "temporal-redirect"), r.annotation(nginxPrefix, "temporal-redirect-code")
	permanent, permanentCode := r.annotation(nginxPrefix, "permanent-redirect"), r.annotation(nginxPrefix, "permanent-redirect-code")
	for _, c := range []struct {
		url, code value
		status    int
	}{{own, ownCode, 302}, {temporal, temporalCode, 302}, {permanent, permanentCode, 301}} {
		switch {
		case c.url.text == "":
			if c.code.isSet {
				r.invalid(c.code.key, "annotation %s has no effect without %s", c.code.key, strings.TrimSuffix(c.code.key, "-code"))
			}
		case p.redirect != nil:
			r.invalid(c.url.key, "annotation %s is ignored, because another redirect takes precedence", c.url.key)
		case checkRedirect(c.url.text) != "":
			r.invalidValue(c.url.key, checkRedirect(c.url.text))
		default:
			p.redirect = &model.Redirect{Status: r.readStatus(c.code, c.status), URL: c.url.text}
		}
	}
}

// readStatus returns the status of a redirect.
func (r *annotationReader) readStatus(v value, fallback int) int {
	if !v.isSet {
		return fallback
	}
	status, err := strconv.Atoi(v.text)
	if err != nil || status < 300 || status > 308 || status == 304 || status == 306 {
		r.invalidValue(v.key, "it must be 300, 301, 302, 303, 305, 307 or 308")
		return fallback
	}
	return status
}

// redirectVariables are the variables of nginx that the URL of a redirect may contain.
var redirectVariables = []string{"$scheme", "$host", "$http_host", "$request_uri"}

// checkRedirect returns the problem of the URL of a redirect, or "".
func checkRedirect(text string) string {
	const must = "it must be an absolute URL that begins with http:// or https://, and may contain the variables "
	plain := strings.NewReplacer("$request_uri", "/x", "$http_host", "h", "$scheme", "https", "$host", "h").Replace(text)
	u, err := url.Parse(plain)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || !isURLText(plain) ||
		strings.Contains(plain, "$") {
		return must + strings.Join(redirectVariables, ", ")
	}
	return ""
}

// isURLText reports whether text has only bytes that a URL may contain.
func isURLText(text string) bool {
	const maxURL = 2048
	for i := range len(text) {
		if c := text[i]; c <= ' ' || c >= 0x7f || strings.IndexByte("\"<>\\^`{|}", c) >= 0 {
			return false
		}
	}
	return len(text) <= maxURL
}

// readAppRoot returns the path to which "/" is redirected.
func (r *annotationReader) readAppRoot() string {
	v := r.setting("app-root", "app-root")
	if v.text == "" || isLocalPath(v.text) && v.text != "/" {
		return v.text
	}
	r.invalidValue(v.key, `it must be a path that begins with one "/", and not "/" itself`)
	return ""
}

// isLocalPath reports whether text is a path on the same host. "//" would be another host.
func isLocalPath(text string) bool {
	return strings.HasPrefix(text, "/") && !strings.HasPrefix(text, "//") && isURLText(text) && !strings.Contains(text, "$")
}

// maxAliases bounds the aliases of an Ingress.
const maxAliases = 32

// readAliases returns the valid hosts in the list.
func (r *annotationReader) readAliases() []string {
	v := r.setting("host-aliases", "server-alias")
	var aliases []string
	for entry := range strings.SplitSeq(v.text, ",") {
		host := strings.ToLower(strings.TrimSpace(entry))
		switch problem := checkHost(host); {
		case host == "" || slices.Contains(aliases, host):
		case problem != "":
			r.invalid(v.key, "annotation %s lists %s, which %s. This host is ignored", v.key, quote(entry), problem)
		case len(aliases) == maxAliases:
			r.invalidValue(v.key, fmt.Sprintf("it must list at most %d hosts", maxAliases))
			return aliases
		default:
			aliases = append(aliases, host)
		}
	}
	return aliases
}

// upstreamVariables are the variables of ingress-nginx that the Host for pods may contain.
var upstreamVariables = []string{"$service_name", "$namespace", "$service_port"}

func (r *annotationReader) readUpstreamHost() string {
	v := r.setting("upstream-host", "upstream-vhost")
	if v.text == "$host" || v.text == "$http_host" { // the default
		return ""
	}
	plain := v.text
	for _, name := range upstreamVariables {
		plain = strings.ReplaceAll(plain, name, "1")
	}
	host, port, hasPort := strings.Cut(plain, ":")
	_, err := strconv.ParseUint(port, 10, 16)
	isHost := host != "" && !strings.Contains(host, "*") && checkHost(strings.ToLower(host)) == ""
	if v.text == "" || isHost && (!hasPort || err == nil) {
		return v.text
	}
	r.invalidValue(v.key, "it must be a host with an optional port, and may contain the variables "+
		strings.Join(upstreamVariables, ", "))
	return ""
}

func (r *annotationReader) readPrefix() string {
	v := r.setting("forwarded-prefix", "x-forwarded-prefix")
	if v.text == "" || isLocalPath(v.text) {
		return v.text
	}
	r.invalidValue(v.key, `it must be a path that begins with "/", without references to groups`)
	return ""
}
