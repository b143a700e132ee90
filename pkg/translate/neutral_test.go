package translate

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/limpet-dev/limpet/api/v1alpha1"
	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/routing"
	"github.com/limpet-dev/limpet/pkg/upstream"
)

// testKind is a kind that only the readers of these tests know.
const testKind = "TestRoute"

// testRoute describes an object with one rule for shop.example.com. Its day of creation decides conflicts.
func testRoute(namespace, name string, day int, rule ruleDescription) *description {
	rule.field = "spec.rules[0]"
	rule.hosts = []string{"shop.example.com"}
	rule.pathType = model.PathPrefix
	for i := range rule.backends {
		rule.backends[i].namespace = namespace
		rule.backends[i].port.number = 80
		rule.backends[i].field = fmt.Sprintf("spec.rules[0].backendRefs[%d]", i)
		rule.backends[i].serviceField = rule.backends[i].field
	}
	return &description{
		ref:        model.Ref{Kind: testKind, Namespace: namespace, Name: name},
		generation: 7,
		age:        age{created: dayOf(day), namespace: namespace, name: name},
		hosts:      rule.hosts,
		rules:      []ruleDescription{rule},
	}
}

func dayOf(day int) time.Time { return time.Date(2026, 1, day, 0, 0, 0, 0, time.UTC) }

// reading is a reader that found these objects.
func reading(descriptions ...*description) reader {
	return func(*Snapshot, *Options) readings { return readings{descriptions: descriptions} }
}

// shopSnapshot has the Services a, b and c, and an Ingress of the tenth day for /cart.
func shopSnapshot() *Snapshot {
	w := &Snapshot{}
	for _, namespace := range []string{"shop", "other"} {
		for _, name := range []string{"a", "b", "c"} {
			service := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
			service.Spec.Ports = []corev1.ServicePort{{Port: 80}}
			w.Services = append(w.Services, service)
		}
	}
	kind := networkingv1.PathTypePrefix
	ingress := &networkingv1.Ingress{ObjectMeta: metav1.ObjectMeta{
		Namespace: "shop", Name: "cart", CreationTimestamp: metav1.NewTime(dayOf(10)),
	}}
	backend := networkingv1.IngressBackend{Service: &networkingv1.IngressServiceBackend{Name: "c"}}
	backend.Service.Port.Number = 80
	ingress.Spec.Rules = []networkingv1.IngressRule{{Host: "shop.example.com"}}
	ingress.Spec.Rules[0].HTTP = &networkingv1.HTTPIngressRuleValue{
		Paths: []networkingv1.HTTPIngressPath{{Path: "/cart", PathType: &kind, Backend: backend}},
	}
	w.Ingresses = []*networkingv1.Ingress{ingress}
	return w
}

// buildShop has the descriptions read beside the Ingress, in both orders.
func buildShop(t *testing.T, w *Snapshot, descriptions ...*description) Result {
	t.Helper()
	o := Options{TakeUnclassed: true}
	result := build(w, nil, o, []reader{readIngresses, reading(descriptions...)})
	slices.Reverse(descriptions)
	again := build(w, nil, o, []reader{reading(descriptions...), readIngresses})
	if diff := cmp.Diff(result.Reports, again.Reports); diff != "" {
		t.Errorf("the Reports depend on the order of readers:\n%s", diff)
	}
	if x, y := routeTexts(result), routeTexts(again); x != y {
		t.Errorf("the routes depend on the order of readers:\n%s\n%s", x, y)
	}
	return result
}

// routeTexts writes a line for each route: object, path, conditions, and backends with their weights.
func routeTexts(r Result) string {
	var out strings.Builder
	for i := range r.Model.Routes {
		route := &r.Model.Routes[i]
		fmt.Fprintf(&out, "%s %s", route.Source, route.Path)
		if route.Conditions != nil {
			fmt.Fprintf(&out, " %v", *route.Conditions)
		}
		for _, b := range route.Backends {
			fmt.Fprintf(&out, " %s*%d", b.Pool, b.Weight)
		}
		out.WriteString("\n")
	}
	return out.String()
}

// reasonsOf returns the reasons and fields of the problems of an object.
func reasonsOf(r Result, kind, namespace, name string) string {
	for i := range r.Reports {
		if r.Reports[i].Ref == (model.Ref{Kind: kind, Namespace: namespace, Name: name}) {
			texts := []string{fmt.Sprintf("generation %d", r.Reports[i].Generation)}
			for _, p := range r.Reports[i].Problems {
				texts = append(texts, p.Reason+" "+p.Field)
			}
			return strings.Join(texts, ", ")
		}
	}
	return "no Report"
}

func onMethod(method string) *model.Conditions { return &model.Conditions{Methods: []string{method}} }

func onHeader(name, value string) *model.Conditions {
	return &model.Conditions{Headers: []model.ValueCondition{{Name: name, Value: value}}}
}

func to(services ...string) []backendDescription {
	var out []backendDescription
	for i, name := range services {
		out = append(out, backendDescription{service: name, weight: int32(9 - 8*i), isShare: len(services) > 1})
	}
	return out
}

