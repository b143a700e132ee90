package translate

import (
	"slices"
	"strings"

	"github.com/limpet-dev/limpet/api/v1alpha1"
	"github.com/limpet-dev/limpet/pkg/model"
)

// The annotations of an Ingress that configure stickiness without an AffinityPolicy.
const (
	annotationPrefix = "limpet.dev/"
	// AnnotationAffinity is cookie, header, source-ip or none.
	AnnotationAffinity = annotationPrefix + "affinity"
	// AnnotationHeader is the header field to hash with affinity header.
	AnnotationHeader = annotationPrefix + "affinity-header"
	// AnnotationCookie is the name of the cookie with affinity cookie. By default the name is unique to the backend.
	AnnotationCookie = annotationPrefix + "affinity-cookie"
	// AnnotationPolicy names an AffinityPolicy in the namespace of the Ingress.
	AnnotationPolicy = annotationPrefix + "affinity-policy"
)

var (
	annotationNames = slices.Concat([]string{
		AnnotationAffinity, AnnotationHeader, AnnotationCookie, AnnotationPolicy,
		AnnotationTLSPassthrough,
		AnnotationMinVersion, AnnotationClientCA, AnnotationClientCertificate, AnnotationClientCertificateHeader,
		AnnotationHSTS, AnnotationUnenforced, AnnotationUpgradeProtocols, AnnotationRequestHeaders, AnnotationResponseHeaders,
		AnnotationLoadBalance, AnnotationAccessLog, AnnotationNginxDefaults,
	}, limitAnnotations, transportAnnotations, rateAnnotations, corsAnnotations, responseAnnotations, accessAnnotations,
		ownRequestAnnotations, pathAnnotations, ejectionAnnotations, requestLimitAnnotations)
	affinityValues = []string{"cookie", "header", "source-ip", "none"}
)

// AnnotationNames returns the keys of all limpet.dev annotations of an Ingress.
func AnnotationNames() []string { return slices.Clone(annotationNames) }

func annotationField(key string) string { return "metadata.annotations[" + key + "]" }

// annotationReader reads the annotations of one object into its description. No other code looks at annotations.
type annotationReader struct {
	*description
	annotations map[string]string
	options     *Options
	stage       readStage // stage of the problems to add
}

// readAnnotations reads all annotations of an object.
func readAnnotations(d *description, annotations map[string]string, o *Options) {
	d.annotations = annotations
	r := &annotationReader{description: d, annotations: annotations, options: o}
	r.stage = readClients
	r.checkNginxDefaults()
	d.usesDefaults = r.defaults() != nil
	d.security.version = r.minVersion()
	d.security.clients = r.clientSettings()
	if !isCanary(annotations) {
		d.security.passthrough = r.passthroughKey()
	}
	r.stage = readHSTS
	d.security.hsts, d.security.hasHSTS = r.hstsValue()
	r.stage = readAffinity
	d.affinity.annotated = r.annotatedAffinity()
	d.affinity.policyName, d.affinity.namesPolicy = r.annotations[AnnotationPolicy]
	d.affinity.foreign = r.foreignWishes()
	d.affinity.balance, d.affinity.ownBalance = r.balance()
	r.stage = readProtection
	if !isCanary(annotations) {
		d.access = r.readAccess()
		d.auth = r.readExternalAuth()
	}
	d.isProtected = requestsProtection(annotations)
	r.closeBy(closesAll)
	r.checkAnnotations()
	d.transport = r.readTransport()
	r.stage = readRouting
	if d.canary = r.readCanary(); d.canary != nil {
		return
	}
	r.readPaths()
	d.limits, d.ejection, d.requests = r.readLimits(), r.readEjection(), r.readRequestLimits()
	d.mirror, d.errorPages = r.readMirror(), r.readErrorPages()
	d.isUnlogged = r.readUnlogged()
	d.upgrades = r.readUpgradeProtocols()
	r.readHeaders()
	r.readRates()
	r.readCORS()
	r.readRewrites()
}

// report adds a problem of an annotation.
func (r *annotationReader) report(reason, key, format string, args ...any) {
	r.problems[r.stage] = append(r.problems[r.stage], problemOf(reason, annotationField(key), format, args...))
}

