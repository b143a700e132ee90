package translate

import (
	"bytes"
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/variable"
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
	// isLikeNginx compares paths as ingress-nginx does: a star is literal, and requests for a path without the slash at the end
	// of the rule's path are redirected.
	isLikeNginx bool
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
	p.isLikeNginx, p.unredirected, p.unauthenticated = d.IsLikeNginx, d.NoRedirectLocations, d.NoAuthLocations
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
			if c.url.isSet {
				r.report(ReasonNoEffect, c.url.key, "annotation %s is empty and has no effect", c.url.key)
			}
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

// hostVariables are the variables of nginx that the host of a URL may contain.
var hostVariables = []string{"$scheme", "$host", "$http_host"}

// checkRedirect returns the problem of the URL of a redirect, or "".
func checkRedirect(text string) string {
	template, err := variable.Parse(text)
	if err != nil {
		return "it " + err.Error()
	}
	sample := sampleURL{}
	plain := string(template.Append(nil, &sample, nil))
	u, err := url.Parse(plain)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || !isURLText(plain) ||
		sample.choosesHost {
		return "it must be an absolute URL that begins with http:// or https://, without other variables than " +
			strings.Join(hostVariables, ", ") + " before its path"
	}
	return ""
}

// sampleURL provides sample values for the variables of a URL.
type sampleURL struct {
	// choosesHost is true if another variable than hostVariables is a part of the host.
	choosesHost bool
}

// AppendVariable implements variable.Source. The text of the URL before the variable is in dst.
func (s *sampleURL) AppendVariable(dst []byte, v *variable.Variable) []byte {
	switch v.Kind {
	case variable.Scheme:
		return append(dst, "https"...)
	case variable.Host, variable.Authority:
		return append(dst, 'h')
	}
	_, afterScheme, _ := bytes.Cut(dst, []byte("://"))
	isHost := !bytes.ContainsAny(afterScheme, "/?#")
	if isHost && v.Kind == variable.RequestURI { // begins with a slash
		return append(dst, '/')
	}
	s.choosesHost = s.choosesHost || isHost
	return append(dst, 'x')
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
	listed := 0
	for entry := range strings.SplitSeq(v.text, ",") {
		host := strings.ToLower(strings.TrimSpace(entry))
		if host == "" {
			continue
		}
		listed++
		switch problem := checkHost(host); {
		case listed > maxAliases:
			r.invalidValue(v.key, fmt.Sprintf("it must list at most %d hosts", maxAliases))
			return aliases
		case slices.Contains(aliases, host):
		case problem != "":
			r.invalid(v.key, "annotation %s lists %s, which %s. This host is ignored", v.key, quote(entry), problem)
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
