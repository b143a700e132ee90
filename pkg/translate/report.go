package translate

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/limpet-dev/limpet/api/v1alpha1"
	"github.com/limpet-dev/limpet/pkg/model"
)

// The reasons of Problems. Problems of policies that are not applied have condition reasons of api/v1alpha1 instead.
const (
	// ReasonInvalidHost: a host is not a DNS name in lower case. The rule, or the server name of the certificate, is ignored.
	ReasonInvalidHost = "InvalidHost"
	// ReasonInvalidPath: a path is invalid, so that no request can match it. It is ignored.
	ReasonInvalidPath = "InvalidPath"
	// ReasonEmptyRule: a rule has no paths, and there is no default backend for its host.
	ReasonEmptyRule = "EmptyRule"
	// ReasonRouteConflict: an older Ingress has the same host and path, or is already the canary for them.
	ReasonRouteConflict = "RouteConflict"
	// ReasonCanaryAlone: no other Ingress of the namespace has the host and path of a canary. The canary gets no requests there.
	ReasonCanaryAlone = "CanaryAlone"
	// ReasonUnsupportedBackend: a backend is not a Service. The route responds 503.
	ReasonUnsupportedBackend = "UnsupportedBackend"
	// ReasonServiceNotFound: the Service does not exist. The route responds 503 until it does.
	ReasonServiceNotFound = "ServiceNotFound"
	// ReasonPortNotFound: the Service has no such port. The route responds 503.
	ReasonPortNotFound = "PortNotFound"
	// ReasonUnsupportedProtocol: the Service's port is not TCP. The route responds 503.
	ReasonUnsupportedProtocol = "UnsupportedProtocol"
	// ReasonInvalidExternalName: a Service of type ExternalName has a name that must not be dialled. The route responds 503.
	ReasonInvalidExternalName = "InvalidExternalName"
	// ReasonExternalNameNotAllowed: --external-names does not allow the name of a Service of type ExternalName. The route
	// responds 503.
	ReasonExternalNameNotAllowed = "ExternalNameNotAllowed"
	// ReasonSecretNotFound: a Secret does not exist, or a TLS section names none and there is no default certificate.
	ReasonSecretNotFound = "SecretNotFound"
	// ReasonInvalidSecret: a Secret has no valid certificate, or the key does not match it. The previous certificate of the
	// Secret stays in use if this process has read it. Or a Secret has no list of users, or a user whose password hash is not
	// supported.
	ReasonInvalidSecret = "InvalidSecret"
	// ReasonConfigMapNotFound: a ConfigMap does not exist. The route serves without what it contains. If it is the ConfigMap of
	// --nginx-configmap, the routes respond 503 until it exists.
	ReasonConfigMapNotFound = "ConfigMapNotFound"
	// ReasonInvalidConfigMap: an entry of a ConfigMap is invalid. It is ignored.
	ReasonInvalidConfigMap = "InvalidConfigMap"
	// ReasonHostNotInCertificate: a certificate is served for a host for which it is not valid. Clients reject it.
	ReasonHostNotInCertificate = "HostNotInCertificate"
	// ReasonCertificateOutOfDate: a certificate has expired, or is not valid yet. It is served anyway.
	ReasonCertificateOutOfDate = "CertificateOutOfDate"
	// ReasonCertificateConflict: an older Ingress of the namespace has another certificate for the host, with a key of the same
	// type, or --default-certificate names another certificate for unknown hosts.
	ReasonCertificateConflict = "CertificateConflict"
	// ReasonHostConflict: another namespace owns the host, or an older Ingress of this namespace sets another value. The
	// setting of this Ingress is ignored there. If it requires client certificates, its paths respond 403.
	ReasonHostConflict = "HostConflict"
	// ReasonHostClaimed: an Ingress of another namespace has a setting or a route for a host that this namespace owns. It is
	// ignored. At most 8 of these problems are listed.
	ReasonHostClaimed = "HostClaimed"
	// ReasonWildcardNotUsed: the host has no certificate of its own, and the certificate of its wildcard host belongs to
	// another namespace. Clients get the default certificate.
	ReasonWildcardNotUsed = "WildcardNotUsed"
	// ReasonUnknownAnnotation: a limpet.dev annotation is unknown. It has no effect.
	ReasonUnknownAnnotation = "UnknownAnnotation"
	// ReasonInvalidAnnotation: an annotation has an invalid value, or requires another annotation. It is ignored.
	ReasonInvalidAnnotation = "InvalidAnnotation"
	// ReasonAnnotationOverridden: a policy or another annotation takes precedence, and is applied instead.
	ReasonAnnotationOverridden = "AnnotationOverridden"
	// ReasonUnsupportedAnnotation: an annotation of ingress-nginx is not implemented. The route serves without it.
	ReasonUnsupportedAnnotation = "UnsupportedAnnotation"
	// ReasonUnsupportedKey: a key of the ConfigMap of ingress-nginx is unknown, or is not implemented. The routes serve without it.
	ReasonUnsupportedKey = "UnsupportedKey"
	// ReasonProtectionNotEnforced: an annotation requires protection that this version does not enforce, or may be a misspelled
	// protective annotation. The routes respond 503 unless the annotation is waived.
	ReasonProtectionNotEnforced = "ProtectionNotEnforced"
	// ReasonForeignAnnotation: an annotation requires protection from another controller. The route serves without it.
	ReasonForeignAnnotation = "ForeignAnnotation"
	// ReasonPolicyNotFound: the policy that an annotation names does not exist. The backend serves without stickiness.
	ReasonPolicyNotFound = "PolicyNotFound"
	// ReasonPolicyNotAccepted: the policy that an annotation names cannot be used. The backend serves without stickiness.
	ReasonPolicyNotAccepted = "PolicyNotAccepted"
	// ReasonCookieConflict: two sticky backends use the same cookie name. The cookie of the younger object is renamed.
	ReasonCookieConflict = "CookieConflict"
	// ReasonCookieOutOfReach: browsers do not store the cookie of a route, or do not send it there.
	ReasonCookieOutOfReach = "CookieOutOfReach"
	// ReasonNoEffect: a setting has no effect in combination with the other settings, the flags or the backends. Everything
	// else is applied.
	ReasonNoEffect = "NoEffect"
	// ReasonUnknownPodKey: a policy names pods by a label or annotation that no pod of a backend has. The method recognizes no
	// client there. The next methods still apply.
	ReasonUnknownPodKey = "UnknownPodKey"
	// ReasonOtherClass: the Ingress names a class that Limpet does not serve, or none. It has no routes. Reported by limpet check
	// and limpet dev only. In limpet check it is a problem only if no Ingress is served.
	ReasonOtherClass = "OtherClass"
	// ReasonLiteralPath: a path looks like a pattern, but is compared as it is written.
	ReasonLiteralPath = "LiteralPath"
	// ReasonForeignAffinity: an Ingress or a Service requests session affinity in a way that Limpet does not read. The route
	// serves without stickiness.
	ReasonForeignAffinity = "ForeignAffinity"
	// ReasonMoreProblems: there are more problems than are listed.
	ReasonMoreProblems = "MoreProblems"
)

