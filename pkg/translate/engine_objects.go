package translate

import (
	"cmp"
	"maps"
	"reflect"
	"slices"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/limpet-dev/limpet/api/v1alpha1"
	"github.com/limpet-dev/limpet/pkg/model"
)

// change takes over the new state of an object. Changes of parts that translation does not read cost a comparison.
func (e *Engine) change(c *Change) {
	key := types.NamespacedName{Namespace: c.Ref.Namespace, Name: c.Ref.Name}
	switch c.Ref.Kind {
	case model.KindIngress:
		object, _ := c.Object.(*networkingv1.Ingress)
		e.changeIngress(key, object)
	case model.KindService:
		object, _ := c.Object.(*corev1.Service)
		e.changeService(c.Ref, key, object)
	case model.KindSecret:
		object, _ := c.Object.(*corev1.Secret)
		e.changeSecret(c.Ref, key, object)
	case model.KindConfigMap:
		object, _ := c.Object.(*corev1.ConfigMap)
		e.changeConfigMap(c.Ref, key, object)
	case v1alpha1.Kind:
		object, _ := c.Object.(*v1alpha1.AffinityPolicy)
		e.changePolicy(c.Ref, object)
	case KindIngressClass:
		object, _ := c.Object.(*networkingv1.IngressClass)
		e.changeClass(c.Ref.Name, object)
	case KindNamespace:
		object, _ := c.Object.(*metav1.PartialObjectMetadata)
		e.changeNamespace(c.Ref.Name, object)
	case KindEndpoints:
		e.wasChanged(c.Ref)
	case model.KindPod:
		object, _ := c.Object.(*metav1.PartialObjectMetadata)
		e.changePod(c.Ref, object)
	}
}

// wasChanged marks the groups that have read something that changed.
func (e *Engine) wasChanged(r model.Ref) {
	for _, g := range e.readers[r] {
		e.step.dirty[g] = struct{}{}
	}
}

// put sets or deletes an entry, and returns the previous one. An object is a nil pointer if it was deleted.
func put[K comparable, T any](objects map[K]*T, key K, object *T) (before *T) {
	before = objects[key]
	if object == nil {
		delete(objects, key)
	} else {
		objects[key] = object
	}
	return before
}

func (e *Engine) changeService(ref model.Ref, key types.NamespacedName, object *corev1.Service) {
	before := put(e.services, key, object)
	if (before == nil) != (object == nil) {
		e.targetChanged(ref)
	} else if before == object || before == nil || sameService(before, object) {
		return
	}
	e.wasChanged(ref)
}

// sameService reports whether two states of a Service differ only in parts that translation does not read.
func sameService(x, y *corev1.Service) bool {
	return maps.Equal(x.Annotations, y.Annotations) && reflect.DeepEqual(&x.Spec, &y.Spec)
}

func (e *Engine) changeSecret(ref model.Ref, key types.NamespacedName, object *corev1.Secret) {
	before := put(e.secrets, key, object)
	if before == object || before != nil && object != nil && reflect.DeepEqual(before.Data, object.Data) {
		return
	}
	e.wasChanged(ref)
}

// changeClass describes all Ingresses again if the class changes which of them Limpet serves, or how.
func (e *Engine) changeClass(name string, object *networkingv1.IngressClass) {
	put(e.classObjects, name, object)
	objects := make([]*networkingv1.IngressClass, 0, len(e.classObjects))
	for _, class := range e.classObjects {
		objects = append(objects, class)
	}
	before := e.classes
	e.classes = readClasses(objects, &e.options)
	if e.classes.equal(&before) {
		return
	}
	for _, n := range e.nodes {
		e.setObject(n, n.object)
	}
}

// node is an Ingress. It has no description: that is ten times as large, and describe makes it again when it is needed.
type node struct {
	object *networkingv1.Ingress
	// rank is nil if other controllers serve the Ingress.
	rank *rank
	// foreign are the objects that count as objects of other controllers because of this Ingress.
	foreign []model.Ref
	// unserved reports the class of an Ingress that other controllers serve, see Options.ReportUnserved.
	unserved  *Report
	namespace string
	verdicts  verdictCounts
	keys      linkKeys
	group     *group // nil without a rank
}

// rank decides conflicts between descriptions. It is immutable.
type rank struct {
	age
	kind     string
	isCanary bool
	isNginx  bool // see description
	// setsDomain is true if the annotations set a cookie with an explicit domain.
	setsDomain bool
}

func rankOf(d *description) *rank {
	if d == nil {
		return nil
	}
	return &rank{d.age, d.ref.Kind, d.canary != nil, d.isNginx, d.affinity.setsDomain()}
}

