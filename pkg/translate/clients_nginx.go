package translate

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/limpet-dev/limpet/pkg/pattern"
)

// nginxClients are the annotations of ingress-nginx about client certificates.
type nginxClients struct {
	secret, verify, depth, errorPage, matchCN, forward value
}

// nginxClientSettings reads the annotations of ingress-nginx about client certificates. They apply to whole hosts. It returns nil
// without them, and for a canary, whose primary decides.
func (r *annotationReader) nginxClientSettings() *clientSettings {
	if isCanary(r.annotations) {
		return nil
	}
	n := nginxClients{
		secret:    r.annotation(nginxPrefix, "auth-tls-secret"),
		verify:    r.annotation(nginxPrefix, "auth-tls-verify-client"),
		depth:     r.annotation(nginxPrefix, "auth-tls-verify-depth"),
		errorPage: r.annotation(nginxPrefix, "auth-tls-error-page"),
		matchCN:   r.annotation(nginxPrefix, "auth-tls-match-cn"),
		forward:   r.annotation(nginxPrefix, "auth-tls-pass-certificate-to-upstream"),
	}
	switch {
	case n.verify.text == "off":
		if n.matchCN.text != "" { // ingress-nginx refuses all requests
			r.failProtection(n.matchCN, true, "requires annotation auth-tls-verify-client with another value than off")
		}
		return nil
	case n.secret.text == "":
		r.requireClientSecret(&n)
		return nil
	}
	namespace, name, found := strings.Cut(n.secret.text, "/")
	if !found || name == "" || strings.Contains(name, "/") || namespace != r.namespace() {
		r.failProtection(n.secret, true, "has the value "+quote(n.secret.text)+
			"; it must be the namespace of the Ingress, a slash and the name of a Secret")
		return nil
	}
	return &clientSettings{
		secret: name, hasCA: true, annotation: n.secret.key, isNginx: true,
		required: r.requiresCertificate(n.verify), ignoresIssuer: n.verify.text == "optional_no_ca",
		maxIntermediates: r.verifyDepth(n.depth), subject: r.matchCN(n.matchCN), errorPage: r.errorPage(n.errorPage),
		forward: r.readBool(n.forward, false),
	}
}

// requireClientSecret closes the object because of an annotation that only refines the verification of clients.
func (r *annotationReader) requireClientSecret(n *nginxClients) {
	for _, v := range []value{n.verify, n.matchCN, n.depth, n.errorPage, n.forward} {
		if v.text != "" {
			r.failProtection(v, true, "requires annotation auth-tls-secret")
			return
		}
	}
}

// requiresCertificate reads auth-tls-verify-client. An unknown value has the effect of on, as in ingress-nginx.
func (r *annotationReader) requiresCertificate(v value) bool {
	switch v.text {
	case "optional", "optional_no_ca":
		return false
	case "", "on":
	default:
		r.invalid(v.key, "annotation %s has the value %s; it must be one of on, off, optional, optional_no_ca. "+
			"A certificate is required", v.key, quote(v.text))
	}
	return true
}

// verifyDepth returns the maximum number of CAs between a client and a root. As in ingress-nginx, 0 counts as 1.
func (r *annotationReader) verifyDepth(v value) int {
	const fallback, most = 1, 100
	if v.text == "" {
		return fallback
	}
	depth, err := strconv.Atoi(v.text)
	if err != nil || depth < 0 || depth > most {
		r.invalid(v.key, "annotation %s has the value %s; it must be a whole number from 0 to %d. The depth is %d",
			v.key, quote(v.text), most, fallback)
		return fallback
	}
	return max(depth, fallback)
}

// matchCN returns the pattern for the subject of clients. An invalid one closes the object.
func (r *annotationReader) matchCN(v value) string {
	if v.text == "" {
		return ""
	}
	if !strings.Contains(v.text, "CN=") {
		r.failProtection(v, true, `has the value `+quote(v.text)+`; it must be a regular expression that contains "CN="`)
		return ""
	}
	if _, err := pattern.Compile(v.text); err != nil {
		r.failProtection(v, true, fmt.Sprintf("must be a regular expression in the syntax of RE2, which has no look-around: %v", err))
		return ""
	}
	return v.text
}

// errorPage returns the URL to which clients without a valid certificate are redirected. Other values are ignored: these clients
// get the status 400.
func (r *annotationReader) errorPage(v value) string {
	const longest = 2048
	if v.text == "" {
		return ""
	}
	page, err := url.Parse(v.text)
	if err != nil || page.Scheme != "http" && page.Scheme != "https" || page.Host == "" || len(v.text) > longest {
		r.invalid(v.key, "annotation %s has the value %s; it must be a URL such as https://example.com/denied. "+
			"Clients without a valid certificate receive status 400", v.key, quote(v.text))
		return ""
	}
	return page.String()
}
