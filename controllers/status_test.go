package controllers

import (
	"slices"
	"strings"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	eventsv1 "k8s.io/api/events/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/limpet-dev/limpet/api/v1alpha1"
	"github.com/limpet-dev/limpet/pkg/translate"
)

type sliceObject = discoveryv1.EndpointSlice

func TestPolicyStatus_conditions(t *testing.T) {
	ns := newNamespace(t)
	p := policy(ns, "cart", "cart")
	create(t, service(ns, "cart"), ingress(ns, "cart"), p)
	startReplica(t, "a")
	eventually(t, "Programmed", policyIs(t, p, v1alpha1.ConditionProgrammed, metav1.ConditionTrue))
	target := get(t, p).Status.Targets[0]
	for _, kind := range []string{v1alpha1.ConditionAccepted, v1alpha1.ConditionResolvedRefs} {
		if c := meta.FindStatusCondition(target.Conditions, kind); c == nil || c.Status != metav1.ConditionTrue ||
			c.ObservedGeneration != p.Generation {
			t.Errorf("%s = %+v, want True at generation %d", kind, c, p.Generation)
		}
	}
	if target.TargetRef.Name != "cart" || target.Effective == nil {
		t.Errorf("target = %+v, want cart with its effective settings", target)
	}
}

func TestPolicyStatus_keepsTransitionTime(t *testing.T) {
	ns := newNamespace(t)
	p := policy(ns, "cart", "cart")
	create(t, service(ns, "cart"), ingress(ns, "cart"), p)
	startReplica(t, "a")
	eventually(t, "Programmed", policyIs(t, p, v1alpha1.ConditionProgrammed, metav1.ConditionTrue))
	resolved := *meta.FindStatusCondition(get(t, p).Status.Targets[0].Conditions, v1alpha1.ConditionResolvedRefs)

	change(t, p, makeInvalid)
	eventually(t, "not accepted", policyIs(t, p, v1alpha1.ConditionAccepted, metav1.ConditionFalse))
	now := get(t, p).Status.Targets[0].Conditions
	if c := meta.FindStatusCondition(now, v1alpha1.ConditionProgrammed); c.Status != metav1.ConditionFalse ||
		c.Reason != v1alpha1.ReasonNotApplied || c.ObservedGeneration != p.Generation {
		t.Errorf("Programmed = %+v, want False, NotApplied", c)
	}
	c := meta.FindStatusCondition(now, v1alpha1.ConditionResolvedRefs)
	if !c.LastTransitionTime.Equal(&resolved.LastTransitionTime) || c.ObservedGeneration == resolved.ObservedGeneration {
		t.Errorf("ResolvedRefs = %+v, want the transition time of %+v and the new generation", c, resolved)
	}
}

func TestStatus_unchangedIsNotWritten(t *testing.T) {
	ns := newNamespace(t)
	p, other := policy(ns, "cart", "cart"), policy(ns, "later", "nowhere")
	create(t, service(ns, "cart"), ingress(ns, "cart"), p)
	startReplica(t, "a", func(o *Options) { o.PublishAddresses = []string{"203.0.113.7"} })
	eventually(t, "Programmed", policyIs(t, p, v1alpha1.ConditionProgrammed, metav1.ConditionTrue))
	in := ingress(ns, "cart")
	eventually(t, "the address", func() bool { return len(get(t, in).Status.LoadBalancer.Ingress) == 1 })
	before, inBefore := get(t, p).ResourceVersion, in.ResourceVersion
	create(t, other) // makes the writer check all objects
	eventually(t, "the other's status", policyIs(t, other, v1alpha1.ConditionResolvedRefs, metav1.ConditionFalse))
	if get(t, p).ResourceVersion != before || get(t, in).ResourceVersion != inBefore {
		t.Error("an unchanged status was written")
	}
}

