package translate

import (
	"cmp"
	"fmt"
	"maps"
	"net/textproto"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/types"

	"github.com/limpet-dev/limpet/pkg/model"
)

// addControllerWide adds what the operator configures for all objects: the Report of the ConfigMap of ingress-nginx, and the
// route for requests that no other route matches.
func (b *builder) addControllerWide() {
	b.reportNginxConfig()
	b.addUnmatched()
}

// reportNginxConfig adds the Report of the ConfigMap of ingress-nginx. Protection that is not enforced comes first, because the
// number of listed problems is bounded.
func (b *builder) reportNginxConfig() {
	c := b.options.config
	if c == nil {
		return
	}
	ref, key := b.refer(model.KindConfigMap, b.options.NginxConfigMap.Namespace, b.options.NginxConfigMap.Name)
	b.lookups.configMap(key) // records that the Report depends on it
	b.reports.open(ref, 0)
	problems := slices.Clone(c.problems)
	_, more, _ := b.namedFields(c.addHeaders, "add-headers")
	problems = append(problems, more...)
	_, more, _ = b.namedFields(c.setHeaders, keySetHeaders)
	problems = append(problems, more...)
	slices.SortStableFunc(problems, func(x, y Problem) int {
		return compareBools(x.Reason != ReasonProtectionNotEnforced, y.Reason != ReasonProtectionNotEnforced)
	})
	for _, p := range problems {
		b.reports.addProblem(ref, p)
	}
}

// addUnmatched adds the route to the default backend of the controller.
func (b *builder) addUnmatched() {
	name := b.options.DefaultBackend
	if name.Name == "" {
		return
	}
	service := &description{ref: model.Ref{Kind: model.KindService, Namespace: name.Namespace, Name: name.Name}}
	b.reports.open(service.ref, 0)
	if backend := b.controllerBackend(service); backend != nil {
		b.unmatched = &model.Route{
			Host: model.HostUnmatched, Path: "/", PathType: model.PathPrefix, Source: service.ref, Backends: []model.Backend{*backend},
		}
	}
}

// controllerBackend returns the first port of the default backend of the controller, or nil. It reports problems on d.
func (b *builder) controllerBackend(d *description) *model.Backend {
	name := b.options.DefaultBackend
	backend := backendDescription{
		namespace: name.Namespace, service: name.Name, isAnnotation: true, outcome: "The default backend gets no requests",
	}
	backend.port.number = firstPort(b.lookups.service(name))
	pool, ok := b.pool(d, &backend)
	if !ok {
		return nil
	}
	if _, isKnown := b.pools[pool.ID]; !isKnown { // it may have names of pods already
		b.pools[pool.ID] = pool
	}
	return b.plainBackend(pool.ID)
}

const keySetHeaders = "proxy-set-headers"

// namedFields returns the fields in a ConfigMap that a key of the one of ingress-nginx names, and its problems. closes is why
// routes must be closed: a field is not set that could identify clients to pods.
func (b *builder) namedFields(
	name types.NamespacedName, key string,
) (fields []model.HeaderField, problems []Problem, closes string) {
	if name.Name == "" {
		return nil, nil, ""
	}
	ref, at := b.refer(model.KindConfigMap, name.Namespace, name.Name)
	fail := func(reason, format string, args ...any) {
		problems = append(problems, problemOf(reason, dataField(key), "key "+key+": "+format, args...))
	}
	object, isRequest := b.lookups.configMap(at), key == keySetHeaders
	if object == nil && isRequest {
		fail(ReasonProtectionNotEnforced, "%s does not exist, and its fields may identify clients to pods%s", ref, b.unsetOutcome())
		return nil, problems, ref.String() + " does not exist"
	}
	if object == nil {
		fail(ReasonConfigMapNotFound, "%s does not exist: no field is set until it does", ref)
		return nil, problems, ""
	}
	for _, key := range slices.Sorted(maps.Keys(object.Data)) {
		field := model.HeaderField{Name: textproto.CanonicalMIMEHeaderKey(key), Value: strings.Trim(object.Data[key], " \t\n")}
		problem := globalFieldProblem(&field, isRequest)
		if problem == "" && len(fields) == maxFields {
			problem = fmt.Sprintf("there must be at most %d fields", maxFields)
		}
		switch {
		case problem == "":
			fields = append(fields, field)
		case isRequest && !plainFields[strings.ToLower(field.Name)]:
			fail(ReasonProtectionNotEnforced, "field %s of %s could identify clients to pods, and cannot be set, because %s%s",
				quote(key), ref, problem, b.unsetOutcome())
			closes = fmt.Sprintf("field %s of %s is not set", quote(key), ref)
		default:
			fail(ReasonInvalidConfigMap, "field %s of %s is ignored, because %s", quote(key), ref, problem)
		}
	}
	return fields, problems, closes
}

