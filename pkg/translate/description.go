package translate

import (
	"cmp"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/limpet-dev/limpet/pkg/model"
)

// description holds the contents of one object, in the same form for every kind. A reader makes it from the object and the
// options only. Services, Secrets, ConfigMaps and policies are looked up later. Callers must not modify it.
type description struct {
	ref        model.Ref
	generation int64
	age        age
	// isNginx is true for an Ingress of a class of ingress-nginx. What ingress-nginx does without an annotation applies to it.
	isNginx bool
	// usesDefaults is true if the settings of the controller of ingress-nginx apply where the object has no annotation.
	usesDefaults bool

	// Routes and certificates.
	hosts []string // the valid hosts that the object names, without duplicates; "" is any host
	rules []ruleDescription
	tls   []tlsDescription

	// Settings of the whole object.
	security  securitySettings
	affinity  affinitySettings
	transport transportSettings
	limits    *model.Limits        // nil: the limits of the flags
	ejection  *ejectionSettings    // nil: the defaults
	requests  *model.RequestLimits // nil: no limits
	upgrades  []string             // protocols of upgrades besides WebSocket
	filters   *model.Filters       // nil: none
	paths     pathSettings
	access    accessSettings
	// customHeaders names a ConfigMap with fields of responses, or is empty.
	customHeaders string
	// auth, mirror and errorPages send requests of Limpet's own. Nil disables them.
	auth       *authSettings
	mirror     *mirrorSettings
	errorPages *errorPageSettings
	// isUnlogged leaves its requests out of the access log.
	isUnlogged bool
	canary     *canary // nil for an object that has routes of its own

	// Copies of annotations.
	annotations map[string]string // all annotations of the object
	inherited   []inherited       // those of a canary that its primary decides

	// extras are rules for hosts that the spec does not name. See builder.placeExtras.
	extras []ruleDescription

	// isProtected is true if an annotation restricts access, regardless of whether this version enforces it.
	isProtected bool
	// Protection that is not enforced.
	closed      string // the reason why all routes are closed; empty: they are open
	closesHosts string // the annotation that closes all routes of the namespace for the hosts, or ""

	// problems are the problems that the reader found, by the stage at which they are reported.
	problems [readStages][]Problem
}

// readStage orders the problems of a reader among those of other steps: Reports list problems in a fixed order.
type readStage uint8

const (
	readClients    readStage = iota // the version of TLS, and client certificates
	readHSTS                        // Strict-Transport-Security
	readAffinity                    // stickiness
	readProtection                  // settings without effect, and the transport to pods
	readRouting                     // canaries and limits
	readStages
)

// ruleDescription is one match for some hosts, with its backends. A reader describes alternative matches as several rules.
type ruleDescription struct {
	field    string
	hosts    []string // as model.Route.Host
	path     string   // as model.Route.Path
	pathType model.PathType
	// conditions are the conditions besides host and path, with sorted lists. Nil means no conditions.
	conditions *model.Conditions
	backends   []backendDescription
	limits     *model.Limits  // nil: the limits of the object
	filters    *model.Filters // nil: the filters of the object
	// written is the path as written, which applies if it is a regular expression. Empty means that the path is literal.
	written string
	// looksLikePattern is true if the path looks like a regular expression, but is literal.
	looksLikePattern bool
	// redirect is the redirect of the rule, or nil for the one of the object.
	redirect *model.Redirect
	// isDefault marks a rule for requests that no other rule matches. Other rules of the object replace it without a problem.
	isDefault bool
	// guards are the path prefixes to close in addition to the route if the object is closed.
	guards []string
	// problem is the reason why the rule is left out, or nil. With closed, the rule has a closed route instead.
	problem *Problem
	closed  string
}

// backendDescription is one weighted destination of a rule.
type backendDescription struct {
	field        string
	serviceField string // field of the reference to the Service, which has a name and a port
	namespace    string
	service      string // name of the Service
	port         portDescription
	weight       int32
	isShare      bool // the rule has other backends
	// isAnnotation is true if serviceField is an annotation, so that it has no fields of its own.
	isAnnotation bool
	// outcome describes how requests are handled if the backend cannot be resolved. Empty means consequence.
	outcome string
	// problem is the reason why the backend is invalid, or nil.
	problem *Problem
}