// Problem is one problem of an object.
type Problem struct {
	// Reason is one of the constants above, or a condition reason of api/v1alpha1.
	Reason string `json:"reason"`
	// Field is the path of the field, such as "spec.rules[0].host".
	Field string `json:"field,omitempty"`
	// Message describes the problem, the allowed values, and how the object is handled.
	Message string `json:"message"`
}

// IsConflictOver reports whether the problem is that an object lost a conflict over a route or a setting of a host.
func (p *Problem) IsConflictOver(host string) bool {
	return (p.Reason == ReasonRouteConflict || p.Reason == ReasonHostConflict) && strings.Contains(p.Message, "host "+quote(host))
}

// Report holds the results of translation for one object. There is one for each Ingress that Limpet serves, for each
// AffinityPolicy, for the Secret of the default certificate, for the ConfigMap of ingress-nginx, and for the default backend. A
// source adds Reports of its own.
type Report struct {
	Ref        model.Ref `json:"ref"`
	Generation int64     `json:"generation,omitempty"`
	// Problems are in the order of the fields, at most 64.
	Problems []Problem `json:"problems,omitempty"`
	// Targets is set for policies only. It has one entry for each of spec.targetRefs that other controllers do not serve, in
	// the same order, with the conditions Accepted, ResolvedRefs, Conflicted and Impaired. The writer of the status adds
	// Programmed, the transition times and the controller name.
	Targets []v1alpha1.TargetStatus `json:"targets,omitempty"`
	// HasRoutes is true if at least one route or canary of the object is in effect. An Ingress without one gets no address.
	HasRoutes bool `json:"-"`
}

// Object returns the object of the Report.
func (r Report) Object() model.Ref { return r.Ref }

// maxProblems bounds the Problems of one Report.
const maxProblems = 64

// reports collects the Reports of one Build.
type reports map[model.Ref]*Report

func (r reports) open(ref model.Ref, generation int64) {
	r[ref] = &Report{Ref: ref, Generation: generation}
}

// add adds a Problem to the Report of an object. It ignores objects without a Report, and Problems that are already listed.
func (r reports) add(ref model.Ref, reason, field, format string, args ...any) {
	r.addProblem(ref, problemOf(reason, field, format, args...))
}

func problemOf(reason, field, format string, args ...any) Problem {
	return Problem{Reason: reason, Field: field, Message: fmt.Sprintf(format, args...)}
}

func (r reports) addProblem(ref model.Ref, p Problem) {
	report := r[ref]
	if report == nil || len(report.Problems) > maxProblems {
		return
	}
	if slices.Contains(report.Problems, p) {
		return
	}
	if len(report.Problems) == maxProblems {
		p = Problem{Reason: ReasonMoreProblems, Message: "there are more problems than are listed"}
	}
	report.Problems = append(report.Problems, p)
}

// addAll adds the problems of other Reports, and opens the Reports that are missing.
func (r reports) addAll(others []Report) {
	for _, other := range others {
		if r[other.Ref] == nil {
			r.open(other.Ref, other.Generation)
		}
		for _, p := range other.Problems {
			r.addProblem(other.Ref, p)
		}
	}
}

func (r reports) sorted() []Report {
	out := make([]Report, 0, len(r))
	for _, report := range r {
		out = append(out, *report)
	}
	slices.SortFunc(out, func(a, b Report) int { return compareRefs(a.Ref, b.Ref) })
	return out
}

func compareRefs(a, b model.Ref) int {
	return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
}

// quote returns a value of a manifest for a message: quoted, without control bytes, and truncated if it is long.
func quote(value string) string {
	const most = 80
	if len(value) > most {
		return strconv.QuoteToASCII(value[:most]) + "..."
	}
	return strconv.QuoteToASCII(value)
}
