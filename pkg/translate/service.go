package translate

import (
	"cmp"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"

	"github.com/limpet-dev/limpet/pkg/model"
)

// pool gives the Pool behind a backend, or names the Problem.
func (b *builder) pool(s *source, backend *networkingv1.IngressServiceBackend, field string) (model.Pool, bool) {
	ref, key := b.refer("Service", s.Namespace, backend.Name)
	service := b.services[key]
	if service == nil {
		b.reports.add(s.ref, ReasonServiceNotFound, field+".name",
			"%s does not exist. %s until it does", ref, s.without())
		return model.Pool{}, false
	}
	if service.Spec.Type == corev1.ServiceTypeExternalName {
		return b.externalPool(s, service, backend.Port, field)
	}
	port := findPort(service, backend.Port)
	if port == nil {
		b.reportPort(s, service, backend.Port, field)
		return model.Pool{}, false
	}
	if protocol := cmp.Or(port.Protocol, corev1.ProtocolTCP); protocol != corev1.ProtocolTCP {
		b.reports.add(s.ref, ReasonUnsupportedProtocol, field+".port",
			"port %d of %s is %s; it must be TCP. %s", port.Port, ref, protocol, s.without())
		return model.Pool{}, false
	}
	return model.Pool{ID: poolID(service, port.Port), PortName: port.Name}, true
}

func poolID(service *corev1.Service, port int32) model.PoolID {
	return model.PoolID{Namespace: service.Namespace, Service: service.Name, Port: port}
}

// findPort gives the port that a backend names by name or by number, nil if there is none. Where a number is both a
// TCP and a UDP port, the TCP one is meant.
func findPort(service *corev1.Service, want networkingv1.ServiceBackendPort) *corev1.ServicePort {
	var found *corev1.ServicePort
	for i := range service.Spec.Ports {
		port := &service.Spec.Ports[i]
		if want.Name != "" && port.Name == want.Name {
			return port
		}
		matches := want.Name == "" && port.Port == want.Number
		if matches && (found == nil || port.Protocol == corev1.ProtocolTCP) {
			found = port
		}
	}
	return found
}

func (b *builder) reportPort(s *source, service *corev1.Service, want networkingv1.ServiceBackendPort, field string) {
	b.reports.add(s.ref, ReasonPortNotFound, field+".port", "%s has no port %s; it has %s. %s",
		refOf("Service", service), portText(want), portList(service), s.without())
}

func portText(port networkingv1.ServiceBackendPort) string {
	if port.Name != "" {
		return quote(port.Name)
	}
	return fmt.Sprint(port.Number)
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
