package translate

import (
	"time"

	"github.com/limpet-dev/limpet/pkg/model"
)

// NginxDefaults are the settings that ingress-nginx applies to all Ingresses unless an annotation overrides them. Its
// ConfigMap changes them.
type NginxDefaults struct {
	// SSLRedirect redirects cleartext requests for hosts with a TLS section to HTTPS.
	SSLRedirect bool
	// ForceSSLRedirect redirects cleartext requests for all hosts.
	ForceSSLRedirect bool
	// RedirectCode is the status of redirects to HTTPS and between a host and its www twin.
	RedirectCode int
	// HSTS is the Strict-Transport-Security field of responses over TLS, as returned by ParseHSTS. Options.HSTS overrides it.
	HSTS string
	// MaxBodyBytes is the maximum size of a request body. model.NoBound disables the limit.
	MaxBodyBytes int64
	// ConnectTimeout, ReadTimeout and SendTimeout are proxy-connect-timeout, proxy-read-timeout and proxy-send-timeout.
	ConnectTimeout, ReadTimeout, SendTimeout time.Duration
	// MaxAttempts is proxy-next-upstream-tries.
	MaxAttempts int
	// LimitStatus and LimitConnectionStatus are limit-req-status-code and limit-conn-status-code.
	LimitStatus, LimitConnectionStatus int
	// AllowedResponseHeaders is global-allowed-response-headers. Nil allows all fields that Limpet does not set itself.
	AllowedResponseHeaders []string
	// IsLikeNginx compares paths as ingress-nginx does, and redirects to the slash at the end of a rule's path.
	IsLikeNginx bool

	// The fields below are set by the ConfigMap only. Their zero values are the defaults of ingress-nginx.

	// KeepsSlash is preserve-trailing-slash, and RelativeRedirects is relative-redirects.
	KeepsSlash, RelativeRedirects bool
	// NoRedirectLocations and NoAuthLocations are the beginnings of paths, as written in rules, without the redirect to HTTPS and
	// without authentication.
	NoRedirectLocations, NoAuthLocations []string
	// RetryConditions is proxy-next-upstream, and RetryTimeout is proxy-next-upstream-timeout.
	RetryConditions []string
	RetryTimeout    time.Duration
	// Balance is load-balance, or empty.
	Balance model.Pick
	// ResponseRate is limit-rate and limit-rate-after.
	ResponseRate model.ResponseRate
	// ErrorStatuses is custom-http-errors, sorted. KeepsPodErrors is disable-proxy-intercept-errors.
	ErrorStatuses  []int
	KeepsPodErrors bool
	// IsUnlogged is disable-access-log.
	IsUnlogged bool
	// Compression is use-gzip and enable-brotli.
	Compression model.Compression
	// Rewrites are proxy-cookie-domain, proxy-cookie-path and proxy-redirect-from with -to.
	Rewrites model.ResponseRewrites
}

// DefaultNginx returns the settings of ingress-nginx with an empty ConfigMap
// (https://kubernetes.github.io/ingress-nginx/user-guide/nginx-configuration/configmap/).
func DefaultNginx() NginxDefaults {
	return NginxDefaults{
		SSLRedirect: true, RedirectCode: 308, HSTS: "max-age=31536000; includeSubDomains", MaxBodyBytes: 1 << 20,
		ConnectTimeout: 5 * time.Second, ReadTimeout: 60 * time.Second, SendTimeout: 60 * time.Second, MaxAttempts: 3,
		LimitStatus: 503, LimitConnectionStatus: 503, IsLikeNginx: true,
	}
}

// AnnotationNginxDefaults is false to apply none of the implicit settings of ingress-nginx.
const AnnotationNginxDefaults = annotationPrefix + "nginx-defaults"

// defaults returns the settings that apply to the object without an annotation, or nil.
func (r *annotationReader) defaults() *NginxDefaults {
	if !r.isNginx || r.annotations[AnnotationNginxDefaults] == "false" {
		return nil
	}
	return r.options.Nginx
}

// defaultsOrZero is defaults, but returns no settings instead of nil.
func (r *annotationReader) defaultsOrZero() *NginxDefaults {
	if d := r.defaults(); d != nil {
		return d
	}
	return &NginxDefaults{}
}

// checkNginxDefaults reports an invalid AnnotationNginxDefaults. The settings then apply.
func (r *annotationReader) checkNginxDefaults() {
	switch text, isSet := r.annotations[AnnotationNginxDefaults]; {
	case !isSet:
	case text != "true" && text != "false":
		r.invalidValue(AnnotationNginxDefaults, "it must be true or false")
	case !r.isNginx && text == "true":
		r.invalid(AnnotationNginxDefaults,
			"annotation %s has no effect: the class is not one of ingress-nginx", AnnotationNginxDefaults)
	}
}
