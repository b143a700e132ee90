package controllers

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	networkingv1 "k8s.io/api/networking/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/utils/ptr"

	"github.com/limpet-dev/limpet/pkg/translate"
)

// requestLog records the requests to the API server that a client sends.
type requestLog struct {
	next http.RoundTripper
	log  *requests
}

type requests struct {
	mu    sync.Mutex
	lines []string // method, path and status
}

func (r *requestLog) RoundTrip(q *http.Request) (*http.Response, error) {
	response, err := r.next.RoundTrip(q)
	if err == nil {
		r.log.mu.Lock()
		r.log.lines = append(r.log.lines, fmt.Sprintf("%s %s %d", q.Method, q.URL.Path, response.StatusCode))
		r.log.mu.Unlock()
	}
	return response, err
}

// namespacedRules returns the rules of Limpet's ClusterRole for kinds in namespaces. isServed is false for the namespace of Limpet.
func namespacedRules(t *testing.T, isServed bool) (out []rbacv1.PolicyRule) {
	t.Helper()
	objects, err := readManifest("rbac/role.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var role rbacv1.ClusterRole
	for _, o := range objects {
		u, _ := o.(*unstructured.Unstructured)
		if u.GetKind() != "ClusterRole" {
			continue
		}
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, &role); err != nil {
			t.Fatal(err)
		}
	}
	for _, rule := range role.Rules {
		rule.Resources = slices.DeleteFunc(rule.Resources, func(r string) bool { return r == "namespaces" || r == "ingressclasses" })
		ofIngresses := slices.Contains(rule.APIGroups, "networking.k8s.io") || slices.Contains(rule.APIGroups, "limpet.dev")
		if len(rule.Resources) > 0 && (isServed || !ofIngresses) {
			out = append(out, rule)
		}
	}
	return out
}

// grant grants a user the rules in a namespace.
func grant(t *testing.T, user, namespace string, rules []rbacv1.PolicyRule) {
	t.Helper()
	role := &rbacv1.Role{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, GenerateName: "namespaced-"}, Rules: rules}
	create(t, role)
	create(t, &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: role.Name},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: role.Name},
		Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: "User", Name: user}},
	})
}

// A replica with permissions in two namespaces and its own serves these, writes their statuses, and requests nothing else.
func TestWatchNamespaces_permissionsThere(t *testing.T) {
	one, two, other, own := newNamespace(t), newNamespace(t), newNamespace(t), newNamespace(t)
	if two < one { // the host of objects of the same age belongs to the first by name
		one, two = two, one
	}
	user := "limpet-in-" + own
	for _, ns := range []string{one, two} {
		grant(t, user, ns, namespacedRules(t, true))
	}
	grant(t, user, own, append(namespacedRules(t, false),
		rbacv1.PolicyRule{APIGroups: []string{""}, Resources: []string{"secrets"}, Verbs: []string{"create", "update"}},
		rbacv1.PolicyRule{APIGroups: []string{"coordination.k8s.io"}, Resources: []string{"leases"}, Verbs: []string{"create", "get", "update"}},
	))
	for _, ns := range []string{one, two, other, own} {
		in := ingress(ns, "shop")
		in.Annotations = map[string]string{"limpet.dev/unknown": "1"}
		create(t, service(ns, "shop"), in, slice(ns, "shop", "10.1.0.1"))
	}
	log := &requests{}
	r := newReplica("namespaced")
	r.publisher.options = translate.Options{WithoutClasses: true}
	r.start(t, func(o *Options) {
		o.Namespace, o.WatchNamespaces = own, []string{one, two}
		o.PublishAddresses = []string{"192.0.2.1"}
		o.Config.Impersonate.UserName = user
		o.Config.WrapTransport = func(next http.RoundTripper) http.RoundTripper { return &requestLog{next, log} }
	})
	host := ingress(one, "shop").Spec.Rules[0].Host
	eventually(t, "the first namespace has the host", r.publisher.serves(one, host))
	for _, ns := range []string{one, two} {
		in := ingress(ns, "shop")
		eventually(t, "an Event in "+ns, func() bool { return len(eventsOn(t, get(t, in))) > 0 })
	}
	eventually(t, "a status", func() bool { return len(get(t, ingress(one, "shop")).Status.LoadBalancer.Ingress) == 1 })
	change(t, ingress(two, "shop"), func(in *networkingv1.Ingress) { in.Spec.Rules[0].Host = "two.example.com" })
	eventually(t, "a change is served", r.publisher.serves(two, "two.example.com"))
	for _, ns := range []string{other, own} {
		if r.publisher.serves(ns, host)() || len(eventsOn(t, get(t, ingress(ns, "shop")))) > 0 {
			t.Errorf("namespace %s is served", ns)
		}
	}
	r.stop()
	log.mu.Lock()
	defer log.mu.Unlock()
	allowed := []string{one, two, own}
	for _, line := range log.lines {
		_, rest, isNamespaced := strings.Cut(line, "/namespaces/")
		namespace, _, _ := strings.Cut(rest, "/")
		if strings.HasPrefix(line, "GET /openapi/v3") {
			continue // every authenticated user may read it; this one is in no group
		}
		isDiscovery := strings.Count(line, "/") <= 3 && strings.HasPrefix(line, "GET /api")
		if strings.HasSuffix(line, " 403") || !isDiscovery && (!isNamespaced || !slices.Contains(allowed, namespace)) {
			t.Errorf("request %s", line)
		}
	}
	if len(log.lines) == 0 {
		t.Error("no requests were recorded")
	}
}

// Without IngressClasses, all classes but Limpet's own count as classes of ingress-nginx.
func TestWatchNamespaces_classesByName(t *testing.T) {
	in := ingress("shop", "cart")
	in.Spec.IngressClassName = ptr.To("internal")
	nginx := translate.DefaultNginx()
	build := func(without bool) bool {
		w := &translate.Snapshot{Ingresses: []*networkingv1.Ingress{in}}
		o := translate.Options{Classes: []string{"limpet", "internal"}, Nginx: &nginx, WithoutClasses: without}
		return translate.Build(w, nil, o).Model.Routes[0].Limits != nil
	}
	if !build(true) || build(false) {
		t.Errorf("defaults without classes %v, with classes %v", build(true), build(false))
	}
}
