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

// Snapshot holds the Kubernetes objects as last seen, in any order. Callers must not modify it during a Build.
type Snapshot struct {
	Ingresses      []*networkingv1.Ingress
	IngressClasses []*networkingv1.IngressClass
	Services       []*corev1.Service
	EndpointSlices []*discoveryv1.EndpointSlice
	Secrets        []*corev1.Secret
	ConfigMaps     []*corev1.ConfigMap
	Policies       []*v1alpha1.AffinityPolicy
	// Pods provide the drain annotation, and the labels and annotations that policies name.
	Pods []*metav1.PartialObjectMetadata
	// Namespaces are needed only for those that are being deleted. Their objects rank last in every conflict.
	Namespaces []*metav1.PartialObjectMetadata
	// Reports are the problems that the source found in objects and files that it could not read. They become part of the Result.
	Reports []Report
	// Now is the time of the Snapshot. Certificates that are not valid then are reported. Zero disables the check.
	Now time.Time
}

// Options configure translation.
type Options struct {
	// Classes are the names of the IngressClasses that Limpet serves. Empty means DefaultClass.
	Classes []string
	// TakeUnclassed also serves Ingresses without a class, if the Snapshot has no IngressClass.
	TakeUnclassed bool
	// WithoutClasses is true if the Snapshot has no IngressClasses, because this process does not read them. All classes but
	// DefaultClass are then classes of ingress-nginx: a class whose controller is not known must not lose its protection.
	WithoutClasses bool
	// ReportUnserved adds a Report with a problem for each Ingress of a class that Limpet does not serve. In a cluster, these
	// belong to other controllers.
	ReportUnserved bool
	// DefaultCertificate is the TLS Secret for unknown hosts, and for TLS sections without a Secret. Empty means that there
	// is no default certificate.
	DefaultCertificate types.NamespacedName
	// TLSMinVersion is the lowest version of TLS for all hosts: an annotation can only raise it.
	TLSMinVersion model.TLSVersion
	// OwnerRoutesOnly leaves out routes for a host that another namespace owns.
	OwnerRoutesOnly bool
	// WithoutZone reports policies that prefer the own zone of Limpet, because this process does not know it.
	WithoutZone bool
	// WithoutSharedStore reports limits that replicas are to share, because they have no shared store.
	WithoutSharedStore bool
	// SharesUnmatched lets requests that no route of their host matches fall through to the routes of all namespaces. If it
	// is false, they fall through to routes of the namespace that owns the host only.
	SharesUnmatched bool
	// ACMENamespaces are the namespaces whose routes for ACME challenges count on the hosts of other namespaces. Empty means
	// that only the owner of a host serves its challenges.
	ACMENamespaces []string
	// HSTS is the Strict-Transport-Security field of responses over TLS, as returned by ParseHSTS. Annotations override
	// it. Empty means that the field is not set.
	HSTS string
	// Nginx are the settings that apply to Ingresses of a class of ingress-nginx without an annotation. Nil applies none.
	Nginx *NginxDefaults
	// NginxConfigMap is the ConfigMap of the controller of ingress-nginx, whose settings apply to Ingresses of its classes. If it
	// is empty, no ConfigMap is read.
	NginxConfigMap types.NamespacedName
	// NginxUnenforced are keys of NginxConfigMap whose protection the operator waives.
	NginxUnenforced []string
	// TrustsProxies and ReadsProxyProtocol are true if the process learns the addresses of clients from trusted proxies, and from
	// the PROXY protocol.
	TrustsProxies, ReadsProxyProtocol bool
	// DefaultBackend is the Service for requests that no route matches. Empty means that they get a 404.
	DefaultBackend types.NamespacedName
	// ServeUnprotected serves the routes of Ingresses that require protection which this version does not enforce. If it is
	// false, these routes are closed.
	ServeUnprotected bool
	// ExternalNames are the allowed names of Services of type ExternalName, and the domains above allowed names, as returned
	// by ParseNameSuffix. Empty allows no name: routes to such Services respond 503.
	ExternalNames []string

	// config is what NginxConfigMap configures besides Nginx, see withNginxConfig.
	config *nginxConfig
}

// DefaultClass is the IngressClass that Limpet serves if Options.Classes is empty.
const DefaultClass = "limpet"

// Result is the result of a Build.
type Result struct {
	Model *model.Model
	// Reports has one entry for each object that Limpet serves, and for those that the operator names: the Secret of the default
	// certificate, the ConfigMap of ingress-nginx, and the default backend. It is sorted by kind, namespace and name.
	Reports []Report
	// Referenced are the Services, Secrets and ConfigMaps that the served objects reference, including those that do not
	// exist. Changes of others do not change the Model. An entry of kind KindEndpoints is a Service whose
	// EndpointSlices and pods may change the Reports.
	Referenced map[model.Ref]struct{}
	// Next is the time at which the Reports change without a change of the objects, because a certificate becomes valid or
	// expires. Zero means never.
	Next time.Time
}

