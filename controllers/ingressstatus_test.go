package controllers

import (
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

func TestIngressStatus_serviceAddresses(t *testing.T) {
	ns := newNamespace(t)
	lb := service(ns, "limpet")
	lb.Spec.Type = corev1.ServiceTypeLoadBalancer
	in := ingress(ns, "shop")
	create(t, lb, service(ns, "shop"), in)
	r := startReplica(t, "a", func(o *Options) {
		o.PublishService = types.NamespacedName{Namespace: ns, Name: "limpet"}
	})
	eventually(t, "the route", r.publisher.serves(ns, "shop.example.com"))
	setAddresses(t, lb, corev1.LoadBalancerIngress{IP: "203.0.113.7"}, corev1.LoadBalancerIngress{Hostname: "lb.example.com"})
	want := []networkingv1.IngressLoadBalancerIngress{{IP: "203.0.113.7"}, {Hostname: "lb.example.com"}}
	eventually(t, "both addresses", func() bool { return equalAddresses(get(t, in).Status.LoadBalancer.Ingress, want) })
	setAddresses(t, lb, corev1.LoadBalancerIngress{IP: "203.0.113.8"})
	want = []networkingv1.IngressLoadBalancerIngress{{IP: "203.0.113.8"}}
	eventually(t, "the new address", func() bool { return equalAddresses(get(t, in).Status.LoadBalancer.Ingress, want) })
}

func TestServiceAddresses(t *testing.T) {
	lb := corev1.ServiceStatus{LoadBalancer: corev1.LoadBalancerStatus{Ingress: []corev1.LoadBalancerIngress{{IP: "203.0.113.7"}}}}
	for _, c := range []struct {
		name string
		spec corev1.ServiceSpec
		lb   corev1.ServiceStatus
		want []string
	}{
		{"load balancer", corev1.ServiceSpec{Type: "LoadBalancer", ClusterIPs: []string{"10.0.0.1"}}, lb, []string{"203.0.113.7"}},
		{"pending", corev1.ServiceSpec{Type: "LoadBalancer", ClusterIPs: []string{"10.0.0.1"}}, corev1.ServiceStatus{}, nil},
		{"external address", corev1.ServiceSpec{ExternalIPs: []string{"198.51.100.1"}, ClusterIPs: []string{"10.0.0.1"}},
			corev1.ServiceStatus{}, []string{"198.51.100.1"}},
		{"inside only", corev1.ServiceSpec{Type: "ClusterIP", ClusterIPs: []string{"10.0.0.1", "fd00::1"}},
			corev1.ServiceStatus{}, []string{"10.0.0.1", "fd00::1"}},
		{"headless", corev1.ServiceSpec{ClusterIP: corev1.ClusterIPNone, ClusterIPs: []string{corev1.ClusterIPNone}},
			corev1.ServiceStatus{}, nil},
		{"name", corev1.ServiceSpec{Type: "ExternalName", ExternalName: "lb.example.com"}, corev1.ServiceStatus{},
			[]string{"lb.example.com"}},
	} {
		if got := serviceAddresses(&corev1.Service{Spec: c.spec, Status: c.lb}); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func setAddresses(t *testing.T, s *corev1.Service, addresses ...corev1.LoadBalancerIngress) {
	t.Helper()
	get(t, s).Status.LoadBalancer.Ingress = addresses
	if err := admin.Status().Update(t.Context(), s); err != nil {
		t.Fatal(err)
	}
}

// The older Ingress of a host gets its address until its namespace is being deleted. Then the younger one gets the route.
func TestIngressStatus_terminatingNamespace(t *testing.T) {
	leaving, staying := newNamespace(t), newNamespace(t)
	host := leaving + ".example.com"
	older, younger := ingress(leaving, "app"), ingress(staying, "app")
	older.Spec.Rules[0].Host, younger.Spec.Rules[0].Host = host, host
	create(t, older)
	eventually(t, "the next second, which makes the other Ingress younger", func() bool {
		return time.Since(get(t, older).CreationTimestamp.Time) > time.Second
	})
	create(t, younger)
	startReplica(t, "a", func(o *Options) { o.PublishAddresses = []string{"203.0.113.7"} })
	hasAddress := func(in *networkingv1.Ingress) bool { return len(get(t, in).Status.LoadBalancer.Ingress) == 1 }
	eventually(t, "the address of the older one", func() bool { return hasAddress(older) })
	if hasAddress(younger) {
		t.Error("an Ingress without a route has an address")
	}

	if err := admin.Delete(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: leaving}}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the address of the younger one", func() bool { return hasAddress(younger) && !hasAddress(older) })
}
