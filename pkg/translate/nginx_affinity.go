package translate

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/limpet-dev/limpet/api/v1alpha1"
	"github.com/limpet-dev/limpet/pkg/model"
)

// defaultNginxCookie is the default of session-cookie-name.
const defaultNginxCookie = "INGRESSCOOKIE"

// maxCookieSeconds bounds session-cookie-max-age and session-cookie-expires to a hundred years.
const maxCookieSeconds = 100 * 366 * 24 * 3600

// nginxAffinity returns the stickiness that annotations of ingress-nginx configure. As there, a cookie takes precedence over
// a hash.
func (r *annotationReader) nginxAffinity() choice {
	affinity := r.annotation(nginxPrefix, "affinity")
	switch affinity.text {
	case "":
	case "cookie":
		if !r.followsPrimary() {
			return choice{made: true, annotation: affinity.key, settings: r.nginxCookie(affinity.key)}
		}
	default:
		r.invalidValue(affinity.key, "it must be cookie")
	}
	return r.hashChoice()
}

// followsPrimary reports whether the object is a canary that has the sessions of its primary Ingress. ingress-nginx then
// ignores its own affinity.
func (r *annotationReader) followsPrimary() bool {
	return isCanary(r.annotations) && r.annotation(annotationCanarySplit, "").text != "legacy"
}

// nginxCookie returns the settings of affinity cookie. Its mode does not matter: sessions are never moved to new pods.
func (r *annotationReader) nginxCookie(key string) *model.Affinity {
	r.oneOf("affinity-mode", "balanced", "persistent", "persistent-drainable")
	secure := v1alpha1.SecureAuto
	if r.nginxBool("session-cookie-secure") {
		secure = v1alpha1.SecureAlways
	}
	settings, problems := compile(r.ref, &v1alpha1.AffinityPolicySpec{
		Methods: []v1alpha1.Method{{
			Source: v1alpha1.SourceCookie, Binding: v1alpha1.BindingIssued,
			Cookie: &v1alpha1.Cookie{
				Name: r.cookieName(), Domain: r.cookieDomain(), Secure: secure, Partitioned: r.nginxBool("session-cookie-partitioned"),
			},
		}},
		Adopt: []v1alpha1.Adopted{v1alpha1.AdoptIngressNginx},
	})
	for _, p := range problems {
		r.invalid(key, "annotation %s: %s. The backends serve without stickiness", key, p.Message)
	}
	if settings == nil {
		return nil
	}
	cookie := settings.Methods[0].Cookie
	cookie.Path = r.cookiePath()
	cookie.SameSite = r.cookieSameSite()
	cookie.CompatibleSameSite = r.nginxBool("session-cookie-conditional-samesite-none")
	cookie.MaxAge = r.cookieSeconds("session-cookie-max-age")
	if seconds := r.cookieSeconds("session-cookie-expires"); seconds != nil && *seconds > 0 {
		cookie.ExpiresAfter = time.Duration(*seconds) * time.Second
	}
	moves, isSet := r.parseBool(r.annotation(nginxPrefix, "session-cookie-change-on-failure"))
	settings.KeepFailed = isSet && !moves
	return settings
}

func (r *annotationReader) cookieName() string {
	v := r.annotation(nginxPrefix, "session-cookie-name")
	switch {
	case v.text == "":
		return defaultNginxCookie
	case !isToken(v.text):
		r.invalidValue(v.key, fmt.Sprintf("it must be a token of at most %d bytes", maxName))
		return defaultNginxCookie
	}
	return v.text
}

// cookiePath returns "" for the default: the path of each route.
func (r *annotationReader) cookiePath() string {
	v := r.annotation(nginxPrefix, "session-cookie-path")
	if v.text != "" && !isCookiePath(v.text) {
		r.invalidValue(v.key, `it must start with "/" and hold visible ASCII without ";"`)
		return ""
	}
	return v.text
}

func (r *annotationReader) cookieDomain() string {
	v := r.annotation(nginxPrefix, "session-cookie-domain")
	domain := strings.ToLower(strings.TrimPrefix(v.text, ".")) // browsers ignore the dot (RFC 6265, section 5.2.3)
	if domain != "" && len(validation.IsDNS1123Subdomain(domain)) > 0 {
		r.invalidValue(v.key, "it must be a DNS name")
		return ""
	}
	return domain
}

// cookieSameSite returns "" for the default: no attribute.
func (r *annotationReader) cookieSameSite() model.SameSite {
	v := r.annotation(nginxPrefix, "session-cookie-samesite")
	for _, s := range []model.SameSite{model.SameSiteNone, model.SameSiteLax, model.SameSiteStrict} {
		if strings.EqualFold(v.text, string(s)) {
			return s
		}
	}
	if v.text != "" {
		r.invalidValue(v.key, "it must be one of None, Lax, Strict")
	}
	return ""
}

// cookieSeconds returns a number of seconds, nil if it is not set or invalid. ingress-nginx accepts negative ones.
func (r *annotationReader) cookieSeconds(name string) *int64 {
	v := r.annotation(nginxPrefix, name)
	if v.text == "" {
		return nil
	}
	seconds, err := strconv.ParseInt(v.text, 10, 64)
	if err != nil || seconds > maxCookieSeconds || seconds < -maxCookieSeconds {
		r.invalidValue(v.key, "it must be a number of seconds")
		return nil
	}
	return &seconds
}

// nginxBool returns the value of an annotation whose default is false.
func (r *annotationReader) nginxBool(name string) bool {
	return r.readBool(r.annotation(nginxPrefix, name), false)
}

// oneOf reports an annotation of ingress-nginx that has another value.
func (r *annotationReader) oneOf(name string, values ...string) {
	v := r.annotation(nginxPrefix, name)
	for _, value := range values {
		if v.text == value || v.text == "" {
			return
		}
	}
	r.invalidValue(v.key, "it must be one of "+strings.Join(values, ", "))
}

// setCookiePath sets the paths of cookies whose default is the path of their route. For a pattern, that is the folder before
// its first special byte. A path that a cookie cannot have becomes "/".
func setCookiePath(backend *model.Backend, path string) {
	if backend.Affinity == nil {
		return
	}
	for i := range backend.Affinity.Methods {
		if cookie := backend.Affinity.Methods[i].Cookie; cookie != nil && cookie.Path == "" && isIssued(backend.Affinity.Methods[i]) {
			cookie.Path = cookiePathOf(path)
		}
	}
}

func cookiePathOf(path string) string {
	if at := strings.IndexAny(path, patternBytes); at >= 0 {
		path = path[:strings.LastIndexByte(path[:at], '/')+1]
	}
	if !isCookiePath(path) {
		return "/"
	}
	return path
}
