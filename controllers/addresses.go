package controllers

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"slices"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// addresses determines the external addresses of Limpet for the status of Ingresses. It is safe for concurrent use.
type addresses struct {
	reader  client.Reader // the cache
	service types.NamespacedName
	fixed   []string
}

// current returns the addresses in sorted order. It returns none, without an error, if the Service does not exist
// or has no address yet.
func (a *addresses) current(ctx context.Context) ([]networkingv1.IngressLoadBalancerIngress, error) {
	if a.service.Name == "" {
		return loadBalancer(a.fixed), nil
	}
	service := &corev1.Service{}
	err := a.reader.Get(ctx, a.service, service)
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading Service %s: %w", a.service, err)
	}
	return loadBalancer(serviceAddresses(service)), nil
}

// serviceAddresses returns the addresses at which clients reach a Service: its load balancer and external
// addresses. The cluster IP is returned only if the Service is not meant to have any of these.
func serviceAddresses(s *corev1.Service) []string {
	if s.Spec.Type == corev1.ServiceTypeExternalName {
		return []string{s.Spec.ExternalName}
	}
	found := slices.Clone(s.Spec.ExternalIPs)
	for _, lb := range s.Status.LoadBalancer.Ingress {
		found = append(found, cmp.Or(lb.IP, lb.Hostname))
	}
	if len(found) == 0 && s.Spec.Type != corev1.ServiceTypeLoadBalancer && s.Spec.ClusterIP != corev1.ClusterIPNone {
		found = append(found, s.Spec.ClusterIPs...)
	}
	return found
}

// loadBalancer converts addresses to the form used in the status of an Ingress, sorted and without duplicates.
func loadBalancer(hosts []string) []networkingv1.IngressLoadBalancerIngress {
	hosts = slices.Clone(hosts)
	slices.Sort(hosts)
	var out []networkingv1.IngressLoadBalancerIngress
	for _, address := range slices.Compact(hosts) {
		switch _, err := netip.ParseAddr(address); {
		case address == "":
		case err == nil:
			out = append(out, networkingv1.IngressLoadBalancerIngress{IP: address})
		default:
			out = append(out, networkingv1.IngressLoadBalancerIngress{Hostname: address})
		}
	}
	return out
}

// equalAddresses reports whether a and b have the same addresses. It ignores ports, which other writers may have
// added.
func equalAddresses(a, b []networkingv1.IngressLoadBalancerIngress) bool {
	return slices.EqualFunc(a, b, func(x, y networkingv1.IngressLoadBalancerIngress) bool {
		return x.IP == y.IP && x.Hostname == y.Hostname
	})
}
