package translate

import (
	"strings"
	"testing"
	"time"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"

	"github.com/limpet-dev/limpet/api/v1alpha1"
	"github.com/limpet-dev/limpet/config/crd"
	"github.com/limpet-dev/limpet/pkg/model"
)

// The API server rejects all of these, unless its CRD is of another version.
func TestCompile_invalidPolicies(t *testing.T) {
	cookie := func(c v1alpha1.Cookie) *v1alpha1.AffinityPolicySpec {
		return methods(v1alpha1.Method{Source: "Cookie", Binding: "Issued", Cookie: &c})
	}
	header := func(name string) *v1alpha1.AffinityPolicySpec {
		return methods(v1alpha1.Method{Source: "Header", Binding: "Hashed", Header: &v1alpha1.Header{Name: name}})
	}
	address := func(a v1alpha1.SourceIP) *v1alpha1.AffinityPolicySpec {
		return methods(v1alpha1.Method{Source: "SourceIP", Binding: "Hashed", SourceIP: &a})
	}
	day := v1alpha1.Duration("1d")
	inDays := address(v1alpha1.SourceIP{})
	inDays.IdleTimeout = &day
	for name, c := range map[string]struct {
		spec  *v1alpha1.AffinityPolicySpec
		field string
	}{
		"no methods":          {methods(), "methods"},
		"a day":               {inDays, "idleTimeout"},
		"no header":           {methods(v1alpha1.Method{Source: "Header", Binding: "Hashed"}), "methods[0].header.name"},
		"a header line":       {header("A\r\nB"), "methods[0].header.name"},
		"a long header":       {header(strings.Repeat("a", maxName+1)), "methods[0].header.name"},
		"a cookie with more":  {cookie(v1alpha1.Cookie{Name: "a=b"}), "methods[0].cookie.name"},
		"a path with more":    {cookie(v1alpha1.Cookie{Path: "/; a"}), "methods[0].cookie.path"},
		"a relative path":     {cookie(v1alpha1.Cookie{Path: "cart"}), "methods[0].cookie.path"},
		"a domain with more":  {cookie(v1alpha1.Cookie{Domain: "a;b"}), "methods[0].cookie.domain"},
		"None without Secure": {cookie(v1alpha1.Cookie{SameSite: "None", Secure: "Never"}), "methods[0].cookie.secure"},
		"a short prefix":      {address(v1alpha1.SourceIP{IPv4PrefixLength: -1}), "methods[0].sourceIP.ipv4PrefixLength"},
		"a long prefix":       {address(v1alpha1.SourceIP{IPv6PrefixLength: 129}), "methods[0].sourceIP.ipv6PrefixLength"},
	} {
		t.Run(name, func(t *testing.T) {
			settings, problems := compile(model.Ref{}, c.spec)
			if settings != nil {
				t.Fatalf("it compiled to %+v", settings)
			}
			for _, p := range problems {
				if p.Reason == v1alpha1.ReasonInvalid && p.Field == c.field {
					return
				}
			}
			t.Errorf("no problem names the field %s: %+v", c.field, problems)
		})
	}
}

func methods(list ...v1alpha1.Method) *v1alpha1.AffinityPolicySpec {
	return &v1alpha1.AffinityPolicySpec{Methods: list}
}

// Annotations are not checked by CEL, so the list exists in Go as well.
func TestFramingHeaders_sameAsCELRule(t *testing.T) {
	var def apiextensionsv1.CustomResourceDefinition
	if err := yaml.Unmarshal(crd.AffinityPolicy, &def); err != nil {
		t.Fatal(err)
	}
	spec := def.Spec.Versions[0].Schema.OpenAPIV3Schema.Properties["spec"]
	rule := spec.Properties["movedHeader"].XValidations[0].Rule
	var quoted []string
	for _, name := range framingHeaders {
		quoted = append(quoted, "'"+strings.ToLower(name)+"'")
	}
	if list := "[" + strings.Join(quoted, ", ") + "]"; !strings.Contains(rule, list) {
		t.Errorf("the rule %s has another list than %s", rule, list)
	}
}

func TestDurationText(t *testing.T) {
	for in, want := range map[time.Duration]v1alpha1.Duration{
		0:                       "0s",
		30 * time.Minute:        "30m",
		90 * time.Second:        "1m30s",
		1500 * time.Millisecond: "1s500ms",
		50 * time.Hour:          "50h",
	} {
		if got := durationText(in); got != want {
			t.Errorf("durationText(%s) = %s, want %s", in, got, want)
		}
	}
}

func TestNearest(t *testing.T) {
	words := []string{"cookie", "header", "source-ip", "none"}
	for text, want := range map[string]string{
		"cokie": "cookie", "Cookie": "cookie", "heder": "header", "sourceip": "source-ip", "non": "none",
		"": "", "round-robin": "", "xyz": "",
	} {
		if got := nearest(text, words); got != want {
			t.Errorf("nearest(%q) = %q, want %q", text, got, want)
		}
	}
}
