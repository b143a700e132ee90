package translate

import (
	"slices"
	"strings"
	"testing"

	"github.com/limpet-dev/limpet/api/v1alpha1"
	"github.com/limpet-dev/limpet/pkg/model"
)

// The API server rejects all of these, unless its CRD is of another version.
func TestCompile_invalidLearnedFrom(t *testing.T) {
	cookie := v1alpha1.LearnedFrom{Source: "Cookie", Cookie: &v1alpha1.LearnedCookie{Name: "sid"}}
	for name, c := range map[string]struct {
		binding v1alpha1.Binding
		from    []v1alpha1.LearnedFrom
		field   string
	}{
		"no learned method": {"Wrapped", []v1alpha1.LearnedFrom{cookie}, "learned.from"},
		"too many":          {"Learned", slices.Repeat([]v1alpha1.LearnedFrom{cookie}, 9), "learned.from"},
		"no cookie":         {"Learned", []v1alpha1.LearnedFrom{cookie, {Source: "Cookie"}}, "learned.from[1].cookie.name"},
		"no header":         {"Learned", []v1alpha1.LearnedFrom{{Source: "Header"}}, "learned.from[0].header.name"},
		"another source":    {"Learned", []v1alpha1.LearnedFrom{{Source: "QueryParam"}}, "learned.from[0].source"},
	} {
		spec := methods(v1alpha1.Method{Source: "Cookie", Binding: c.binding, Cookie: &v1alpha1.Cookie{Name: "sid"}})
		spec.Learned.From = c.from
		settings, problems := compile(model.Ref{}, spec)
		named := slices.ContainsFunc(problems, func(p Problem) bool { return p.Field == c.field && p.Reason == v1alpha1.ReasonInvalid })
		if settings != nil || !named {
			t.Errorf("%s: no problem names the field %s: %+v", name, c.field, problems)
		}
	}
}

func TestDropTimeouts(t *testing.T) {
	for bindings, want := range map[string]int{
		"Hashed": 2, "Named": 2, "Hashed Named": 2, "Hashed Issued": 0, "Learned": 0, "Wrapped": 0, "Issued Hashed": 0,
	} {
		a := &model.Affinity{AbsoluteTimeout: 2, IdleTimeout: 1}
		for binding := range strings.FieldsSeq(bindings) {
			a.Methods = append(a.Methods, model.Method{Binding: model.Binding(binding)})
		}
		problems := dropTimeouts(a)
		if len(problems) != want || (a.AbsoluteTimeout == 0) != (want > 0) || (a.IdleTimeout == 0) != (want > 0) {
			t.Errorf("%s: %d problems, want %d; settings %+v", bindings, len(problems), want, a)
		}
	}
	if len(dropTimeouts(&model.Affinity{})) > 0 || len(dropTimeouts(nil)) > 0 {
		t.Error("problems without timeouts")
	}
}
