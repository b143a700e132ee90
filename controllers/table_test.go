package controllers

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"

	"github.com/limpet-dev/limpet/pkg/affinity"
	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/translate"
)

func TestTable_emptyCluster(t *testing.T) {
	newNamespace(t)
	r := startReplica(t, "a")
	eventually(t, "a table", r.publisher.locked(func(p *fakePublisher) bool { return p.published > 0 }))
}

func TestTable_firstIsCompleteAndAfterKeys(t *testing.T) {
	ns := newNamespace(t)
	for _, name := range []string{"one", "two", "three"} {
		create(t, service(ns, name), ingress(ns, name), policy(ns, name, name))
	}
	r := startReplica(t, "a")
	eventually(t, "a table", r.publisher.locked(func(p *fakePublisher) bool { return p.published > 0 }))
	r.publisher.locked(func(p *fakePublisher) bool {
		if p.early {
			t.Error("a table was published before the keys were loaded")
		}
		if n := len(p.last.Reports); n < 6 && p.published == 1 {
			t.Errorf("the first table was built from %d objects, want 6", n)
		}
		return true
	})()
}

func TestKeys_withoutSecret(t *testing.T) {
	newNamespace(t)
	otherHolder := lease()
	holdLease(otherHolder, "other-holder")
	create(t, otherHolder)
	r := newReplica("a")
	r.keys.Store(keyringOf(t, affinity.NewKey()))
	r.start(t, func(o *Options) { o.KeySecret = "" })
	eventually(t, "a table", r.publisher.locked(func(p *fakePublisher) bool { return p.published > 0 }))
}

func TestTable_missingReferencesAppearLater(t *testing.T) {
	ns := newNamespace(t)
	in := ingress(ns, "shop")
	in.Spec.TLS = []networkingv1.IngressTLS{{Hosts: []string{"shop.example.com"}, SecretName: "late"}}
	create(t, in)
	r := startReplica(t, "a")
	problems := func(reason string) func() bool {
		return r.publisher.locked(func(p *fakePublisher) bool { return hasProblem(p.last.Reports, ns, reason) })
	}
	eventually(t, "SecretNotFound", problems(translate.ReasonSecretNotFound))
	eventually(t, "ServiceNotFound", problems(translate.ReasonServiceNotFound))
	create(t, &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "late"},
		Type:       corev1.SecretTypeTLS,
		Data:       map[string][]byte{corev1.TLSCertKey: []byte("not"), corev1.TLSPrivateKeyKey: []byte("a certificate")},
	})
	eventually(t, "the Secret is read", problems(translate.ReasonInvalidSecret))
	create(t, service(ns, "shop"))
	missed := problems(translate.ReasonServiceNotFound)
	eventually(t, "the Service is found", func() bool { return !missed() })
}

