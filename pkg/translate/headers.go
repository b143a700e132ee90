package translate

import (
	"fmt"
	"maps"
	"net/textproto"
	"slices"
	"strings"

	"github.com/limpet-dev/limpet/pkg/model"
)

// The annotations of an Ingress that set header fields.
const (
	// AnnotationRequestHeaders has the fields of requests to pods, one "Name: value" per line. No value removes the field.
	AnnotationRequestHeaders = annotationPrefix + "request-headers"
	// AnnotationResponseHeaders has those of responses to clients.
	AnnotationResponseHeaders = annotationPrefix + "response-headers"
	annotationCustomHeaders   = nginxPrefix + "custom-headers"
	annotationProxyConnection = nginxPrefix + "connection-proxy-header"
)

// Bounds of the fields that one object sets.
const (
	maxFields     = 64
	maxFieldBytes = 4 << 10
)

// ownedFields must not be set by an annotation: they frame messages, apply to one connection, carry cookies, or are set by
// Limpet.
var ownedFields = []string{
	"Connection", "Content-Length", "Cookie", "Forwarded", "Host", "Http2-Settings", "Keep-Alive", "Limpet-Release-Session",
	"Proxy-Authenticate", "Proxy-Authentication-Info", "Proxy-Authorization", "Proxy-Connection", "Te", "Trailer",
	"Transfer-Encoding", "Upgrade", "X-Request-Id",
}

// ownedRequestFields must not be set in requests either.
var ownedRequestFields = []string{
	"Client-Cert", "Client-Cert-Chain", "Expect", "Max-Forwards", "Proxy", "Via", "X-Real-Ip", "X-Scheme",
}

// ownedResponseFields must not be set in responses either.
var ownedResponseFields = []string{
	"Alt-Svc", "Content-Encoding", "Content-Range", "Date", "Set-Cookie", "Strict-Transport-Security",
}

// fieldProblem returns why a field cannot be set, or "". The name is in canonical form.
func fieldProblem(name, value string, isRequest bool) string {
	owned := ownedResponseFields
	if isRequest {
		owned = ownedRequestFields
	}
	switch {
	case !isFieldName(name):
		return "its name must consist of letters, digits, hyphens and underscores"
	case slices.Contains(ownedFields, name) || slices.Contains(owned, name):
		return "Limpet sets that field itself"
	case isRequest && (strings.HasPrefix(name, "X-Forwarded-") || strings.HasPrefix(name, "Ssl-Client-")):
		return "fields about clients cannot be set"
	case isRequest && strings.Contains(name, "_"):
		return "many servers do not distinguish an underscore in a name from a hyphen"
	case len(value) > maxFieldBytes:
		return fmt.Sprintf("its value must have at most %d bytes", maxFieldBytes)
	case !isFieldValue(value):
		return "its value must consist of printable ASCII characters"
	}
	return ""
}

const fieldNameBytes = "-_0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

// isFieldName reports whether a name is one that ingress-nginx accepts.
func isFieldName(name string) bool {
	return name != "" && len(name) <= maxName && strings.Trim(name, fieldNameBytes) == ""
}

func isFieldValue(value string) bool {
	return strings.IndexFunc(value, func(c rune) bool { return c != '\t' && (c < ' ' || c > '~') }) < 0
}

// readHeaders reads the annotations that set fields. Those of a ConfigMap are added by builder.customHeaders.
func (r *annotationReader) readHeaders() {
	request, response := r.readFields(AnnotationRequestHeaders, true), r.readFields(AnnotationResponseHeaders, false)
	if len(request)+len(response) > 0 {
		r.ensureFilters().Headers = &model.HeaderChanges{Request: request, Response: response}
	}
	r.customHeaders = r.annotation(nginxPrefix, "custom-headers").text
	if v := r.annotation(nginxPrefix, "connection-proxy-header"); v.isSet {
		switch strings.ToLower(v.text) {
		case "", "keep-alive", "upgrade", "$connection_upgrade":
		default:
			r.invalidValue(annotationProxyConnection, "Limpet manages the connections to pods itself")
		}
	}
}

