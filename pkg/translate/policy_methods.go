package translate

import (
	"cmp"
	"fmt"
	"net/textproto"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/limpet-dev/limpet/api/v1alpha1"
	"github.com/limpet-dev/limpet/pkg/model"
)

// maxName bounds the name of a cookie or header in bytes, as Gateway API does.
const maxName = 256

// framingHeaders frame or route a message. They are rejected as the header of a session.
var framingHeaders = []string{
	"Connection", "Content-Length", "Cookie", "Expect", "Host", "Keep-Alive", "Proxy-Connection", "Set-Cookie", "Te",
	"Trailer", "Transfer-Encoding", "Upgrade",
}

// responseHeaders have a meaning for clients and caches. They are rejected for bindings that write into responses.
var responseHeaders = []string{
	"Accept-Ranges", "Age", "Allow", "Alt-Svc", "Authentication-Info", "Authorization", "Cache-Control", "Clear-Site-Data",
	"Content-Disposition", "Content-Encoding", "Content-Language", "Content-Location", "Content-Range",
	"Content-Security-Policy", "Content-Security-Policy-Report-Only", "Content-Type", "Cross-Origin-Embedder-Policy",
	"Cross-Origin-Opener-Policy", "Cross-Origin-Resource-Policy", "Access-Control-Allow-Credentials",
	"Access-Control-Allow-Headers", "Access-Control-Allow-Methods", "Access-Control-Allow-Origin",
	"Access-Control-Expose-Headers", "Access-Control-Max-Age", "Date", "Etag", "Expires", "Forwarded", "Last-Modified",
	"Link", "Location", "Origin", "Permissions-Policy", "Pragma", "Proxy-Authenticate", "Proxy-Authentication-Info",
	"Proxy-Authorization", "Range", "Referer", "Referrer-Policy", "Refresh", "Retry-After", "Sec-Websocket-Accept",
	"Sec-Websocket-Extensions", "Sec-Websocket-Protocol", "Server", "Strict-Transport-Security", "Sunset", "User-Agent",
	"Vary", "Via", "Warning", "Www-Authenticate", "X-Accel-Redirect", "X-Content-Type-Options", "X-Forwarded-For",
	"X-Forwarded-Host", "X-Forwarded-Port", "X-Forwarded-Proto", "X-Frame-Options", "X-Real-Ip", "X-Request-Id",
}

func (c *compiler) methods(in []v1alpha1.Method) []model.Method {
	if len(in) == 0 {
		c.invalid("methods", "must have at least one entry")
	}
	out := make([]model.Method, len(in))
	for i := range in {
		out[i] = c.method(&in[i], fmt.Sprintf("methods[%d]", i))
	}
	return out
}

// methodKind is a combination of source and binding.
type methodKind struct {
	source  v1alpha1.Source
	binding v1alpha1.Binding
}

// supportedMethods are the combinations that this version supports.
var supportedMethods = map[methodKind]bool{
	{v1alpha1.SourceCookie, v1alpha1.BindingIssued}:      true,
	{v1alpha1.SourceCookie, v1alpha1.BindingHashed}:      true,
	{v1alpha1.SourceCookie, v1alpha1.BindingLearned}:     true,
	{v1alpha1.SourceCookie, v1alpha1.BindingWrapped}:     true,
	{v1alpha1.SourceCookie, v1alpha1.BindingNamed}:       true,
	{v1alpha1.SourceHeader, v1alpha1.BindingIssued}:      true,
	{v1alpha1.SourceHeader, v1alpha1.BindingLearned}:     true,
	{v1alpha1.SourceHeader, v1alpha1.BindingWrapped}:     true,
	{v1alpha1.SourceHeader, v1alpha1.BindingNamed}:       true,
	{v1alpha1.SourceQueryParam, v1alpha1.BindingLearned}: true,
	{v1alpha1.SourceQueryParam, v1alpha1.BindingNamed}:   true,
	{v1alpha1.SourcePathSegment, v1alpha1.BindingNamed}:  true,
	{v1alpha1.SourceHeader, v1alpha1.BindingHashed}:      true,
	{v1alpha1.SourceQueryParam, v1alpha1.BindingHashed}:  true,
	{v1alpha1.SourcePathSegment, v1alpha1.BindingHashed}: true,
	{v1alpha1.SourceSourceIP, v1alpha1.BindingHashed}:    true,
	{v1alpha1.SourceComposite, v1alpha1.BindingHashed}:   true,
}

// bindingsOf returns the bindings that a source supports, as text in alphabetical order.
func bindingsOf(source v1alpha1.Source) string {
	var bindings []string
	for kind := range supportedMethods {
		if kind.source == source {
			bindings = append(bindings, string(kind.binding))
		}
	}
	slices.Sort(bindings)
	return strings.Join(bindings, ", ")
}

