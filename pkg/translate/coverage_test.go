package translate_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/translate"
)

const (
	nginxPrefix = "nginx.ingress.kubernetes.io/"
	ownPrefix   = "limpet.dev/"
)

// neverInvalid are the annotations that have no malformed value, with the reason.
var neverInvalid = map[string]string{
	nginxPrefix + "canary-by-header-value": "any text may be the value of a header",
}

// Each annotation that Limpet honours is in a golden input with a value that is applied, and with one that is malformed, unless it
// is in the list without malformed values.
func TestGolden_hasEachAnnotation(t *testing.T) {
	applied, refused := goldenAnnotations(t)
	for _, key := range honouredAnnotations() {
		if !applied[key] {
			t.Errorf("no golden input has %s with a value without a problem", key)
		}
		why, isNeverInvalid := neverInvalid[key]
		switch {
		case isNeverInvalid && refused[key]:
			t.Errorf("a golden output has a malformed %s, although %s", key, why)
		case !isNeverInvalid && !refused[key]:
			t.Errorf("no golden input has a malformed %s", key)
		}
	}
	for key := range neverInvalid {
		if !slices.Contains(honouredAnnotations(), key) {
			t.Errorf("%s is no annotation that Limpet honours", key)
		}
	}
}

// honouredAnnotations returns the keys of the annotations that have an effect.
func honouredAnnotations() []string {
	keys := translate.AnnotationNames()
	for _, row := range translate.NginxAnnotations() {
		if row.Handling == translate.Exact || row.Handling == translate.Differs {
			keys = append(keys, nginxPrefix+row.Name)
		}
	}
	return keys
}

// goldenAnnotations returns the annotations that Ingresses of the golden inputs have: those without a problem, and those that have
// one because of their value.
func goldenAnnotations(t *testing.T) (applied, refused map[string]bool) {
	t.Helper()
	inputs, err := filepath.Glob("testdata/*.in.yaml")
	if err != nil {
		t.Fatal(err)
	}
	applied, refused = map[string]bool{}, map[string]bool{}
	for _, input := range inputs {
		snapshot, before, options := readCase(t, input)
		problems := map[model.Ref][]translate.Problem{}
		for _, report := range translate.Build(snapshot, before, options).Reports {
			problems[report.Ref] = report.Problems
		}
		for _, ingress := range snapshot.Ingresses {
			ref := model.Ref{Kind: model.KindIngress, Namespace: ingress.Namespace, Name: ingress.Name}
			found, isServed := problems[ref]
			for key := range ingress.Annotations {
				if !isServed || !strings.HasPrefix(key, nginxPrefix) && !strings.HasPrefix(key, ownPrefix) {
					continue
				}
				of := slices.DeleteFunc(slices.Clone(found), func(p translate.Problem) bool { return p.Field != "metadata.annotations["+key+"]" })
				applied[key] = applied[key] || len(of) == 0
				refused[key] = refused[key] || slices.ContainsFunc(of, isMalformed)
			}
		}
	}
	return applied, refused
}

// isMalformed reports whether a problem is about the value of an annotation, and not about the company that the annotation is in.
func isMalformed(p translate.Problem) bool {
	switch p.Reason {
	case translate.ReasonInvalidAnnotation, translate.ReasonProtectionNotEnforced:
		return !strings.Contains(p.Message, "takes precedence") && !strings.Contains(p.Message, "no effect without") &&
			!strings.Contains(p.Message, "it requires")
	case translate.ReasonPolicyNotFound, translate.ReasonSecretNotFound: // the value is a name
		return true
	}
	return false
}
