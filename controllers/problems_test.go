package controllers

import (
	"slices"
	"strings"
	"testing"

	eventsv1 "k8s.io/api/events/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/limpet-dev/limpet/api/v1alpha1"
	"github.com/limpet-dev/limpet/pkg/translate"
)

// byCookie makes the policy issue cookies.
func byCookie(p *v1alpha1.AffinityPolicy, cookie *v1alpha1.Cookie) *v1alpha1.AffinityPolicy {
	p.Spec.Methods = []v1alpha1.Method{{Source: v1alpha1.SourceCookie, Binding: v1alpha1.BindingIssued, Cookie: cookie}}
	return p
}

// problemCase is a set of objects with a problem, and where the problem must be reported.
type problemCase struct {
	objects   []client.Object
	policy    *v1alpha1.AffinityPolicy
	condition string
	status    metav1.ConditionStatus
	reason    string        // reason of the condition and the Event
	about     client.Object // object of the Event
}

func problemCases(ns string) map[string]problemCase {
	first, second := byCookie(policy(ns, "a", "cart"), nil), byCookie(policy(ns, "b", "cart"), nil)
	taken := problemCase{
		objects: []client.Object{service(ns, "cart"), ingress(ns, "cart"), first, second}, policy: second, about: second,
		condition: v1alpha1.ConditionConflicted, status: metav1.ConditionTrue, reason: v1alpha1.ReasonTargetTaken,
	}

	shop := ingress(ns, "stock")
	api := *shop.Spec.Rules[0].HTTP.Paths[0].DeepCopy()
	api.Path, api.Backend.Service.Name = "/api", "api"
	shop.Spec.Rules[0].HTTP.Paths = append(shop.Spec.Rules[0].HTTP.Paths, api)
	named := &v1alpha1.Cookie{Name: "sid"}
	one, other := byCookie(policy(ns, "stock", "stock"), named), byCookie(policy(ns, "api", "api"), named)
	sameName := problemCase{
		objects: []client.Object{service(ns, "stock"), service(ns, "api"), shop, one, other}, policy: other, about: shop,
		condition: v1alpha1.ConditionImpaired, status: metav1.ConditionTrue, reason: translate.ReasonCookieConflict,
	}

	only := ingress(ns, "only")
	only.Spec.Rules[0].HTTP.Paths[0].Path = "/shop"
	elsewhere := byCookie(policy(ns, "only", "only"), &v1alpha1.Cookie{Path: "/blog"})
	neverSent := problemCase{
		objects: []client.Object{service(ns, "only"), only, elsewhere}, policy: elsewhere, about: only,
		condition: v1alpha1.ConditionImpaired, status: metav1.ConditionTrue, reason: translate.ReasonCookieOutOfReach,
	}

	labelled := policy(ns, "routed", "routed")
	labelled.Spec.Methods = []v1alpha1.Method{{
		Source: v1alpha1.SourceHeader, Binding: v1alpha1.BindingNamed, Header: &v1alpha1.Header{Name: "X-Route"},
		Named: &v1alpha1.Named{By: v1alpha1.NamedByPodLabel, Key: "example.com/nowhere"},
	}}
	unknown := problemCase{
		objects: []client.Object{
			service(ns, "routed"), ingress(ns, "routed"), slice(ns, "routed", "10.0.0.1"), labelled,
		},
		policy: labelled, about: labelled,
		condition: v1alpha1.ConditionImpaired, status: metav1.ConditionTrue, reason: translate.ReasonUnknownPodKey,
	}

	refused := policy(ns, "refused", "refused")
	makeInvalid(refused)
	invalid := problemCase{
		objects: []client.Object{service(ns, "refused"), ingress(ns, "refused"), refused}, policy: refused, about: refused,
		condition: v1alpha1.ConditionAccepted, status: metav1.ConditionFalse, reason: v1alpha1.ReasonInvalid,
	}
	return map[string]problemCase{
		"two policies on one target": taken, "one cookie for two backends": sameName,
		"a cookie path that never matches": neverSent, "a label that no pod has": unknown,
		"an invalid combination of settings": invalid,
	}
}

func TestProblems_conditionsAndEvents(t *testing.T) {
	ns := newNamespace(t)
	all := problemCases(ns)
	for _, m := range all {
		create(t, m.objects...)
	}
	startReplica(t, "a")
	for name, m := range all {
		t.Run(name, func(t *testing.T) {
			eventually(t, "the condition", func() bool {
				for _, target := range get(t, m.policy).Status.Targets {
					c := meta.FindStatusCondition(target.Conditions, m.condition)
					if c != nil && c.Status == m.status && c.Reason == m.reason {
						return true
					}
				}
				return false
			})
			eventually(t, "an Event", func() bool {
				return slices.ContainsFunc(eventsOn(t, m.about), func(e eventsv1.Event) bool { return e.Reason == m.reason })
			})
			sum := meta.FindStatusCondition(get(t, m.policy).Status.Conditions, m.condition)
			if sum == nil || sum.Status != m.status {
				t.Errorf("conditions = %+v", m.policy.Status.Conditions)
			}
		})
	}
}

// Browsers drop such cookies, so the API server rejects the policy.
func TestSchema_sameSiteNoneNeedsSecure(t *testing.T) {
	ns := newNamespace(t)
	p := byCookie(policy(ns, "cart", "cart"), &v1alpha1.Cookie{SameSite: v1alpha1.SameSiteNone, Secure: v1alpha1.SecureNever})
	err := admin.Create(t.Context(), p)
	if err == nil || !strings.Contains(err.Error(), "sameSite None needs secure Auto or Always") {
		t.Errorf("error = %v", err)
	}
}