func (c *compiler) method(m *v1alpha1.Method, field string) model.Method {
	out := model.Method{Source: model.Source(m.Source), Binding: model.Binding(m.Binding)}
	if !supportedMethods[methodKind{m.Source, m.Binding}] {
		c.unsupported(field, "source %s does not support binding %s; use one of %s", m.Source, m.Binding, bindingsOf(m.Source))
		return out
	}
	if m.Binding == v1alpha1.BindingNamed {
		out.Separator, out.By = c.named(m.Named, field+".named")
	}
	switch m.Source {
	case v1alpha1.SourceCookie:
		out.Cookie = c.methodCookie(m, field+".cookie")
	case v1alpha1.SourceHeader:
		out.Header = c.header(m.Header, field+".header.name")
		c.checkResponseHeader(m.Binding, out.Header, field+".header.name")
	case v1alpha1.SourceQueryParam:
		out.QueryParam = c.queryParam(m.QueryParam, field+".queryParam.name")
	case v1alpha1.SourcePathSegment:
		out.PathSegment = c.pathSegment(m.PathSegment, field+".pathSegment.index")
	case v1alpha1.SourceSourceIP:
		out.SourceIP = c.sourceIP(m.SourceIP, field+".sourceIP")
	case v1alpha1.SourceComposite:
		out.Parts = c.composite(m.Composite, field+".composite.parts")
	}
	return out
}

// methodCookie returns the cookie of a method. It includes the attributes only if Limpet sets the cookie.
func (c *compiler) methodCookie(m *v1alpha1.Method, field string) *model.Cookie {
	if m.Binding == v1alpha1.BindingIssued {
		return c.cookie(m.Cookie, field)
	}
	if m.Cookie == nil || !isToken(m.Cookie.Name) {
		c.invalid(field+".name", "with binding %s must be a cookie name of 1 to %d bytes", m.Binding, maxName)
		return nil
	}
	return &model.Cookie{Name: m.Cookie.Name}
}

// checkPrefix rejects attributes with which browsers discard a cookie that has a name prefix (RFC 6265bis, section 4.1.3). With
// secure Auto such a cookie is always Secure, see checkCleartext.
func (c *compiler) checkPrefix(cookie *model.Cookie, field string) {
	prefix, isHost := namePrefix(cookie.Name)
	if prefix == "" {
		return
	}
	if cookie.Secure == model.SecureNever {
		c.invalid(field+".secure", "must be Auto or Always with a name that begins with %s", prefix)
	}
	if isHost && cookie.Domain != "" {
		c.invalid(field+".domain", "must not be set with a name that begins with %s", prefix)
	}
	if isHost && cookie.Path != "/" {
		c.invalid(field+".path", "must be / with a name that begins with %s", prefix)
	}
}

// namePrefix returns the prefix of a cookie name that requires attributes, or "". isHost reports whether the cookie must
// belong to one host. Browsers compare the prefixes without case.
func namePrefix(name string) (prefix string, isHost bool) {
	for _, prefix := range []string{"__Host-", "__Secure-"} {
		if len(name) >= len(prefix) && strings.EqualFold(name[:len(prefix)], prefix) {
			return prefix, prefix == "__Host-"
		}
	}
	return "", false
}

// cookie returns a cookie with its defaults. The name stays empty if it must be generated.
func (c *compiler) cookie(in *v1alpha1.Cookie, field string) *model.Cookie {
	if in == nil {
		in = &v1alpha1.Cookie{}
	}
	out := &model.Cookie{
		Name:        in.Name,
		Path:        cmp.Or(in.Path, "/"),
		Domain:      in.Domain,
		SameSite:    model.SameSite(cmp.Or(in.SameSite, v1alpha1.SameSiteLax)),
		Secure:      model.Secure(cmp.Or(in.Secure, v1alpha1.SecureAuto)),
		HTTPOnly:    in.HTTPOnly == nil || *in.HTTPOnly,
		Partitioned: in.Partitioned,
		Permanent:   in.LifetimeType == v1alpha1.LifetimePermanent,
	}
	c.checkCookie(out, field)
	c.checkPrefix(out, field)
	return out
}