func TestOtherKind_conditionsAndWeights(t *testing.T) {
	r := buildShop(t, shopSnapshot(),
		testRoute("shop", "young", 20, ruleDescription{path: "/cart", conditions: onHeader("X-Env", "canary"), backends: to("a")}),
		testRoute("shop", "old", 1, ruleDescription{path: "/cart", conditions: onHeader("X-User", "me"), backends: to("b")}),
		testRoute("shop", "split", 2, ruleDescription{path: "/cart", conditions: onMethod("POST"), backends: to("a", "b")}),
	)
	want := `TestRoute shop/old /cart {[] [{X-User me }] []} shop/b:80*9
TestRoute shop/split /cart {[POST] [] []} shop/a:80*9 shop/b:80*1
Ingress shop/cart /cart shop/c:80*1
TestRoute shop/young /cart {[] [{X-Env canary }] []} shop/a:80*9
`
	if got := routeTexts(r); got != want {
		t.Errorf("got the routes\n%swant\n%s", got, want)
	}
	table := routing.Compile(r.Model, upstream.NewRegistry(), nil, time.Time{})
	for request, want := range map[testRequest]string{
		{"GET", "", ""}: "cart", {"GET", "X-Env", "canary"}: "young", {"POST", "X-Env", "canary"}: "split",
		{"GET", "X-User", "me"}: "old",
	} {
		if got := table.Match([]byte("shop.example.com"), []byte("/cart/1"), request); got.Source.Name != want {
			t.Errorf("%v is routed by %s, want %s", request, got.Source, want)
		}
	}
}

// testRequest has a method and one header field.
type testRequest struct{ method, name, value string }

func (r testRequest) Method() []byte { return []byte(r.method) }
func (r testRequest) Query() []byte  { return nil }
func (r testRequest) Header(name string) ([]byte, bool) {
	return []byte(r.value), name == r.name
}

func TestOtherKind_conflictsByAge(t *testing.T) {
	r := buildShop(t, shopSnapshot(),
		testRoute("shop", "older", 1, ruleDescription{path: "/cart", backends: to("a")}),
		testRoute("shop", "younger", 20, ruleDescription{path: "/cart", backends: to("b")}),
		testRoute("shop", "get", 3, ruleDescription{path: "/cart", conditions: onMethod("GET"), backends: to("b")}),
		testRoute("shop", "get-too", 4, ruleDescription{path: "/cart", conditions: onMethod("GET"), backends: to("b")}),
	)
	for _, c := range []struct{ kind, name, want string }{
		{testKind, "older", "generation 7"},
		{testKind, "get", "generation 7"},
		{testKind, "get-too", "generation 7, RouteConflict spec.rules[0]"},
		{testKind, "younger", "generation 7, RouteConflict spec.rules[0]"},
		{model.KindIngress, "cart", "generation 0, RouteConflict spec.rules[0].http.paths[0]"},
	} {
		if got := reasonsOf(r, c.kind, "shop", c.name); got != c.want {
			t.Errorf("%s %s: got %q, want %q", c.kind, c.name, got, c.want)
		}
	}
}

func TestOtherKind_ownsHosts(t *testing.T) {
	older := testRoute("other", "older", 1, ruleDescription{path: "/other", backends: to("a")})
	older.security = securitySettings{version: model.TLSVersion(0x0304)}
	r := buildShop(t, shopSnapshot(), older)
	if len(r.Model.Owners) != 1 || r.Model.Owners[0].Namespace != "other" {
		t.Errorf("got the owners %+v", r.Model.Owners)
	}
	if len(r.Model.Hosts) != 1 || r.Model.Hosts[0].MinVersion != 0x0304 {
		t.Errorf("got the hosts %+v", r.Model.Hosts)
	}
}

func TestOtherKind_missingService(t *testing.T) {
	r := buildShop(t, shopSnapshot(), testRoute("shop", "r", 1, ruleDescription{path: "/", backends: to("a", "none")}))
	want := "generation 7, ServiceNotFound spec.rules[0].backendRefs[1].name"
	if got := reasonsOf(r, testKind, "shop", "r"); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if _, known := r.Referenced[model.Ref{Kind: model.KindService, Namespace: "shop", Name: "none"}]; !known {
		t.Error("the Service is not among the references")
	}
}

func TestOtherKind_policyOnObject(t *testing.T) {
	w := shopSnapshot()
	p := &v1alpha1.AffinityPolicy{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "p"}}
	p.Spec.TargetRefs = []v1alpha1.TargetRef{{Kind: testKind, Name: "r"}}
	p.Spec.Methods = []v1alpha1.Method{{Source: v1alpha1.SourceCookie, Binding: v1alpha1.BindingIssued}}
	w.Policies = []*v1alpha1.AffinityPolicy{p}
	r := buildShop(t, w, testRoute("shop", "r", 1, ruleDescription{path: "/", backends: to("a", "b")}))
	names := map[string]bool{}
	for _, b := range r.Model.Routes[0].Backends {
		if b.Affinity == nil {
			t.Fatalf("backend %s is not sticky", b.Pool)
		}
		names[b.Affinity.Methods[0].Cookie.Name] = true
	}
	if len(names) != 2 {
		t.Errorf("the backends have the cookies %v, want two", names)
	}
	if got := reasonsOf(r, v1alpha1.Kind, "shop", "p"); got != "generation 0" {
		t.Errorf("the policy: %q", got)
	}
}

func TestOtherKind_closedObject(t *testing.T) {
	closed := testRoute("shop", "r", 1, ruleDescription{path: "/", backends: to("a")})
	readAnnotations(closed, map[string]string{nginxPrefix + "auth-tls-secret": "ca"}, &Options{})
	r := buildShop(t, shopSnapshot(), closed)
	for i := range r.Model.Routes { // also that of the Ingress: the protection is for the host
		if r.Model.Routes[i].Closed == "" {
			t.Errorf("%s is open", r.Model.Routes[i].Path)
		}
	}
}