// compare orders ranks as descriptions.
func (r *rank) compare(other *rank) int {
	return cmp.Or(r.age.compare(other.age), cmp.Compare(r.kind, other.kind))
}

// describe returns the description of an Ingress, or nil if other controllers serve it.
func (e *Engine) describe(n *node) *description {
	if n.rank == nil {
		return nil
	}
	d := e.step.described[n]
	if d == nil {
		d = describeIngress(n.object, n.rank.isNginx, &e.options)
		d.age = n.rank.age // its namespace may be being deleted
		e.step.described[n] = d
	}
	return d
}

// changeIngress describes an Ingress again. A nil object was deleted.
func (e *Engine) changeIngress(key types.NamespacedName, object *networkingv1.Ingress) {
	n := e.nodes[key]
	switch {
	case object == nil && n == nil:
		return
	case object == nil:
		delete(e.nodes, key)
	case n == nil:
		n = &node{}
		e.nodes[key] = n
	case sameIngress(n.object, object):
		n.object = object
		return
	}
	e.setObject(n, object)
}

// sameIngress reports whether two states of an Ingress differ only in parts that no description has.
func sameIngress(x, y *networkingv1.Ingress) bool {
	return x.Generation == y.Generation && ageOf(x) == ageOf(y) && maps.Equal(x.Annotations, y.Annotations) &&
		reflect.DeepEqual(&x.Spec, &y.Spec)
}

// setObject describes the new state of an Ingress.
func (e *Engine) setObject(n *node, object *networkingv1.Ingress) {
	before := e.describe(n)
	var d *description
	if object != nil {
		if isServed, isNginx := e.classes.of(object); isServed {
			d = describeIngress(object, isNginx, &e.options)
			d.age.isDeleting = d.age.isDeleting || e.terminating.has(object.Namespace)
		}
	}
	e.setUnserved(n, d, object)
	n.object = object
	e.setForeign(n, d, object)
	if reflect.DeepEqual(before, d) {
		return
	}
	e.count(e.references, servicesOf(d), servicesOf(before))
	for _, one := range []*description{before, d} {
		if one != nil && (before == nil || d == nil) {
			e.targetChanged(one.ref)
		}
	}
	n.rank, e.step.described[n] = rankOf(d), d
	if d == nil {
		e.setVerdicts(n, nil)
	} else {
		e.setVerdicts(n, object)
	}
	e.step.changed[n] = struct{}{}
}

// setUnserved updates the Report of an Ingress that other controllers serve.
func (e *Engine) setUnserved(n *node, d *description, object *networkingv1.Ingress) {
	before := n.unserved
	n.unserved = nil
	if object != nil && d == nil && e.options.ReportUnserved {
		r := unservedReport(object, &e.options)
		n.unserved = &r
	}
	for _, r := range []*Report{before, n.unserved} {
		if r != nil {
			e.keepReport(r.Ref)
		}
	}
	if before != nil && e.reports[before.Ref] == before {
		delete(e.reports, before.Ref)
	}
	if n.unserved != nil {
		e.reports[n.unserved.Ref] = n.unserved
	}
}

// changePod takes over the new state of a pod, nil if it was deleted.
func (e *Engine) changePod(ref model.Ref, object *metav1.PartialObjectMetadata) {
	e.keepReport(ref)
	delete(e.reports, ref)
	if object != nil && HasUnknownDrain(object.Annotations) {
		b := newBuilder(e.options, nil, e.now)
		b.checkDrain(object)
		e.reports[ref] = b.reports[ref]
	}
}

// setForeign updates the references of an Ingress of another controller. d is nil for such an Ingress.
func (e *Engine) setForeign(n *node, d *description, object *networkingv1.Ingress) {
	var foreign []model.Ref
	if object != nil && d == nil {
		foreign = append(foreign, refOf(model.KindIngress, object))
		eachService(object, func(service model.Ref) { foreign = append(foreign, service) })
	}
	if slices.Equal(foreign, n.foreign) {
		return
	}
	e.count(e.foreign, foreign, n.foreign)
	n.foreign = foreign
}

func servicesOf(d *description) []model.Ref {
	var refs []model.Ref
	if d != nil {
		d.eachService(func(service model.Ref) { refs = append(refs, service) })
	}
	return refs
}

// count adds and removes references, and marks the policies that target an object whose count becomes or was zero.
func (e *Engine) count(counts map[model.Ref]int, added, removed []model.Ref) {
	for _, ref := range added {
		if counts[ref]++; counts[ref] == 1 {
			e.targetChanged(ref)
		}
	}
	for _, ref := range removed {
		if counts[ref]--; counts[ref] == 0 {
			delete(counts, ref)
			e.targetChanged(ref)
		}
	}
}
