package translate

import (
	"slices"
	"strings"

	"github.com/limpet-dev/limpet/api/v1alpha1"
	"github.com/limpet-dev/limpet/pkg/model"
)

// The annotations of an Ingress that give the common cases without an AffinityPolicy.
const (
	annotationPrefix = "limpet.dev/"
	// AnnotationAffinity is cookie, header, source-ip or none.
	AnnotationAffinity = annotationPrefix + "affinity"
	// AnnotationHeader is the header to hash, with affinity header.
	AnnotationHeader = annotationPrefix + "affinity-header"
	// AnnotationCookie is the name of the cookie, with affinity cookie. Without it the name is unique to the backend.
	AnnotationCookie = annotationPrefix + "affinity-cookie"
	// AnnotationPolicy names an AffinityPolicy in the namespace of the Ingress.
	AnnotationPolicy = annotationPrefix + "affinity-policy"
)

var (
	annotationNames = slices.Concat([]string{
		AnnotationAffinity, AnnotationHeader, AnnotationCookie, AnnotationPolicy,
		AnnotationMinVersion, AnnotationClientCA, AnnotationClientCertificate, AnnotationClientCertificateHeader,
		AnnotationHSTS, AnnotationUnenforced,
	}, limitAnnotations, transportAnnotations)
	affinityValues = []string{"cookie", "header", "source-ip", "none"}
)

// AnnotationNames returns the keys of all annotations of Limpet's own that an Ingress may have.
func AnnotationNames() []string { return slices.Clone(annotationNames) }

func annotationField(key string) string { return "metadata.annotations[" + key + "]" }

// annotatedAffinity gives the stickiness that the annotation limpet.dev/affinity asks for. Where the annotation is wrong
// the choice is made, without settings: nobody is to get something that was not asked for.
func (b *builder) annotatedAffinity(s *source) choice {
	value, set := s.Annotations[AnnotationAffinity]
	b.checkCompanion(s, AnnotationHeader, "header")
	b.checkCompanion(s, AnnotationCookie, "cookie")
	if !set {
		return choice{}
	}
	c := choice{made: true, annotation: AnnotationAffinity}
	if !slices.Contains(affinityValues, value) {
		b.reports.add(s.ref, ReasonInvalidAnnotation, annotationField(AnnotationAffinity),
			"annotation %s has the value %s; it must be one of %s.%s",
			AnnotationAffinity, quote(value), strings.Join(affinityValues, ", "), didYouMean(value, affinityValues))
		return c
	}
	if value != "none" {
		c.settings = b.annotatedSettings(s, value)
	}
	return c
}

// checkCompanion names an annotation that says more about a kind of affinity that was not asked for.
func (b *builder) checkCompanion(s *source, key, kind string) {
	if _, set := s.Annotations[key]; !set || s.Annotations[AnnotationAffinity] == kind {
		return
	}
	b.reports.add(s.ref, ReasonInvalidAnnotation, annotationField(key),
		"annotation %s has no effect without %s: %s", key, AnnotationAffinity, kind)
}

// annotatedSettings compiles the policy that the annotations are short for.
func (b *builder) annotatedSettings(s *source, value string) *model.Affinity {
	method, key := annotatedMethod(s.Annotations, value)
	settings, problems := compile(s.ref, &v1alpha1.AffinityPolicySpec{Methods: []v1alpha1.Method{method}})
	for _, p := range problems {
		b.reports.add(s.ref, ReasonInvalidAnnotation, annotationField(key),
			"annotation %s: %s. It is not applied", key, p.Message)
	}
	return settings
}

// annotatedMethod gives the method, and the annotation that is to blame if it does not compile.
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
