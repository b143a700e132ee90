package preview

import (
	"slices"
	"strings"
	"testing"
	"time"

	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/translate"
)

var (
	cart = model.PoolID{Namespace: "shop", Service: "cart", Port: 80}
	pay  = model.PoolID{Namespace: "shop", Service: "pay", Port: 80}
)

// sticky returns the affinity of a pool by a cookie.
func sticky(cookie string) *model.Affinity {
	return &model.Affinity{Source: model.Ref{Kind: "AffinityPolicy", Namespace: "shop", Name: "cart"}, Scope: "shop/cart",
		Identity: model.IdentityPod, Methods: []model.Method{{Source: model.SourceCookie, Binding: model.BindingIssued, Cookie: &model.Cookie{Name: cookie}}}}
}

// shop returns a model with one route that change modifies.
func shop(change func(*model.Route)) translate.Result {
	r := model.Route{Host: "shop.example.com", Path: "/", PathType: model.PathPrefix,
		Source:   model.Ref{Kind: model.KindIngress, Namespace: "shop", Name: "shop"},
		Backends: []model.Backend{{Pool: cart, Weight: 1, Affinity: sticky("cart")}}}
	change(&r)
	return translate.Result{Model: &model.Model{Routes: []model.Route{r}}}
}

func TestCompare_routes(t *testing.T) {
	protect := func(r *model.Route) {
		r.Filters = &model.Filters{ExternalAuth: &model.ExternalAuth{}, Access: &model.Access{SatisfiesAny: true}}
	}
	keep := func(*model.Route) {}
	for name, c := range map[string]struct {
		before, after func(*model.Route)
		want          []string // of "kind: text"
	}{
		"nothing": {keep, keep, nil},
		"other path": {keep, func(r *model.Route) { r.Path = "/cart" },
			[]string{"stops: has no route any more; it was of Ingress shop/shop", "starts: is a new route of Ingress shop/shop to shop/cart:80"}},
		"removed while closed": {func(r *model.Route) { r.Closed = "x" }, func(r *model.Route) { r.Path = "/cart" },
			[]string{"settings: has no route any more; it responded 503", "starts: is a new route of Ingress shop/shop to shop/cart:80"}},
		"closed":     {keep, func(r *model.Route) { r.Closed = "no password list" }, []string{"stops: responds 503 from now on: no password list"}},
		"no backend": {keep, func(r *model.Route) { r.Backends = nil }, []string{"stops: responds 503 from now on, because no backend exists", "backend: goes to no backend instead of shop/cart:80"}},
		"opened":     {func(r *model.Route) { r.Closed = "x" }, keep, []string{"starts: no longer responds 503"}},
		"other Service": {keep, func(r *model.Route) { r.Backends = []model.Backend{{Pool: pay, Weight: 1}} },
			[]string{"backend: goes to shop/pay:80 instead of shop/cart:80"}},
		"weights": {keep, func(r *model.Route) { r.Backends = append(r.Backends, model.Backend{Pool: pay, Weight: 9}) },
			[]string{"backend: goes to shop/cart:80 (weight 1), shop/pay:80 (weight 9) instead of shop/cart:80"}},
		"other owner": {keep, func(r *model.Route) { r.Source.Namespace = "web" }, []string{"source: is of Ingress web/shop instead of Ingress shop/shop"}},
		"without affinity": {keep, func(r *model.Route) { r.Backends[0].Affinity = nil },
			[]string{"sessions: sessions at shop/cart:80 end: the backend has no affinity any more"}},
		"other cookie": {keep, func(r *model.Route) { r.Backends[0].Affinity = sticky("basket") },
			[]string{"sessions: sessions at shop/cart:80 may start again: the methods of AffinityPolicy shop/cart change"}},
		"other identity": {keep, func(r *model.Route) { r.Backends[0].Affinity.Identity = model.IdentityPodName },
			[]string{"sessions: sessions at shop/cart:80 start again: their tokens count for shop/cart by PodName instead of shop/cart by Pod"}},
		"new affinity": {func(r *model.Route) { r.Backends[0].Affinity = nil }, keep, []string{"settings: has other settings"}},
		"protection removed": {protect, keep,
			[]string{"protection: external authentication is removed", "protection: the list of addresses or users is removed"}},
		"protection added": {keep, func(r *model.Route) { r.Clients = &model.ClientCertificates{Required: true} },
			[]string{"protection: the client certificate is added"}},
		"protection changed": {protect, func(r *model.Route) { protect(r); r.Filters.Access.SatisfiesAny = false },
			[]string{"protection: the list of addresses or users changes"}},
		"log": {keep, func(r *model.Route) { r.IsUnlogged = true }, []string{"settings: has other settings"}},
	} {
		r := Compare(shop(c.before), shop(c.after), nil)
		var got []string
		for _, change := range r.Changes {
			got = append(got, string(change.Kind)+": "+change.Text)
			if !strings.HasPrefix(change.Where, "shop.example.com/") {
				t.Errorf("%s: a change of %q", name, change.Where)
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: got\n%s\nwant\n%s", name, strings.Join(got, "\n"), strings.Join(c.want, "\n"))
		}
		if harms := r.Harms(); harms != (r.Counts[Stops] > 0) {
			t.Errorf("%s: it harms: %v", name, harms)
		}
	}
}

func TestCompare_problemsAndCertificates(t *testing.T) {
	ref := model.Ref{Kind: model.KindIngress, Namespace: "shop", Name: "shop"}
	with := func(fingerprint string, problems ...translate.Problem) translate.Result {
		m := &model.Model{Certificates: []model.Certificate{{Secret: model.Ref{Kind: "Secret", Namespace: "shop", Name: "tls"},
			ServerNames: []string{"shop.example.com"}, Fingerprint: fingerprint}}}
		return translate.Result{Model: m, Reports: []translate.Report{{Ref: ref, Problems: problems}}}
	}
	old := translate.Problem{Reason: "ServiceNotFound", Field: "spec.rules[0]", Message: "no Service"}
	secret := translate.Problem{Reason: "SecretNotFound", Message: "does not exist"}
	ignore := func(p *translate.Problem) bool { return p.Reason == "SecretNotFound" }
	r := Compare(with("aaaaaaaaa", old), with("bbbbbbbbb", secret), ignore)
	var out strings.Builder
	if err := r.WriteText(&out); err != nil {
		t.Fatal(err)
	}
	want := "tls     shop.example.com   gets the certificate of Secret shop/tls (bbbbbbbb) instead of Secret shop/tls (aaaaaaaa)\n" +
		"solved  Ingress shop/shop  spec.rules[0]: ServiceNotFound: no Service\n\ntotal: tls 1, solved 1\n"
	if out.String() != want || r.Harms() {
		t.Errorf("got\n%swant\n%s", out.String(), want)
	}
	if r := Compare(with("a"), with("a", old), nil); !r.Harms() || r.Changes[0].Kind != Problem {
		t.Errorf("a new problem: got %+v", r)
	}
}

func TestOverlay_keepsAge(t *testing.T) {
	object := func(name string, created time.Time) *networkingv1.Ingress {
		return &networkingv1.Ingress{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name, CreationTimestamp: metav1.NewTime(created)}}
	}
	day := time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)
	w := &translate.Snapshot{Ingresses: []*networkingv1.Ingress{object("old", day.AddDate(-1, 0, 0)), object("other", day)}}
	out := Overlay(w, &translate.Snapshot{Ingresses: []*networkingv1.Ingress{object("old", time.Time{}), object("new", time.Time{})}}, day)
	ages := map[string]int{}
	for _, o := range out.Ingresses {
		ages[o.Name] = o.CreationTimestamp.Year()
	}
	if len(ages) != 3 || ages["old"] != 2025 || ages["new"] != 2026 || len(w.Ingresses) != 2 {
		t.Errorf("got %v", ages)
	}
}