// globalFieldProblem returns why a field for all Ingresses cannot be set, or "".
func globalFieldProblem(field *model.HeaderField, isRequest bool) string {
	if strings.Contains(field.Value, "$") {
		return "its value has a variable of nginx"
	}
	return fieldProblem(field.Name, field.Value, isRequest)
}

// withGlobalHeaders returns the filters of an object, which may be nil, with the fields that the ConfigMap of ingress-nginx sets
// and hides. It closes the object if a field cannot be set that could identify clients to pods.
func (b *builder) withGlobalHeaders(t *translation, filters *model.Filters) *model.Filters {
	c := b.options.config
	if c == nil || !t.isNginx || t.canary != nil {
		return filters
	}
	request, _, closes := b.namedFields(c.setHeaders, keySetHeaders)
	if closes != "" && b.closesUnset() {
		b.reports.add(t.ref, ReasonProtectionNotEnforced, "", "key %s of %s: %s. The routes of the %s respond 503",
			keySetHeaders, b.options.nginxConfigRef(), closes, t.ref.Kind)
		t.closed = cmp.Or(t.closed, closes)
	}
	var response []model.HeaderField
	if t.usesDefaults {
		response, _, _ = b.namedFields(c.addHeaders, "add-headers")
		for _, name := range c.hidden {
			response = addField(response, model.HeaderField{Name: name})
		}
	}
	if len(request)+len(response) == 0 {
		return filters
	}
	out := model.Filters{}
	if filters != nil {
		out = *filters
	}
	headers := model.HeaderChanges{}
	if out.Headers != nil {
		headers = *out.Headers
	}
	headers.Request, headers.Response = addFields(headers.Request, request), addFields(headers.Response, response)
	out.Headers = &headers
	return &out
}

// unsetOutcome completes a message about a field that cannot be set.
func (b *builder) unsetOutcome() string {
	if !b.closesUnset() {
		return ". The Ingresses serve without it, because you waive it"
	}
	return ": the routes of " + closesAll.String() + " respond 503. To serve unprotected, add " + keySetHeaders +
		" to --nginx-unenforced-keys"
}

// closesUnset reports whether the operator does not waive the protection of proxy-set-headers.
func (b *builder) closesUnset() bool {
	return !b.options.ServeUnprotected && !slices.Contains(b.options.NginxUnenforced, keySetHeaders)
}

// addFields returns a new list with the fields that it does not have.
func addFields(own, more []model.HeaderField) []model.HeaderField {
	out := slices.Clone(own)
	for _, field := range more {
		out = addField(out, field)
	}
	return out
}

func addField(list []model.HeaderField, field model.HeaderField) []model.HeaderField {
	if isAmong(list, field.Name) {
		return list
	}
	return append(list, field)
}

// withoutAuthentication returns filters, which may be nil, that require no authentication.
func withoutAuthentication(filters *model.Filters) *model.Filters {
	if filters == nil || filters.ExternalAuth == nil && filters.Access == nil {
		return filters
	}
	out := *filters
	out.ExternalAuth = nil
	if filters.Access != nil && filters.Access.Passwords != nil {
		access := *filters.Access
		access.Passwords = nil
		out.Access = &access
		if access.Addresses == nil {
			out.Access = nil
		}
	}
	return &out
}