func TestLeader_onlyLeaderWrites(t *testing.T) {
	ns := newNamespace(t)
	p := policy(ns, "cart", "cart")
	in := ingress(ns, "broken") // its Service does not exist
	create(t, service(ns, "cart"), ingress(ns, "cart"), p, in)
	a := startReplica(t, "a", publishAddress)
	eventually(t, "a leads", leads(t, "a"))
	b := startReplica(t, "b", publishAddress)
	eventually(t, "a's status", policyIs(t, p, v1alpha1.ConditionProgrammed, metav1.ConditionTrue))
	eventually(t, "b's table", b.publisher.serves(ns, "cart.example.com"))
	eventually(t, "a's Event", func() bool { return len(eventsOn(t, in)) == 1 })
	eventually(t, "a's address", func() bool { return len(get(t, in).Status.LoadBalancer.Ingress) == 1 })
	if writers := statusWriters(get(t, p)); !slices.Equal(writers, []string{"a"}) {
		t.Errorf("status written by %q, want the leader a", writers)
	}

	a.stop()
	eventually(t, "b leads", leads(t, "b"))
	if len(get(t, in).Status.LoadBalancer.Ingress) != 1 {
		t.Error("the address was removed with the lease")
	}
	change(t, p, makeInvalid)
	eventually(t, "b's status", policyIs(t, p, v1alpha1.ConditionAccepted, metav1.ConditionFalse))
	eventually(t, "b's Event", func() bool { return len(eventsOn(t, in)) == 2 })
	if events := eventsOn(t, in); events[0].ReportingInstance == events[1].ReportingInstance {
		t.Errorf("%s emitted the Event twice", events[0].ReportingInstance)
	}
}

func TestLeader_lostLeaseStopsOnlyWrites(t *testing.T) {
	ns := newNamespace(t)
	in := ingress(ns, "shop")
	create(t, service(ns, "shop"), in)
	r := startReplica(t, "a", func(o *Options) { o.PublishAddresses = []string{"203.0.113.7"} })
	eventually(t, "the address", func() bool { return len(get(t, in).Status.LoadBalancer.Ingress) == 1 })
	change(t, lease(), func(l *coordinationv1.Lease) { holdLease(l, "other-holder") })
	eventually(t, "the replica to notice", r.hasLogged("Stopped leading"))

	later := ingress(ns, "later")
	create(t, service(ns, "later"), later)
	eventually(t, "a route added without the lease", r.publisher.serves(ns, "later.example.com"))
	if len(get(t, in).Status.LoadBalancer.Ingress) != 1 {
		t.Error("the address was removed with the lease")
	}
	if len(get(t, later).Status.LoadBalancer.Ingress) != 0 {
		t.Error("status was written without the lease")
	}
	change(t, lease(), func(l *coordinationv1.Lease) { l.Spec.HolderIdentity = ptr.To("") })
	eventually(t, "the address after the lease is back", func() bool {
		return len(get(t, later).Status.LoadBalancer.Ingress) == 1
	})
}

func TestEvents_onlyWhenProblemsChange(t *testing.T) {
	ns := newNamespace(t)
	in := ingress(ns, "shop")
	create(t, in)
	startReplica(t, "a")
	eventually(t, "an Event", func() bool { return len(eventsOn(t, in)) == 1 })
	first := eventsOn(t, in)[0]
	if first.Reason != translate.ReasonServiceNotFound || first.Type != corev1.EventTypeWarning ||
		!strings.Contains(first.Note, "spec.rules[0].http.paths[0].backend.service") || first.Regarding.UID != in.UID {
		t.Errorf("Event = %+v, want a warning that names the reason, the field and the Ingress", first)
	}
	// A rebuild with the same problem emits nothing. A rebuild with a new problem emits one Event.
	create(t, policy(ns, "other", "nowhere"))
	change(t, in, func(in *networkingv1.Ingress) {
		in.Spec.Rules[0].HTTP.Paths[0].Backend.Service.Name = "elsewhere"
	})
	eventually(t, "an Event about the other Service", func() bool {
		return slices.ContainsFunc(eventsOn(t, in), func(e eventsv1.Event) bool { return strings.Contains(e.Note, "elsewhere") })
	})
	if n := len(eventsOn(t, in)); n != 2 {
		t.Errorf("%d Events, want 2", n)
	}
}

