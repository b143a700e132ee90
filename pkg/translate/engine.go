package translate

import (
	"maps"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/limpet-dev/limpet/pkg/model"
)

// KindIngressClass is the kind of an IngressClass in a Change.
const KindIngressClass = "IngressClass"

// Change is the new state of one object. The Engine keeps a reference to the object, so callers must not modify it.
type Change struct {
	// Ref names the object. Its Kind is KindIngress, KindService, KindSecret or KindConfigMap of package model,
	// KindIngressClass, KindNamespace, KindEndpoints or v1alpha1.Kind.
	Ref model.Ref
	// Object has the type of the kind. Nil means that the object does not exist. It is ignored for KindEndpoints.
	Object metav1.Object
}

// EndpointObjects provides the EndpointSlices of a Service and the metadata of pods, as last seen.
type EndpointObjects struct {
	Slices func(namespace, service string) []*discoveryv1.EndpointSlice
	Pods   Pods
}

// Engine translates incrementally. It keeps what it has translated. For a change it translates only the groups of Ingresses
// that the changed objects can affect (ADR 59). Its result equals that of Build for the same objects. It is not safe for
// concurrent use.
type Engine struct {
	given     Options // as in NewEngine
	options   Options // with the settings of the ConfigMap of ingress-nginx
	now       time.Time
	endpoints EndpointObjects

	// Objects as last seen.
	nodes        map[types.NamespacedName]*node
	classes      classes // compiled from classObjects
	classObjects map[string]*networkingv1.IngressClass
	terminating  namespaces
	services     map[types.NamespacedName]*corev1.Service
	secrets      map[types.NamespacedName]*corev1.Secret
	configMaps   map[types.NamespacedName]*corev1.ConfigMap
	policies     policyIndex
	foreign      map[model.Ref]int // number of objects of other controllers that are or reference the object
	// references is the number of references of served Ingresses to each Service.
	references map[model.Ref]int

	// Groups.
	links linkage
	// readers are the groups that have read an object or, for a Service, the policy for it, whether it exists or not.
	readers  map[model.Ref][]*group
	expiring expiryQueue
	defaults *group // has no objects; reads the default certificate

	// Results of all groups.
	hosts    map[string]*hostResult
	merged   merged
	reports  map[model.Ref]*Report // without those of the source, see report
	routes   int                   // in all hosts
	verdicts [len(verdicts)]int    // on annotations of ingress-nginx
	problems map[string]int        // in all reports, by reason, zero for earlier reasons
	// dropped are Secrets whose certificate was in use before the last Apply and is not in use any more. Groups that have read
	// an invalid one may report that the previous certificate stays in use, which a further Build would not do.
	dropped   []model.Ref
	reporters map[model.Ref]*policyReading // what the Report of each policy depends on
	// source are the Reports of the source of the objects. nextSource are those for the next Apply, nil if they do not change.
	source, nextSource map[model.Ref][]Report

	steps uint64 // number of calls of Apply
	step  *step
}

// step is the state of one Apply.
type step struct {
	changed   map[*node]struct{}     // Ingresses with another description
	described map[*node]*description // descriptions of this Apply
	dirty     map[*group]struct{}    // groups to translate
	dissolved []*group
	touched   map[string]struct{} // server names whose owners may have changed
	policies  map[model.Ref]struct{}
	reports   map[model.Ref]*Report  // the previous Report of each that may have changed
	hosts     map[string]*hostResult // the previous result of each host that may have changed
	parsed    map[model.Ref]*model.Certificate
	update    Update
}

// NewEngine returns an Engine without objects. Apply must be called before its results are used.
func NewEngine(o Options) *Engine {
	e := &Engine{
		given: o, options: o.withNginxConfig(nil),
		nodes:        map[types.NamespacedName]*node{},
		classObjects: map[string]*networkingv1.IngressClass{},
		terminating:  namespaces{},
		services:     map[types.NamespacedName]*corev1.Service{},
		secrets:      map[types.NamespacedName]*corev1.Secret{},
		configMaps:   map[types.NamespacedName]*corev1.ConfigMap{},
		policies:     newPolicyIndex(),
		foreign:      map[model.Ref]int{}, references: map[model.Ref]int{},
		links:   newLinkage(),
		readers: map[model.Ref][]*group{},
		hosts:   map[string]*hostResult{}, merged: newMerged(), problems: map[string]int{},
		reports: map[model.Ref]*Report{}, reporters: map[model.Ref]*policyReading{},
		defaults: &group{expiry: expiry{index: -1}},
	}
	e.classes = readClasses(nil, &e.options)
	return e
}

// Update is the difference that an Apply has made.
type Update struct {
	Hosts        []model.HostChange
	ServerNames  []model.ServerNameChange
	Pools        []model.Pool   // new and changed ones
	RemovedPools []model.PoolID // after the Hosts no longer refer to them
	// Certificates are the Secrets whose certificate changed. Nil means that it is no longer in use.
	Certificates map[model.Ref]*model.Certificate
	// Reports are new and changed ones. RemovedReports are objects that have none any more.
	Reports        []Report
	RemovedReports []model.Ref
	// Referenced has the entries of Result.Referenced that changed. False means that the entry was removed.
	Referenced map[model.Ref]bool
	// Problems is the number of problems in all Reports, by reason. Reasons that an earlier Update had are zero.
	Problems map[string]int
	// Next is Result.Next.
	Next time.Time
	// Routes is the number of Routes of the Model.
	Routes int
	// Verdicts is the number of annotations of ingress-nginx of all served Ingresses, by verdict.
	Verdicts map[string]int
	// Translated is the number of groups that were translated.
	Translated int
}

// ChangesModel reports whether the Model changed.
func (u *Update) ChangesModel() bool {
	return len(u.Hosts)+len(u.ServerNames)+len(u.Pools)+len(u.RemovedPools)+len(u.Certificates) > 0
}

// Apply makes changes and returns what they changed in the results. If an object occurs several times, the last state counts.
// Now must not be earlier than in the last call. Objects of endpoints are used until the next call.
func (e *Engine) Apply(changes []Change, endpoints EndpointObjects, now time.Time) *Update {
	if now.After(e.now) {
		e.now = now
	}
	e.endpoints = endpoints
	e.steps++
	e.step = &step{
		changed: map[*node]struct{}{}, described: map[*node]*description{}, dirty: map[*group]struct{}{},
		policies: map[model.Ref]struct{}{},
		reports:  map[model.Ref]*Report{}, hosts: map[string]*hostResult{}, touched: map[string]struct{}{},
		parsed: map[model.Ref]*model.Certificate{},
	}
	if !e.defaults.isTranslated {
		e.step.dirty[e.defaults] = struct{}{}
	}
	for _, secret := range e.dropped {
		e.wasChanged(secret)
	}
	for i := range changes {
		e.change(&changes[i])
	}
	e.applySourceReports()
	e.expire()
	e.relink()
	e.translateGroups()
	e.updateHosts()
	e.reportPolicies()
	e.merged.finish(&e.step.update)
	e.updateReports()
	e.dropCertificates()
	e.step.update.Routes, e.step.update.Verdicts = e.routes, e.verdictTotals()
	e.step.update.Problems, e.step.update.Next = maps.Clone(e.problems), e.expiring.next()
	update := &e.step.update
	e.step = nil
	return update
}
