package translate

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/limpet-dev/limpet/pkg/model"
)

// The names of the annotations about error pages.
const (
	nameErrorPages     = "error-pages"
	nameDefaultBackend = "default-backend"
)

// ownRequestAnnotations are the keys of the annotations that make Limpet send requests of its own.
var ownRequestAnnotations = prefixed(slices.Concat(externalAuthNames, []string{
	nameMirrorTarget, nameMirrorHost, nameMirrorBody, nameErrorPages, nameDefaultBackend,
}))

func prefixed(names []string) []string {
	keys := make([]string, len(names))
	for i, name := range names {
		keys[i] = annotationPrefix + name
	}
	return keys
}

// errorPageSettings are the settings of a Service that serves instead of the backends of an object.
type errorPageSettings struct {
	statuses  []int // empty: no error pages
	keepsPods bool
	backend   value // the name of a Service, with an optional port
	// isControllerWide is true if the Service is Options.DefaultBackend, which serves error pages only.
	isControllerWide bool
}

// readErrorPages returns the settings, or nil. They do not restrict access: an invalid annotation is reported and ignored.
func (r *annotationReader) readErrorPages() *errorPageSettings {
	statuses := r.setting(nameErrorPages, "custom-http-errors")
	s := &errorPageSettings{
		backend: r.setting(nameDefaultBackend, nameDefaultBackend), statuses: r.defaultsOrZero().ErrorStatuses,
	}
	s.keepsPods = r.readBool(r.annotation(nginxPrefix, "disable-proxy-intercept-errors"), r.defaultsOrZero().KeepsPodErrors)
	s.isControllerWide = s.backend.text == "" && r.options.DefaultBackend.Name != ""
	switch {
	case s.backend.text != "" || s.isControllerWide:
	case statuses.text != "":
		r.invalid(statuses.key, "annotation %s has no effect without %s, which names the Service with the pages",
			statuses.key, annotationPrefix+nameDefaultBackend)
		return nil
	default:
		return nil
	}
	if statuses.text != "" {
		own, ok := parseStatuses(statuses.text)
		if s.statuses = own; !ok {
			r.invalidValue(statuses.key, "it must be a list of statuses from 300 to 599, such as 404,503")
		}
	}
	if s.isControllerWide && len(s.statuses) == 0 {
		return nil
	}
	return s
}

// parseStatuses returns the statuses of a list, sorted and without duplicates.
func parseStatuses(text string) ([]int, bool) {
	var out []int
	for entry := range strings.SplitSeq(text, ",") {
		status, err := strconv.Atoi(strings.TrimSpace(entry))
		if err != nil || status < 300 || status > 599 {
			return nil, false
		}
		out = append(out, status)
	}
	slices.Sort(out)
	return slices.Compact(out), true
}

// addDefaultBackend sets the Service that serves instead of the backends of an object, and that provides its error pages.
func (b *builder) addDefaultBackend(t *translation) {
	s := t.errorPages
	if s == nil {
		return
	}
	var backend *model.Backend
	if s.isControllerWide {
		backend = b.controllerBackend(t.description)
	} else {
		backend = b.defaultBackend(t)
		t.fallback = backend
	}
	if backend != nil && len(s.statuses) > 0 {
		t.pages = &model.ErrorPages{Statuses: s.statuses, Service: backend.Pool, KeepsPods: s.keepsPods}
	}
}

// defaultBackend returns the Service that the annotation names, or nil. The first port of the Service is used, as in
// ingress-nginx.
func (b *builder) defaultBackend(t *translation) *model.Backend {
	s := t.errorPages
	name, portText, hasPort := strings.Cut(s.backend.text, ":")
	backend := backendDescription{
		serviceField: annotationField(s.backend.key), namespace: t.namespace(), service: name, isAnnotation: true,
		outcome: "It gets no requests",
	}
	number, err := strconv.ParseUint(cmp.Or(portText, "0"), 10, 16)
	if err != nil || hasPort && number == 0 {
		b.reports.add(t.ref, ReasonInvalidAnnotation, annotationField(s.backend.key),
			"annotation %s has the value %s; it must be the name of a Service, with an optional port. The annotation is ignored",
			s.backend.key, quote(s.backend.text))
		return nil
	}
	backend.port.number = int32(number)
	if !hasPort {
		backend.port.number = firstPort(b.lookups.service(types.NamespacedName{Namespace: t.namespace(), Name: name}))
	}
	pool, ok := b.pool(t.description, &backend)
	if !ok {
		return nil
	}
	b.pools[pool.ID] = pool
	return b.plainBackend(pool.ID)
}

func firstPort(service *corev1.Service) int32 {
	if service == nil || len(service.Spec.Ports) == 0 {
		return 0
	}
	return service.Spec.Ports[0].Port
}

// addOwnRequests returns filters, which may be nil, with those of an object that send requests of Limpet's own.
func (b *builder) addOwnRequests(t *translation, filters *model.Filters) *model.Filters {
	auth, mirror, pages := b.externalAuth(t.description), b.mirror(t.description), t.pages
	if auth == nil && mirror == nil && pages == nil {
		return filters
	}
	var out model.Filters
	if filters != nil {
		out = *filters
	}
	out.ExternalAuth, out.Mirror, out.ErrorPages = auth, mirror, pages
	return &out
}

// unusedMirror describes why a mirror is not used.
func unusedMirror(key, why string) string {
	return fmt.Sprintf("annotation %s: %s. No copies are sent", key, why)
}