// nameField and portField return the fields of the name and the port of the Service.
func (b *backendDescription) nameField() string { return b.subfield(".name") }
func (b *backendDescription) portField() string { return b.subfield(".port") }

func (b *backendDescription) subfield(name string) string {
	if b.isAnnotation {
		return b.serviceField
	}
	return b.serviceField + name
}

// portDescription is the port of a Service by name or, without one, by number.
type portDescription struct {
	name   string
	number int32
}

// tlsDescription is a certificate and its server names.
type tlsDescription struct {
	field       string
	secret      model.Ref // if the name is empty, the default certificate
	secretField string
	hosts       []string // if empty, description.hosts
	hostsField  string
}

// namespace returns the namespace of the object.
func (d *description) namespace() string { return d.ref.Namespace }

// consequence describes for a message how requests are handled if a backend cannot be resolved.
func (d *description) consequence(backend *backendDescription) string {
	switch {
	case backend.outcome != "":
		return backend.outcome
	case d.canary != nil:
		return "The canary gets no requests"
	case backend.isShare:
		return "The other backends of the route get its requests"
	}
	return "The route responds 503"
}

// addHost adds a valid host that the object names.
func (d *description) addHost(host string) {
	if !slices.Contains(d.hosts, host) {
		d.hosts = append(d.hosts, host)
	}
}

// routedHosts returns the hosts for which the object has own routes. Their backends need not exist. Routes for ACME challenges
// count only if challenges is set.
func (d *description) routedHosts(challenges bool) []string {
	if d.canary != nil {
		return nil
	}
	return d.ruleHosts(nil, challenges)
}

// allHosts returns the hosts that the object names, and those of its rules.
func (d *description) allHosts() []string { return d.ruleHosts(slices.Clone(d.hosts), true) }

func (d *description) ruleHosts(hosts []string, challenges bool) []string {
	for i := range d.rules {
		rule := &d.rules[i]
		if rule.problem != nil && rule.closed == "" && !d.isGuarded(rule) || !challenges && model.IsChallenge(rule.path) {
			continue
		}
		for _, host := range d.rules[i].hosts {
			if !slices.Contains(hosts, host) {
				hosts = append(hosts, host)
			}
		}
	}
	return hosts
}

// isGuarded reports whether a rule adds closed routes for its guards. An invalid rule does so, too.
func (d *description) isGuarded(rule *ruleDescription) bool {
	return d.closed != "" && d.canary == nil && len(rule.guards) > 0
}

// eachService calls f for each Service that a rule names, including rules that are left out.
func (d *description) eachService(f func(model.Ref)) {
	for i := range d.rules {
		for j := range d.rules[i].backends {
			if backend := &d.rules[i].backends[j]; backend.service != "" {
				f(model.Ref{Kind: model.KindService, Namespace: backend.namespace, Name: backend.service})
			}
		}
	}
}

// age decides conflicts between objects.
type age struct {
	// isDeleting is true for an object that is being deleted, or whose namespace is.
	isDeleting      bool
	created         time.Time
	namespace, name string
}

func ageOf(object metav1.Object) age {
	return age{
		isDeleting: object.GetDeletionTimestamp() != nil,
		created:    object.GetCreationTimestamp().Time,
		namespace:  object.GetNamespace(),
		name:       object.GetName(),
	}
}

// compare orders the oldest first. Objects that are being deleted come last.
func (a age) compare(b age) int {
	return cmp.Or(
		compareBools(a.isDeleting, b.isDeleting),
		a.created.Compare(b.created),
		cmp.Compare(a.namespace, b.namespace),
		cmp.Compare(a.name, b.name),
	)
}

// readings is the result of a reader for a Snapshot.
type readings struct {
	descriptions []*description
	// foreign are the objects that other controllers serve, and the Services that these reference.
	foreign []model.Ref
	// unserved are the Reports of foreign objects, if the options request them.
	unserved []Report
}

// reader describes the objects of one kind.
type reader func(*Snapshot, *Options) readings

// readers has a reader for each kind.
var readers = []reader{readIngresses}

// compare orders descriptions by age.
func (d *description) compare(other *description) int {
	return cmp.Or(d.age.compare(other.age), cmp.Compare(d.ref.Kind, other.ref.Kind))
}

// reportStage reports the problems that the reader found at one stage.
func (b *builder) reportStage(d *description, stage readStage) {
	for _, p := range d.problems[stage] {
		b.reports.addProblem(d.ref, p)
	}
}
