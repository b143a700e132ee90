package translate

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/limpet-dev/limpet/api/v1alpha1"
	"github.com/limpet-dev/limpet/pkg/model"
)

// lookups provides everything that descriptions reference, and the facts about other objects that decide a rule. Methods
// return nil for what does not exist. Callers must not modify the results. An Engine records every call, so that it
// knows which groups a change affects.
type lookups interface {
	service(types.NamespacedName) *corev1.Service
	secret(types.NamespacedName) *corev1.Secret
	configMap(types.NamespacedName) *corev1.ConfigMap
	// endpointSlices returns the EndpointSlices of a Service, and perhaps others.
	endpointSlices(namespace, service string) []*discoveryv1.EndpointSlice
	pod(namespace, name string) *metav1.PartialObjectMetadata

	policyNamed(types.NamespacedName) *policy
	// policyFor returns the policy that applies to a target: the oldest accepted one, otherwise the oldest one.
	policyFor(target model.Ref) *policy

	// handoffHeaders returns the headers of all handoffs in a namespace, sorted.
	handoffHeaders(namespace string) []string

	// isDescribed reports whether Limpet serves an object.
	isDescribed(model.Ref) bool
	// isForeign reports whether only other controllers serve an object or reference a Service.
	isForeign(model.Ref) bool

	// certificateInUse returns the previous Certificate of a Secret, or one that was parsed from the Secret as it is.
	certificateInUse(ref model.Ref, secret *corev1.Secret) *model.Certificate
	// server returns the owner of the certificates that are presented for a server name, or zero. own is the owner in the
	// same group.
	server(name string, own owner) owner
}

// snapshotLookups are the lookups of a Snapshot.
type snapshotLookups struct {
	snapshot  *Snapshot
	services  map[types.NamespacedName]*corev1.Service
	secrets   map[types.NamespacedName]*corev1.Secret
	maps      map[types.NamespacedName]*corev1.ConfigMap
	pods      Pods                                                  // nil until the first use
	byService map[types.NamespacedName][]*discoveryv1.EndpointSlice // nil until the first use
	byName    map[types.NamespacedName]*policy
	byTarget  map[model.Ref]*policy
	handoffs  handoffIndex
	described map[model.Ref]bool
	foreign   map[model.Ref]bool // see readings
	before    map[model.Ref]*model.Certificate
}

func newSnapshotLookups(w *Snapshot, before *model.Model) *snapshotLookups {
	s := &snapshotLookups{
		snapshot: w, services: index(w.Services), secrets: index(w.Secrets), maps: index(w.ConfigMaps),
		byName: map[types.NamespacedName]*policy{}, byTarget: map[model.Ref]*policy{}, handoffs: handoffIndex{},
		described: map[model.Ref]bool{}, foreign: map[model.Ref]bool{}, before: map[model.Ref]*model.Certificate{},
	}
	if before != nil {
		for i := range before.Certificates {
			s.before[before.Certificates[i].Secret] = &before.Certificates[i]
		}
	}
	return s
}

// describe reads all objects, and returns their descriptions, oldest first, and the Reports of those that Limpet does not serve.
func (s *snapshotLookups) describe(w *Snapshot, readers []reader, o *Options) (out []*description, unserved []Report) {
	for _, read := range readers {
		found := read(w, o)
		out = append(out, found.descriptions...)
		unserved = append(unserved, found.unserved...)
		for _, ref := range found.foreign {
			s.foreign[ref] = true
		}
	}
	slices.SortFunc(out, (*description).compare)
	for _, d := range out {
		s.described[d.ref] = true
		delete(s.foreign, d.ref)
		d.eachService(func(service model.Ref) { delete(s.foreign, service) })
	}
	return out, unserved
}

// readPolicies compiles all policies, which are sorted by age, and decides which of them applies to each target.
func (s *snapshotLookups) readPolicies(all []*v1alpha1.AffinityPolicy, o *Options) []*policy {
	list := make([]*policy, 0, len(all))
	for _, object := range all {
		p := readPolicy(object, o)
		list = append(list, p)
		s.byName[types.NamespacedName{Namespace: p.Namespace, Name: p.Name}] = p
		s.handoffs.replace(p.Namespace, nil, p)
		if p.settings != nil {
			s.claim(p)
		}
	}
	for _, p := range list {
		s.claim(p)
	}
	return list
}

func (s *snapshotLookups) claim(p *policy) {
	for i := range p.Spec.TargetRefs {
		target := targetOf(p, &p.Spec.TargetRefs[i])
		if s.byTarget[target] == nil {
			s.byTarget[target] = p
		}
	}
}

func (s *snapshotLookups) service(key types.NamespacedName) *corev1.Service { return s.services[key] }
func (s *snapshotLookups) secret(key types.NamespacedName) *corev1.Secret   { return s.secrets[key] }
func (s *snapshotLookups) policyNamed(key types.NamespacedName) *policy     { return s.byName[key] }
func (s *snapshotLookups) policyFor(target model.Ref) *policy               { return s.byTarget[target] }
func (s *snapshotLookups) isDescribed(ref model.Ref) bool                   { return s.described[ref] }
func (s *snapshotLookups) isForeign(ref model.Ref) bool                     { return s.foreign[ref] }

func (s *snapshotLookups) handoffHeaders(namespace string) []string {
	return s.handoffs[namespace].headers
}

func (s *snapshotLookups) configMap(key types.NamespacedName) *corev1.ConfigMap { return s.maps[key] }

func (s *snapshotLookups) certificateInUse(ref model.Ref, _ *corev1.Secret) *model.Certificate {
	return s.before[ref]
}

// server returns own: a Build has only one group.
func (s *snapshotLookups) server(_ string, own owner) owner { return own }

func (s *snapshotLookups) endpointSlices(namespace, service string) []*discoveryv1.EndpointSlice {
	if s.byService == nil {
		s.byService = map[types.NamespacedName][]*discoveryv1.EndpointSlice{}
		for _, slice := range s.snapshot.EndpointSlices {
			key := types.NamespacedName{Namespace: slice.Namespace, Name: slice.Labels[discoveryv1.LabelServiceName]}
			s.byService[key] = append(s.byService[key], slice)
		}
	}
	return s.byService[types.NamespacedName{Namespace: namespace, Name: service}]
}

func (s *snapshotLookups) pod(namespace, name string) *metav1.PartialObjectMetadata {
	if s.pods == nil {
		s.pods = PodsOf(s.snapshot)
	}
	return s.pods(namespace, name)
}