// builder is the state of one Build, or of the translation of one group of an Engine.
type builder struct {
	options Options
	// lookups has everything that descriptions reference. Steps must not read other objects.
	lookups lookups
	// descriptions describe the served objects, oldest first.
	descriptions []*description
	uses         policyUses
	routes       routes
	canaries     map[routeKey]model.Ref // by route
	pools        map[model.PoolID]model.Pool
	certs        certificates
	owners       owners
	hosts        hosts
	secured      map[model.Ref]security
	// closedHosts are the hosts for which all routes of a namespace are closed. guards are further routes to close.
	closedHosts map[hostKey]closure
	guards      []guard
	// patternHosts are the hosts for which the paths of a namespace are regular expressions. patterns counts them by host.
	patternHosts map[hostKey]bool
	patterns     map[string]int
	tlsHosts     map[string]bool // hosts with a TLS section
	slashed      []slashed
	reports      reports
	notices      notices
	unmatched    *model.Route // for requests that no other route matches, or nil
	// annotations has the annotations of each description, for annotationsOf.
	annotations map[model.Ref]map[string]string
	referenced  map[model.Ref]struct{}
	now, next   time.Time // Snapshot.Now, Result.Next
}

// Build translates a Snapshot. Equal Snapshots result in equal Results, regardless of the order of their objects. before is
// the Model in use, which may be nil. If a Secret has become invalid, its certificate is taken over from before.
func Build(w *Snapshot, before *model.Model, o Options) Result { return build(w, before, o, readers) }

// build is Build for the kinds of these readers.
func build(w *Snapshot, before *model.Model, o Options, readers []reader) Result {
	s := newSnapshotLookups(w, before)
	b := newBuilder(o.withNginxConfig(s.configMap(o.NginxConfigMap)), s, w.Now)
	var unserved []Report
	b.descriptions, unserved = s.describe(w, readers, &b.options)
	b.reports.addAll(unserved)
	policies := s.readPolicies(byAge(w.Policies), &b.options)
	for _, p := range policies {
		b.openPolicy(p)
	}
	b.defaultCertificate()
	b.translateDescriptions()
	b.addControllerWide()
	b.checkDrains(w)
	b.reportPolicies(policies)
	b.addNotices()
	b.reports.addAll(w.Reports)
	return Result{Model: b.model(), Reports: b.reports.sorted(), Referenced: b.referenced, Next: b.next}
}

func newBuilder(o Options, from lookups, now time.Time) *builder {
	return &builder{
		options:      o,
		lookups:      from,
		uses:         newPolicyUses(),
		routes:       routes{taken: map[routeKey]model.Ref{}, at: map[routeKey]int{}},
		canaries:     map[routeKey]model.Ref{},
		pools:        map[model.PoolID]model.Pool{},
		certs:        newCertificates(),
		owners:       owners{},
		hosts:        hosts{},
		secured:      map[model.Ref]security{},
		closedHosts:  map[hostKey]closure{},
		patternHosts: map[hostKey]bool{}, patterns: map[string]int{}, tlsHosts: map[string]bool{},
		reports:    reports{},
		notices:    notices{},
		referenced: map[model.Ref]struct{}{},
		now:        now,
	}
}

// translateDescriptions runs all steps that an Engine runs for one group at a time. A step may only connect descriptions in
// the ways that linkage in engine_links.go knows.
func (b *builder) translateDescriptions() {
	for _, d := range b.descriptions {
		b.reports.open(d.ref, d.generation)
	}
	b.placeExtras()
	b.findPatternHosts()
	b.applyPatterns()
	b.findOwners()
	b.findTLSHosts()
	b.decideHosts()
	b.translateObjects()
	b.serveBelowWildcards()
	b.closeRoutes()
	b.secureRoutes()
	b.separateCookies()
	b.namePods()
	b.checkGroups()
	b.markRouted()
}

// markRouted marks the Reports of the objects that have a route or a canary in effect.
func (b *builder) markRouted() {
	for i := range b.routes.list {
		b.reports[b.routes.list[i].Source].HasRoutes = true
	}
	for _, canary := range b.canaries {
		b.reports[canary].HasRoutes = true
	}
}

func (b *builder) model() *model.Model {
	if b.unmatched != nil {
		b.routes.list = append(b.routes.list, *b.unmatched)
	}
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
		cmp.Compare(x.Namespace, y.Namespace), cmp.Compare(x.Service, y.Service), cmp.Compare(x.Port, y.Port),
		compareBools(x.IsService, y.IsService))
}

// byAge returns the objects in order of precedence: the oldest first, and those that are being deleted last.
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

// refer records a reference of a served object, and returns the Ref and the key of the referenced object.
func (b *builder) refer(kind, namespace, name string) (model.Ref, types.NamespacedName) {
	ref := model.Ref{Kind: kind, Namespace: namespace, Name: name}
	b.referenced[ref] = struct{}{}
	return ref, types.NamespacedName{Namespace: namespace, Name: name}
}