// checkCookie repeats the checks of the API that keep Set-Cookie well-formed and acceptable to browsers.
func (c *compiler) checkCookie(cookie *model.Cookie, field string) {
	if cookie.Name != "" && !isToken(cookie.Name) {
		c.invalid(field+".name", "%s is not a cookie name; it must be a token of at most %d bytes", quote(cookie.Name), maxName)
	}
	if !isCookiePath(cookie.Path) {
		c.invalid(field+".path", `%s is not a cookie path; it must start with "/" and hold visible ASCII without ";"`,
			quote(cookie.Path))
	}
	if cookie.Domain != "" && len(validation.IsDNS1123Subdomain(cookie.Domain)) > 0 {
		c.invalid(field+".domain", "%s is not a domain; it must be a DNS name in lower case", quote(cookie.Domain))
	}
	if cookie.Secure == model.SecureNever && (cookie.SameSite == model.SameSiteNone || cookie.Partitioned) {
		c.invalid(field+".secure", "must be Auto or Always with sameSite None or partitioned")
	}
}

func (c *compiler) header(in *v1alpha1.Header, field string) *model.Header {
	if in == nil || in.Name == "" {
		c.invalid(field, "must be set")
		return nil
	}
	name := textproto.CanonicalMIMEHeaderKey(in.Name)
	switch {
	case !isToken(in.Name):
		c.invalid(field, "%s is not a header name; it must be a token of at most %d bytes", quote(in.Name), maxName)
	case slices.Contains(framingHeaders, name):
		c.invalid(field, "%s frames or routes the message; use a header field of the application", name)
	}
	return &model.Header{Name: name}
}

// checkResponseHeader rejects a header that Limpet would set or change in responses, if clients interpret it themselves.
func (c *compiler) checkResponseHeader(binding v1alpha1.Binding, h *model.Header, field string) {
	writes := binding == v1alpha1.BindingIssued || binding == v1alpha1.BindingWrapped
	if writes && h != nil && slices.Contains(responseHeaders, h.Name) {
		c.invalid(field, "%s has a meaning of its own in responses, so it cannot contain a token; use a header of the application",
			h.Name)
	}
}

// named returns the separator, and the label or annotation that names pods. by is empty for the name of the pod.
func (c *compiler) named(in *v1alpha1.Named, field string) (separator string, by model.Identity) {
	if in == nil {
		return ".", ""
	}
	switch in.By {
	case v1alpha1.NamedByPodLabel:
		by = model.PodLabel(in.Key)
	case v1alpha1.NamedByPodAnnotation:
		by = model.PodAnnotation(in.Key)
	}
	if by != "" && in.Key == "" {
		c.invalid(field+".key", "with by: %s must name the label or annotation", in.By)
	}
	return cmp.Or(in.Separator, "."), by
}

func (c *compiler) queryParam(in *v1alpha1.QueryParam, field string) *model.QueryParam {
	if in == nil || in.Name == "" || len(in.Name) > maxName {
		c.invalid(field, "must be a name of 1 to %d bytes", maxName)
		return nil
	}
	return &model.QueryParam{Name: in.Name}
}

// maxSegment is the maximum index of a path segment.
const maxSegment = 31

func (c *compiler) pathSegment(in *v1alpha1.PathSegment, field string) *model.PathSegment {
	if in == nil || in.Index < 0 || in.Index > maxSegment {
		c.invalid(field, "must be from 0 to %d", maxSegment)
		return nil
	}
	return &model.PathSegment{Index: int(in.Index)}
}

func (c *compiler) sourceIP(in *v1alpha1.SourceIP, field string) *model.SourceIP {
	if in == nil {
		in = &v1alpha1.SourceIP{}
	}
	out := &model.SourceIP{
		IPv4PrefixLength: int(cmp.Or(in.IPv4PrefixLength, 32)),
		IPv6PrefixLength: int(cmp.Or(in.IPv6PrefixLength, 64)),
	}
	if out.IPv4PrefixLength < 1 || out.IPv4PrefixLength > 32 {
		c.invalid(field+".ipv4PrefixLength", "%d must be from 1 to 32", out.IPv4PrefixLength)
	}
	if out.IPv6PrefixLength < 1 || out.IPv6PrefixLength > 128 {
		c.invalid(field+".ipv6PrefixLength", "%d must be from 1 to 128", out.IPv6PrefixLength)
	}
	return out
}

// isToken reports whether name is a token (RFC 9110, section 5.6.2) of at most maxName bytes.
func isToken(name string) bool {
	if name == "" || len(name) > maxName {
		return false
	}
	for i := range len(name) {
		c := name[i]
		if c <= ' ' || c >= 0x7f || strings.IndexByte(`"(),/:;<=>?@[\]{}`, c) >= 0 {
			return false
		}
	}
	return true
}

func isCookiePath(path string) bool {
	for i := range len(path) {
		if c := path[i]; c <= ' ' || c >= 0x7f || c == ';' {
			return false
		}
	}
	return strings.HasPrefix(path, "/") && len(path) <= maxPath
}
