package translate

import (
	"net/netip"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"
)

// checkHost returns the problem of a host of an Ingress, "" if it is valid. It must be empty (any host), a DNS name in lower
// case, or such a name with "*" as its first label.
func checkHost(host string) string {
	if host == "" {
		return ""
	}
	if _, err := netip.ParseAddr(host); err == nil {
		return "is an IP address; it must be a DNS name"
	}
	if name, wildcard := strings.CutPrefix(host, "*."); wildcard {
		host = name
	}
	if len(validation.IsDNS1123Subdomain(host)) > 0 {
		return `must be a DNS name in lower case, of at most 253 bytes, with "*" for at most its first label`
	}
	return ""
}