// invalid adds a problem of an annotation that is not applied.
func (r *annotationReader) invalid(key, format string, args ...any) {
	r.report(ReasonInvalidAnnotation, key, format, args...)
}

// invalidValue adds a problem of an annotation that is ignored, because its value is not what must says.
func (r *annotationReader) invalidValue(key, must string) {
	r.invalid(key, "annotation %s has the value %s; %s. The annotation is ignored", key, quote(r.annotations[key]), must)
}

// affinitySettings is the stickiness that an object configures.
type affinitySettings struct {
	annotated   choice
	policyName  string // from AnnotationPolicy
	namesPolicy bool
	// foreign are problems to report if a backend has no stickiness.
	foreign []Problem
	// balance distributes requests to backends without stickiness. Empty means the default. ownBalance is true if it is set by
	// AnnotationLoadBalance.
	balance    model.Pick
	ownBalance bool
}

// setsDomain reports whether annotations configure a cookie with an explicit domain.
func (s *affinitySettings) setsDomain() bool {
	return s.annotated.settings != nil && slices.ContainsFunc(s.annotated.settings.Methods, func(m model.Method) bool {
		return m.Cookie != nil && m.Cookie.Domain != ""
	})
}

// annotatedAffinity returns the stickiness that the annotation limpet.dev/affinity configures, otherwise that of ingress-nginx.
// An invalid annotation counts as the choice of no stickiness, so that no other setting applies that the author did not choose.
func (r *annotationReader) annotatedAffinity() choice {
	value, set := r.annotations[AnnotationAffinity]
	r.checkCompanion(AnnotationHeader, "header")
	r.checkCompanion(AnnotationCookie, "cookie")
	if !set {
		return r.nginxAffinity()
	}
	r.setting("affinity", "affinity")
	r.setting("affinity", "upstream-hash-by")
	c := choice{made: true, annotation: AnnotationAffinity}
	if !slices.Contains(affinityValues, value) {
		r.invalid(AnnotationAffinity, "annotation %s has the value %s; it must be one of %s.%s The backends serve without stickiness",
			AnnotationAffinity, quote(value), strings.Join(affinityValues, ", "), didYouMean(value, affinityValues))
		return c
	}
	if value != "none" {
		c.settings = r.annotatedSettings(value)
	}
	return c
}

// checkCompanion reports an annotation that configures another kind of affinity than AnnotationAffinity selects.
func (r *annotationReader) checkCompanion(key, kind string) {
	if _, set := r.annotations[key]; !set || r.annotations[AnnotationAffinity] == kind {
		return
	}
	r.invalid(key, "annotation %s is ignored, because it requires %s: %s", key, AnnotationAffinity, kind)
}

// annotatedSettings compiles the policy that is equivalent to the annotations.
func (r *annotationReader) annotatedSettings(value string) *model.Affinity {
	method, key := annotatedMethod(r.annotations, value)
	settings, problems := compile(r.ref, &v1alpha1.AffinityPolicySpec{Methods: []v1alpha1.Method{method}})
	for _, p := range problems {
		r.invalid(key, "annotation %s: %s. The backends serve without stickiness", key, p.Message)
	}
	return settings
}

// annotatedMethod returns the method, and the annotation to report if the method does not compile.
func annotatedMethod(annotations map[string]string, value string) (method v1alpha1.Method, key string) {
	switch value {
	case "cookie":
		return v1alpha1.Method{
			Source: v1alpha1.SourceCookie, Binding: v1alpha1.BindingIssued,
			Cookie: &v1alpha1.Cookie{Name: annotations[AnnotationCookie]},
		}, AnnotationCookie
	case "header":
		return v1alpha1.Method{
			Source: v1alpha1.SourceHeader, Binding: v1alpha1.BindingHashed,
			Header: &v1alpha1.Header{Name: annotations[AnnotationHeader]},
		}, AnnotationHeader
	default:
		return v1alpha1.Method{Source: v1alpha1.SourceSourceIP, Binding: v1alpha1.BindingHashed}, AnnotationAffinity
	}
}
