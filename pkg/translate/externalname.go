package translate

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/limpet-dev/limpet/pkg/model"
)

// AnyExternalName is the suffix that allows every name in Options.ExternalNames.
const AnyExternalName = "*"

// ParseNameSuffix returns an entry of Options.ExternalNames in its normal form: AnyExternalName, or a DNS name in lower
// case. "*.example.com" and ".example.com" are equivalent to "example.com".
func ParseNameSuffix(text string) (string, error) {
	if text == AnyExternalName {
		return text, nil
	}
	name := strings.TrimSuffix(strings.ToLower(text), ".")
	name = strings.TrimPrefix(strings.TrimPrefix(name, "*"), ".")
	if len(validation.IsDNS1123Subdomain(name)) > 0 {
		return "", fmt.Errorf("%q is neither a DNS name such as example.com nor *", text)
	}
	return name, nil
}

// externalPool returns the pool of a Service of type ExternalName. Such a Service need not list its ports, so any port
// number is accepted.
func (b *builder) externalPool(
	d *description, service *corev1.Service, backend *backendDescription,
) (model.Pool, bool) {
	want := backend.port
	name, problem := externalName(service.Spec.ExternalName)
	if problem != "" {
		b.reports.add(d.ref, ReasonInvalidExternalName, backend.nameField(), "externalName %s of %s %s. %s",
			quote(service.Spec.ExternalName), refOf(model.KindService, service), problem, d.consequence(backend))
		return model.Pool{}, false
	}
	if !b.allowsName(name) {
		b.reports.add(d.ref, ReasonExternalNameNotAllowed, backend.nameField(),
			"%s has the externalName %s, which --external-names does not allow; list the name or a parent domain there. %s",
			refOf(model.KindService, service), quote(name), d.consequence(backend))
		return model.Pool{}, false
	}
	number := want.number
	if want.name != "" {
		port := findPort(service, want)
		if port == nil {
			b.reportPort(d, service, backend)
			return model.Pool{}, false
		}
		number = port.Port
	}
	if number < 1 || number > 65535 {
		b.reportPort(d, service, backend)
		return model.Pool{}, false
	}
	return model.Pool{ID: poolID(service, number), ExternalName: name}, true
}

// allowsName reports whether the operator allows a name or one of its parent domains.
func (b *builder) allowsName(name string) bool {
	return slices.ContainsFunc(b.options.ExternalNames, func(suffix string) bool {
		return suffix == AnyExternalName || name == suffix || strings.HasSuffix(name, "."+suffix)
	})
}

// externalName returns the DNS name of a Service of type ExternalName, or the reason why it must not be dialled regardless
// of Options.ExternalNames. Names that resolvers treat as addresses, and names of this machine or of the cluster, would let
// authors of a Service reach addresses that only Limpet can reach: the admin listener, the node, Services of other
// namespaces. The addresses of accepted names are checked when they are dialled.
func externalName(text string) (name, problem string) {
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
		return "", "ends in a number, which resolvers treat as an address; it must be a DNS name"
	case last == "localhost", last == "localdomain", slices.Contains(labels, "localhost"):
		return "", "is a name of this machine"
	case len(labels) == 1:
		return "", "is a single label, which DNS search domains turn into a cluster name; it must have at least two labels"
	case isClusterName(labels):
		return "", "is a cluster name; use the Service itself as the backend"
	}
	return name, ""
}

// isClusterName reports whether the DNS of a cluster may have the name: "cart.shop.svc" with or without a domain, names of
// pods below it, and "10-0-0-7.shop.pod.cluster.local". The domain of the cluster is not known here, so a label "svc" is
// rejected at any position that the name of a Service can have.
func isClusterName(labels []string) bool {
	n := len(labels)
	switch {
	case slices.Contains(labels[1:], "svc"):
		return true
	case labels[n-1] == "cluster" || n > 1 && labels[n-2] == "cluster" && labels[n-1] == "local":
		return true
	}
	_, err := netip.ParseAddr(strings.ReplaceAll(labels[0], "-", "."))
	return err == nil && slices.Contains(labels[1:], "pod")
}

// isNumber reports whether resolvers treat a last label as part of an address: 127.1, 0x7f.1, 2130706433.
func isNumber(label string) bool {
	digits, hex := strings.CutPrefix(label, "0x")
	return strings.Trim(digits, "0123456789") == "" || (hex && strings.Trim(digits, "0123456789abcdef") == "")
}