// readFields returns the fields in an annotation. It leaves out invalid ones.
func (r *annotationReader) readFields(key string, isRequest bool) []model.HeaderField {
	text, set := r.annotations[key]
	if !set {
		return nil
	}
	var out []model.HeaderField
	for line := range strings.SplitSeq(text, "\n") {
		line = strings.Trim(line, " \t")
		if line == "" {
			continue
		}
		name, value, found := strings.Cut(line, ":")
		field := model.HeaderField{Name: textproto.CanonicalMIMEHeaderKey(name), Value: strings.Trim(value, " \t")}
		problem := fieldProblem(field.Name, field.Value, isRequest)
		switch {
		case !found:
			problem = `each line must be "Name: value"`
		case problem == "" && isAmong(out, field.Name):
			problem = "another line sets the same field"
		case problem == "" && len(out) == maxFields:
			problem = fmt.Sprintf("there must be at most %d fields", maxFields)
		}
		if problem != "" {
			r.invalid(key, "annotation %s: line %s is ignored, because %s", key, quote(line), problem)
			continue
		}
		out = append(out, field)
	}
	return out
}

func isAmong(fields []model.HeaderField, name string) bool {
	return slices.ContainsFunc(fields, func(f model.HeaderField) bool { return f.Name == name })
}

// ensureFilters returns the filters of the object, to be modified by the reader.
func (r *annotationReader) ensureFilters() *model.Filters {
	if r.filters == nil {
		r.filters = &model.Filters{}
	}
	return r.filters
}

// withCustomHeaders returns the filters of an object with the fields of the ConfigMap that it names.
func (b *builder) withCustomHeaders(d *description) *model.Filters {
	if d.customHeaders == "" {
		return d.filters
	}
	fields := b.customHeaders(d)
	if len(fields) == 0 {
		return d.filters
	}
	filters, headers := model.Filters{}, model.HeaderChanges{}
	if d.filters != nil {
		filters = *d.filters
	}
	if filters.Headers != nil {
		headers = *filters.Headers
	}
	for _, own := range headers.Response { // the annotation of Limpet takes precedence
		fields = slices.DeleteFunc(fields, func(f model.HeaderField) bool { return f.Name == own.Name })
	}
	headers.Response = slices.Concat(headers.Response, fields)
	filters.Headers = &headers
	return &filters
}

// customHeaders returns the fields in the ConfigMap that custom-headers names. It leaves out invalid ones.
func (b *builder) customHeaders(d *description) []model.HeaderField {
	field := annotationField(annotationCustomHeaders)
	namespace, name, found := strings.Cut(d.customHeaders, "/")
	if !found {
		namespace, name = d.namespace(), d.customHeaders
	}
	allowed := b.allowedHeaders(d)
	if namespace != d.namespace() && allowed == nil {
		b.reports.add(d.ref, ReasonInvalidAnnotation, field, "annotation %s names a ConfigMap of another namespace: it is ignored, "+
			"unless global-allowed-response-headers is set", annotationCustomHeaders)
		return nil
	}
	ref, key := b.refer(model.KindConfigMap, namespace, name)
	configMap := b.lookups.configMap(key)
	if configMap == nil {
		b.reports.add(d.ref, ReasonConfigMapNotFound, field, "%s does not exist: no field is set until it does", ref)
		return nil
	}
	var out []model.HeaderField
	for _, key := range slices.Sorted(maps.Keys(configMap.Data)) {
		value := strings.Trim(configMap.Data[key], " \t\n")
		name, problem := textproto.CanonicalMIMEHeaderKey(key), ""
		if problem = fieldProblem(name, value, false); problem == "" && allowed != nil && !containsFold(allowed, name) {
			problem = "global-allowed-response-headers does not list it"
		}
		if problem == "" && len(out) == maxFields {
			problem = fmt.Sprintf("there must be at most %d fields", maxFields)
		}
		if problem != "" {
			b.reports.add(d.ref, ReasonInvalidConfigMap, field, "%s: field %s is ignored, because %s", ref, quote(key), problem)
			continue
		}
		out = append(out, model.HeaderField{Name: name, Value: value})
	}
	return out
}

// allowedHeaders returns global-allowed-response-headers, nil if the operator has not set it.
func (b *builder) allowedHeaders(d *description) []string {
	if b.options.Nginx == nil || !d.isNginx {
		return nil
	}
	return b.options.Nginx.AllowedResponseHeaders
}

func containsFold(list []string, name string) bool {
	return slices.ContainsFunc(list, func(s string) bool { return strings.EqualFold(s, name) })
}
