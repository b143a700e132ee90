package translate

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/limpet-dev/limpet/pkg/model"
)

// pool returns the Pool of a backend. It returns false and reports a Problem if there is no such pool.
func (b *builder) pool(d *description, backend *backendDescription) (model.Pool, bool) {
	ref, key := b.refer(model.KindService, backend.namespace, backend.service)
	service := b.lookups.service(key)
	if service == nil {
		b.reports.add(d.ref, ReasonServiceNotFound, backend.nameField(),
			"%s does not exist. %s until it does", ref, d.consequence(backend))
		return model.Pool{}, false
	}
	b.reportServiceAnnotations(d, service, backend.nameField())
	if service.Spec.Type == corev1.ServiceTypeExternalName {
		return b.externalPool(d, service, backend)
	}
	port := findPort(service, backend.port)
	if port == nil {
		b.reportPort(d, service, backend)
		return model.Pool{}, false
	}
	if protocol := cmp.Or(port.Protocol, corev1.ProtocolTCP); protocol != corev1.ProtocolTCP {
		b.reports.add(d.ref, ReasonUnsupportedProtocol, backend.portField(),
			"port %d of %s is %s; it must be TCP. %s", port.Port, ref, protocol, d.consequence(backend))
		return model.Pool{}, false
	}
	// The name depends on the number only, because backends that name the same number share the pool.
	name := findPort(service, portDescription{number: port.Port}).Name
	return model.Pool{ID: poolID(service, port.Port), PortName: name}, true
}

// reportServiceAnnotations reports annotations of a Service that Limpet reads on Ingresses only.
func (b *builder) reportServiceAnnotations(d *description, service *corev1.Service, field string) {
	for _, key := range slices.Sorted(maps.Keys(service.Annotations)) {
		if strings.HasPrefix(key, annotationPrefix) {
			b.reports.add(d.ref, ReasonUnknownAnnotation, field,
				"annotation %s of %s has no effect on a Service; set it on the Ingress, or use an AffinityPolicy that targets the Service",
				quote(key), refOf(model.KindService, service))
		}
	}
}

func poolID(service *corev1.Service, port int32) model.PoolID {
	return model.PoolID{Namespace: service.Namespace, Service: service.Name, Port: port}
}

// findPort returns the port that a backend references by name or number, or nil. It prefers the TCP port if a number is both
// a TCP and a UDP port.
func findPort(service *corev1.Service, want portDescription) *corev1.ServicePort {
	var found *corev1.ServicePort
	for i := range service.Spec.Ports {
		port := &service.Spec.Ports[i]
		if want.name != "" && port.Name == want.name {
			return port
		}
		matches := want.name == "" && port.Port == want.number
		if matches && (found == nil || port.Protocol == corev1.ProtocolTCP) {
			found = port
		}
	}
	return found
}

func (b *builder) reportPort(d *description, service *corev1.Service, backend *backendDescription) {
	b.reports.add(d.ref, ReasonPortNotFound, backend.portField(), "%s has no port %s; it has %s. %s",
		refOf(model.KindService, service), portText(backend.port), portList(service), d.consequence(backend))
}

func portText(port portDescription) string {
	if port.name != "" {
		return quote(port.name)
	}
	return fmt.Sprint(port.number)
}

func portList(service *corev1.Service) string {
	if len(service.Spec.Ports) == 0 {
		return "none"
	}
	var out []string
	for _, port := range service.Spec.Ports {
		text := fmt.Sprint(port.Port)
		if port.Name != "" {
			text += fmt.Sprintf(" (%s)", port.Name)
		}
		out = append(out, text)
	}
	return strings.Join(out, ", ")
}
