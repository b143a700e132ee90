package translate

import (
	"cmp"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/limpet-dev/limpet/api/v1alpha1"
	"github.com/limpet-dev/limpet/pkg/model"
)

// Snapshot is the Kubernetes objects as last seen, in any order. Nobody changes it while a Build reads it.
type Snapshot struct {
	Ingresses      []*networkingv1.Ingress
	IngressClasses []*networkingv1.IngressClass
	Services       []*corev1.Service
	EndpointSlices []*discoveryv1.EndpointSlice
	Secrets        []*corev1.Secret
	Policies       []*v1alpha1.AffinityPolicy
	// Pods are only asked whether somebody drains them, and for the labels and annotations that policies name.
	Pods []*metav1.PartialObjectMetadata
	// Now is when the objects were seen, to tell which certificates are out of date. Zero: that is not told.
	Now time.Time
}

// Options is what a user may decide about translation.
type Options struct {
	// Classes are the names of the IngressClasses whose Ingresses are ours. Empty: "limpet".
	Classes []string
	// TakeUnclassed makes an Ingress ours that names no class, as long as the Snapshot has no IngressClass to name.
	TakeUnclassed bool
	// DefaultCertificate is the TLS Secret for clients that name no known host, and for TLS sections without a Secret.
	// Empty: there is none.
	DefaultCertificate types.NamespacedName
	// TLSMinVersion is the lowest version of TLS for all hosts: an annotation can only raise it.
	TLSMinVersion model.TLSVersion
	// OwnerRoutesOnly leaves out the routes that a namespace has for a host which another one owns.
	OwnerRoutesOnly bool
	// SharesUnmatched passes requests that no route of their host matches on to routes of any namespace, and not only to
	// those of the namespace that owns the host.
	SharesUnmatched bool
	// HSTS is the Strict-Transport-Security of all answers over TLS, as ParseHSTS gives it, unless an annotation says
	// otherwise. Empty: none.
	HSTS string
	// ServeUnprotected serves the routes of Ingresses that ask for protection which this version does not enforce. They
	// are closed otherwise.
	ServeUnprotected bool
	// ExternalNames are the names that a Service of type ExternalName may have, and the domains below which it may be, as
	// ParseNameSuffix returns them. Empty: none, so that routes to such Services respond 503.
	ExternalNames []string
}

// DefaultClass is the IngressClass whose Ingresses are ours, unless Options say otherwise.
const DefaultClass = "limpet"

// Result is what a Snapshot comes to.
type Result struct {
	Model *model.Model
	// Reports has one entry for each object of ours, and the Secret of the default certificate, sorted by kind, namespace
	// and name.
	Reports []Report
	// Referenced are the Services and Secrets that objects of ours name, also those that do not exist: only a change of
	// one of these can change the Model. An entry of kind KindEndpoints is a Service whose EndpointSlices and pods may
	// change the Reports.
	Referenced map[model.Ref]struct{}
	// Next is when the Reports of the same objects will be others, because a certificate runs out. Zero: never.
	Next time.Time
}

// builder is the state of one Build.
type builder struct {
	options  Options
	services map[types.NamespacedName]*corev1.Service
	secrets  map[types.NamespacedName]*corev1.Secret
	// descriptions are those of the objects that are ours, oldest first.
	descriptions []*description
	foreign      map[model.Ref]bool // what others serve, see readings
	policies     *policies
	routes       routes
	canaries     map[routeKey]model.Ref // the object that is the canary of a route
	pools        map[model.PoolID]model.Pool
	certs        certificates
	owners       owners
	hosts        hosts
	secured      map[model.Ref]security
	// closedHosts are hosts that all routes of a namespace are closed for, and guards what else is to be closed.
	closedHosts map[hostKey]closure
	guards      []guard
	reports     reports
	notices     notices
	referenced  map[model.Ref]struct{}
	now, next   time.Time // Snapshot.Now, Result.Next
}

// Build translates a Snapshot. Equal Snapshots give equal Results, whatever the order of their objects. before is the Model in
// use, nil if there is none: a Secret that has become unusable keeps its place with what was made of it then.
func Build(w *Snapshot, before *model.Model, o Options) Result { return build(w, before, o, readers) }

// build is Build with the kinds that the readers describe.
func build(w *Snapshot, before *model.Model, o Options, readers []reader) Result {
	b := &builder{
		options:     o,
		services:    index(w.Services),
		secrets:     index(w.Secrets),
		foreign:     map[model.Ref]bool{},
		routes:      routes{taken: map[routeKey]model.Ref{}, at: map[routeKey]int{}},
		canaries:    map[routeKey]model.Ref{},
		pools:       map[model.PoolID]model.Pool{},
		certs:       newCertificates(before),
		owners:      owners{},
		hosts:       hosts{},
		secured:     map[model.Ref]security{},
		closedHosts: map[hostKey]closure{},
		reports:     reports{},
		notices:     notices{},
		referenced:  map[model.Ref]struct{}{},
		now:         w.Now,
	}
	b.serveDefaultCertificate()
	b.describe(w, readers)
	b.readPolicies(byAge(w.Policies))
	b.findOwners()
	b.decideHosts()
	b.translateObjects()
	b.serveBelowWildcards()
	b.closeRoutes()
	b.secureRoutes()
	b.separateCookies()
	b.namePods(w)
	b.reportPolicies()
	b.addNotices()
	return Result{Model: b.model(), Reports: b.reports.sorted(), Referenced: b.referenced, Next: b.next}
}

func (b *builder) model() *model.Model {
	m := &model.Model{
		Routes: b.routes.sorted(), Hosts: b.hosts.sorted(), Owners: b.hostOwners(),
		Certificates: b.certs.sorted(), DefaultCertificateFor: b.certs.defaultFor,
	}
	for _, pool := range b.pools {
		m.Pools = append(m.Pools, pool)
	}
	slices.SortFunc(m.Pools, func(x, y model.Pool) int { return comparePools(x.ID, y.ID) })
	return m
}

func comparePools(x, y model.PoolID) int {
	return cmp.Or(
		cmp.Compare(x.Namespace, y.Namespace), cmp.Compare(x.Service, y.Service), cmp.Compare(x.Port, y.Port))
}

// byAge gives the objects in the order in which conflicts are decided. Those that are being deleted come last.
func byAge[T metav1.Object](objects []T) []T {
	out := slices.Clone(objects)
	slices.SortFunc(out, func(x, y T) int { return ageOf(x).compare(ageOf(y)) })
	return out
}

// compareBools orders false before true.
func compareBools(x, y bool) int {
	switch {
	case x == y:
		return 0
	case y:
		return -1
	}
	return 1
}

func index[T metav1.Object](objects []T) map[types.NamespacedName]T {
	out := make(map[types.NamespacedName]T, len(objects))
	for _, object := range objects {
		out[types.NamespacedName{Namespace: object.GetNamespace(), Name: object.GetName()}] = object
	}
	return out
}

func refOf(kind string, object metav1.Object) model.Ref {
	return model.Ref{Kind: kind, Namespace: object.GetNamespace(), Name: object.GetName()}
}

// refer remembers that an object of ours names another, and gives that one's key.
func (b *builder) refer(kind, namespace, name string) (model.Ref, types.NamespacedName) {
	ref := model.Ref{Kind: kind, Namespace: namespace, Name: name}
	b.referenced[ref] = struct{}{}
	return ref, types.NamespacedName{Namespace: namespace, Name: name}
}
