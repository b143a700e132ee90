package controllers

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// writes records the requests of a replica that change objects.
type writes struct {
	mu   sync.Mutex
	made []string // method and path
}

// record makes a replica send its requests through w.
func (w *writes) record(o *Options) {
	o.Config.Wrap(func(next http.RoundTripper) http.RoundTripper {
		return roundTripper(func(r *http.Request) (*http.Response, error) {
			if r.Method != http.MethodGet {
				w.mu.Lock()
				w.made = append(w.made, r.Method+" "+r.URL.Path)
				w.mu.Unlock()
			}
			return next.RoundTrip(r)
		})
	})
}

func (w *writes) all() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.made)
}

func inShadow(o *Options) { o.Shadow = true }

// TestShadow_writesNothing also checks the report: the address that the Ingress would get, and the problem of another Ingress.
func TestShadow_writesNothing(t *testing.T) {
	ns := newNamespace(t)
	in, broken, p := ingress(ns, "cart"), ingress(ns, "broken"), policy(ns, "cart", "cart")
	create(t, service(ns, "cart"), in, broken, p)
	theirs := []networkingv1.IngressLoadBalancerIngress{{IP: "198.51.100.1"}}
	writeAddresses(t, in, theirs)

	var w writes
	r := startReplica(t, "shadow", publishAddress, inShadow, w.record)
	eventually(t, "the route", r.publisher.serves(ns, "cart.example.com"))
	eventually(t, "the address in the log", r.hasLogged("203.0.113.7"))
	eventually(t, "the status of the policy in the log", r.hasLogged("AffinityPolicy "+ns+"/cart"))
	eventually(t, "the problem in the log", r.hasLogged("ServiceNotFound"))

	keys := "POST /api/v1/namespaces/" + limpetNamespace + "/secrets"
	if got := w.all(); !slices.Equal(got, []string{keys}) {
		t.Errorf("the replica wrote %q, want only the key Secret", got)
	}
	if got := get(t, in).Status.LoadBalancer.Ingress; !equalAddresses(got, theirs) {
		t.Errorf("addresses = %+v, want those of the other controller", got)
	}
	if events := eventsOn(t, broken); len(events) > 0 {
		t.Errorf("there are Events: %+v", events)
	}
	l := lease()
	if err := admin.Get(t.Context(), client.ObjectKeyFromObject(l), l); !apierrors.IsNotFound(err) {
		t.Errorf("the lease exists: %v", err)
	}
}

// Without the flag, the same installation takes over: it writes the status, and keeps the keys.
func TestShadow_takesOverAfterwards(t *testing.T) {
	ns := newNamespace(t)
	in := ingress(ns, "cart")
	create(t, service(ns, "cart"), in)
	writeAddresses(t, in, []networkingv1.IngressLoadBalancerIngress{{IP: "198.51.100.1"}})
	shadow := startReplica(t, "shadow", publishAddress, inShadow)
	eventually(t, "the route", shadow.publisher.serves(ns, "cart.example.com"))
	keys := get(t, keySecretObject()).Data[keysDataKey]
	shadow.stop()

	startReplica(t, "owner", publishAddress)
	eventually(t, "the address", func() bool {
		got := get(t, in).Status.LoadBalancer.Ingress
		return len(got) == 1 && got[0].IP == "203.0.113.7"
	})
	if got := get(t, keySecretObject()).Data[keysDataKey]; string(got) != string(keys) {
		t.Error("the keys changed")
	}
}

// ingress-nginx removes all addresses when it is uninstalled. Addresses that it writes instead are left alone.
func TestIngressStatus_otherWriters(t *testing.T) {
	ns := newNamespace(t)
	in := ingress(ns, "cart")
	create(t, service(ns, "cart"), in)
	var w writes
	startReplica(t, "a", publishAddress, w.record)
	eventually(t, "the address", hasAddress(t, in))
	writeAddresses(t, get(t, in), nil)
	eventually(t, "the address again", hasAddress(t, in))

	theirs := []networkingv1.IngressLoadBalancerIngress{{IP: "198.51.100.1"}}
	writeAddresses(t, get(t, in), theirs)
	later := ingress(ns, "later")
	create(t, service(ns, "later"), later)
	eventually(t, "the address of a later Ingress", hasAddress(t, later))
	if got := get(t, in).Status.LoadBalancer.Ingress; !equalAddresses(got, theirs) {
		t.Errorf("addresses = %+v, want those of the other controller", got)
	}
	patches := slices.DeleteFunc(w.all(), func(s string) bool { return !strings.HasSuffix(s, "/ingresses/cart/status") })
	if len(patches) != 2 {
		t.Errorf("%d writes of the status, want 2", len(patches))
	}
}

func writeAddresses(t *testing.T, in *networkingv1.Ingress, addresses []networkingv1.IngressLoadBalancerIngress) {
	t.Helper()
	in.Status.LoadBalancer.Ingress = addresses
	if err := admin.Status().Update(t.Context(), in); err != nil {
		t.Fatal(err)
	}
}