func TestEndpoints_buildNoTable(t *testing.T) {
	ns := newNamespace(t)
	create(t, service(ns, "shop"), ingress(ns, "shop"), slice(ns, "shop", "10.250.0.1"))
	r := startReplica(t, "a")
	eventually(t, "the route", r.publisher.serves(ns, "shop.example.com"))
	endpoints := func(want int) func() bool {
		return r.publisher.locked(func(p *fakePublisher) bool { return len(p.endpoints[ns+"/shop"]) == want })
	}
	eventually(t, "one endpoint", endpoints(1))
	tables := 0
	r.publisher.locked(func(p *fakePublisher) bool { tables, p.worst = p.published, 0; return true })()
	s := slice(ns, "shop")
	change(t, s, func(s *sliceObject) { s.Endpoints = slice(ns, "shop", "10.250.0.1", "10.250.0.2").Endpoints })
	eventually(t, "two endpoints", endpoints(2))
	if err := admin.Delete(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	eventually(t, "no endpoint", endpoints(0))
	r.publisher.locked(func(p *fakePublisher) bool {
		if p.published != tables {
			t.Errorf("%d tables were built for endpoint changes, want 0", p.published-tables)
		}
		t.Logf("slowest from event to publisher: %v", p.worst)
		return true
	})()
}

func TestTable_coalescesChanges(t *testing.T) {
	ns := newNamespace(t)
	r := startReplica(t, "a")
	eventually(t, "a table", r.publisher.locked(func(p *fakePublisher) bool { return p.published > 0 }))
	const burst = 200
	for i := range burst {
		in := ingress(ns, "shop")
		in.Name = ""
		in.GenerateName = "shop-"
		in.Spec.Rules[0].Host = "h" + string(rune('a'+i%26)) + ".example.com"
		create(t, in)
	}
	eventually(t, "all Ingresses", r.publisher.locked(func(p *fakePublisher) bool {
		n := 0
		for _, report := range p.last.Reports {
			if report.Ref.Namespace == ns {
				n++
			}
		}
		return n == burst
	}))
	r.publisher.locked(func(p *fakePublisher) bool {
		if p.published > burst/2 {
			t.Errorf("%d tables for %d changes", p.published, burst)
		}
		t.Logf("%d tables for %d changes", p.published, burst)
		return true
	})()
}

func TestOptions_Validate(t *testing.T) {
	err := Run(t.Context(), Options{
		Namespace: "No Namespace", KeyRotation: 1, PublishAddresses: []string{"203.0.113.7", "not an address"},
	}, newFakePublisher(nil), new(affinity.Keys))
	for _, want := range []string{"Config is required", `"No Namespace" for --namespace`, `"1ns" for --key-rotation`, `"not an address"`} {
		if err == nil || !contains(err.Error(), want) {
			t.Errorf("error %v does not contain %q", err, want)
		}
	}
	good := Options{Config: &rest.Config{}, Namespace: limpetNamespace, PublishAddresses: []string{"203.0.113.7", "lb.example.com"}}
	if err := good.Validate(); err != nil {
		t.Error(err)
	}
}

func TestPendingChanges_duringBuild(t *testing.T) {
	endpoints := func(name string) model.Ref { return model.Ref{Kind: translate.KindEndpoints, Name: name} }
	var p pendingChanges
	if p.putEndpoints(endpoints("a")) {
		t.Error("endpoints that were not read are recorded")
	}
	secret := model.Ref{Kind: model.KindSecret, Name: "s"}
	p.put(secret, &corev1.Secret{})
	p.put(secret, nil)
	if got := p.begin(); len(got) != 1 || got[0].Object != nil {
		t.Errorf("the changes are %+v, want the last state of the Secret", got)
	}
	if !p.putEndpoints(endpoints("a")) {
		t.Error("endpoints that the build may be reading are not recorded")
	}
	p.end(map[model.Ref]bool{endpoints("a"): true, endpoints("b"): true, secret: true})
	p.end(map[model.Ref]bool{endpoints("b"): false})
	if !p.putEndpoints(endpoints("a")) || p.putEndpoints(endpoints("b")) {
		t.Error("the Services whose endpoints matter are not those of the last build")
	}
	if got := p.begin(); len(got) != 1 || got[0].Ref != endpoints("a") {
		t.Errorf("the changes are %+v", got)
	}
}

// No object changes when a certificate expires.
func TestProblems_expiringCertificate(t *testing.T) {
	ns := newNamespace(t)
	in := ingress(ns, "shop")
	in.Spec.TLS = []networkingv1.IngressTLS{{Hosts: []string{"shop.example.com"}, SecretName: "tls"}}
	create(t, service(ns, "shop"), in, tlsSecret(t, ns, "tls", time.Now().Add(5*time.Second)))
	r := startReplica(t, "a")
	reported := r.publisher.locked(func(p *fakePublisher) bool {
		return hasProblem(p.last.Reports, ns, translate.ReasonCertificateOutOfDate)
	})
	eventually(t, "a table", r.publisher.serves(ns, "shop.example.com"))
	if reported() {
		t.Error("reported before it expired")
	}
	eventually(t, "the problem to be reported", reported)
}

func TestRequeueAfter(t *testing.T) {
	for _, c := range []struct {
		next     time.Time
		min, max time.Duration
	}{
		{time.Time{}, 0, 0},
		{time.Now().Add(-time.Hour), time.Second, time.Second},
		{time.Now().Add(time.Hour), 59 * time.Minute, time.Hour},
		{time.Now().AddDate(7000, 0, 0), 24 * time.Hour, 24 * time.Hour},
	} {
		if got := requeueAfter(c.next); got < c.min || got > c.max {
			t.Errorf("requeueAfter(%v) = %v, want %v to %v", c.next, got, c.min, c.max)
		}
	}
}

func TestStripSecrets(t *testing.T) {
	strip := stripSecrets(types.NamespacedName{Namespace: limpetNamespace, Name: DefaultKeySecret})
	for _, c := range []struct {
		namespace, name string
		kept            int
	}{
		{limpetNamespace, DefaultKeySecret, 6},
		{"shop", DefaultKeySecret, 5},
		{"shop", "tls", 5},
	} {
		secret := &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Namespace: c.namespace, Name: c.name},
			Data:       map[string][]byte{corev1.TLSCertKey: {1}, corev1.TLSPrivateKeyKey: {2}, "ca.crt": {3}, "password": {4},
				"auth": []byte("jane:secret"), "jane": []byte("{PLAIN}secret")},
		}
		if _, err := strip(secret); err != nil || len(secret.Data) != c.kept {
			t.Errorf("%s/%s: %d entries kept, error %v; want %d", c.namespace, c.name, len(secret.Data), err, c.kept)
		}
	}
}

func TestEventTimes_keepsOldest(t *testing.T) {
	var s eventTimes[singleton]
	s.record(singleton{})
	first := s.at[singleton{}]
	s.record(singleton{})
	if got := s.take(singleton{}); !got.Equal(first) {
		t.Errorf("take = %v, want the first event, %v", got, first)
	}
	if got := s.take(singleton{}); got.Equal(first) {
		t.Error("take returned the same time twice")
	}
}

func TestTable_configMapChanges(t *testing.T) {
	ns := newNamespace(t)
	r := startReplica(t, "a")
	seen := func(want func(*corev1.ConfigMap) bool) func() bool {
		return r.publisher.locked(func(p *fakePublisher) bool {
			return want(p.configMaps[ns+"/fields"])
		})
	}
	fields := &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "fields"}, Data: map[string]string{"X-Frame-Options": "DENY"},
	}
	create(t, fields)
	eventually(t, "the ConfigMap", seen(func(c *corev1.ConfigMap) bool { return c != nil && c.Data["X-Frame-Options"] == "DENY" }))
	fields.Data["X-Frame-Options"] = "SAMEORIGIN"
	if err := admin.Update(t.Context(), fields); err != nil {
		t.Fatal(err)
	}
	eventually(t, "its change", seen(func(c *corev1.ConfigMap) bool { return c != nil && c.Data["X-Frame-Options"] == "SAMEORIGIN" }))
	if err := admin.Delete(t.Context(), fields); err != nil {
		t.Fatal(err)
	}
	eventually(t, "its deletion", seen(func(c *corev1.ConfigMap) bool { return c == nil }))
}
