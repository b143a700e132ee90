package translate

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/util/validation"

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

// externalPool is the pool of a Service of type ExternalName. Such a Service need not list its ports: a number is then
// taken as it is.
func (b *builder) externalPool(
	s *source, service *corev1.Service, want networkingv1.ServiceBackendPort, field string,
) (model.Pool, bool) {
	name, wrong := externalName(service.Spec.ExternalName)
	if wrong != "" {
		b.reports.add(s.ref, ReasonInvalidExternalName, field+".name", "externalName %s of %s %s. %s",
			quote(service.Spec.ExternalName), refOf("Service", service), wrong, s.without())
		return model.Pool{}, false
	}
	number := want.Number
	if want.Name != "" {
		port := findPort(service, want)
		if port == nil {
			b.reportPort(s, service, want, field)
			return model.Pool{}, false
		}
		number = port.Port
	}
	if number < 1 || number > 65535 {
		b.reportPort(s, service, want, field)
		return model.Pool{}, false
	}
	return model.Pool{ID: poolID(service, number), ExternalName: name}, true
}

// externalName gives the DNS name of a Service of type ExternalName, or says why it may not be dialled. Names that
// resolvers take for addresses, and names of this machine, would let whoever may write a Service reach what only
// Limpet can: the admin listener, the node.
func externalName(text string) (name, wrong string) {
	name = strings.TrimSuffix(strings.ToLower(text), ".")
	if _, err := netip.ParseAddr(name); err == nil {
		return "", "is an IP address; it must be a DNS name"
	}
	labels := strings.Split(name, ".")
	last := labels[len(labels)-1]
	switch {
	case len(validation.IsDNS1123Subdomain(name)) > 0:
		return "", "must be a DNS name"
	case isNumber(last):
		return "", "ends in a number, which resolvers take for an address; it must be a DNS name"
	case last == "localhost", last == "localdomain", slices.Contains(labels, "localhost"):
		return "", "is a name of this machine"
	}
	return name, ""
}

// isNumber reports whether resolvers take a last label for part of an address: 127.1, 0x7f.1, 2130706433.
func isNumber(label string) bool {
	digits, hex := strings.CutPrefix(label, "0x")
	return strings.Trim(digits, "0123456789") == "" || (hex && strings.Trim(digits, "0123456789abcdef") == "")
}