func TestEvents_longNoteIsTruncated(t *testing.T) {
	var problems []translate.Problem
	for range 64 {
		problems = append(problems, translate.Problem{Reason: "Any", Field: "spec", Message: "ä long message about a field"})
	}
	note := notesByReason(problems)["Any"]
	if len(note) > maxNoteBytes || !strings.HasSuffix(note, " ...") || strings.ToValidUTF8(note, "?") != note {
		t.Errorf("note of %d bytes: %q", len(note), note)
	}
}

// policyIs returns a condition: the policy's first target has the given condition at the current generation.
func policyIs(t *testing.T, p *v1alpha1.AffinityPolicy, kind string, want metav1.ConditionStatus) func() bool {
	return func() bool {
		now := get(t, p)
		if len(now.Status.Targets) == 0 {
			return false
		}
		c := meta.FindStatusCondition(now.Status.Targets[0].Conditions, kind)
		return c != nil && c.Status == want && c.ObservedGeneration == now.Generation
	}
}

func leads(t *testing.T, name string) func() bool {
	return func() bool {
		l := lease()
		err := admin.Get(t.Context(), client.ObjectKeyFromObject(l), l)
		return err == nil && l.Spec.HolderIdentity != nil && *l.Spec.HolderIdentity == name
	}
}

// holdLease makes holder own the lease for an hour.
func holdLease(l *coordinationv1.Lease, holder string) {
	now := metav1.NewMicroTime(time.Now())
	l.Spec.HolderIdentity = ptr.To(holder)
	l.Spec.LeaseDurationSeconds = ptr.To[int32](3600)
	l.Spec.AcquireTime, l.Spec.RenewTime = &now, &now
}

// statusWriters returns the field managers of an object's status.
func statusWriters(object client.Object) []string {
	var names []string
	for _, entry := range object.GetManagedFields() {
		if entry.Subresource == "status" {
			names = append(names, entry.Manager)
		}
	}
	return names
}

// The certificate named by a flag has no Ingress to report on.
func TestEvents_defaultCertificateSecret(t *testing.T) {
	ns := newNamespace(t)
	secret := tlsSecret(t, ns, "wildcard", time.Now().Add(-time.Hour))
	create(t, secret)
	r := newReplica("a")
	r.publisher.options.DefaultCertificate = types.NamespacedName{Namespace: ns, Name: "wildcard"}
	r.start(t)
	eventually(t, "an Event", func() bool { return len(eventsOn(t, secret)) == 1 })
	if e := eventsOn(t, secret)[0]; e.Reason != translate.ReasonCertificateOutOfDate {
		t.Errorf("Event = %+v", e)
	}
}

// eventsOn returns the Events for an object, oldest first.
func eventsOn(t *testing.T, object client.Object) []eventsv1.Event {
	t.Helper()
	var list eventsv1.EventList
	if err := admin.List(t.Context(), &list, client.InNamespace(object.GetNamespace())); err != nil {
		t.Fatal(err)
	}
	found := slices.DeleteFunc(list.Items, func(e eventsv1.Event) bool { return e.Regarding.UID != object.GetUID() })
	slices.SortFunc(found, func(a, b eventsv1.Event) int { return a.EventTime.Compare(b.EventTime.Time) })
	return found
}

func hasProblem(reports []translate.Report, namespace, reason string) bool {
	return slices.ContainsFunc(reports, func(r translate.Report) bool {
		return r.Ref.Namespace == namespace &&
			slices.ContainsFunc(r.Problems, func(p translate.Problem) bool { return p.Reason == reason })
	})
}

func contains(text, part string) bool { return strings.Contains(text, part) }
