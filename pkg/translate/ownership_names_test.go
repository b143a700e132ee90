package translate_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/translate"
)

// served returns the namespace whose certificate is presented for a name, "" for the default certificate.
func served(m *model.Model, name string) string {
	if slices.Contains(m.DefaultCertificateFor, name) {
		return ""
	}
	_, suffix, _ := strings.Cut(name, ".")
	for _, listed := range []string{name, "*." + suffix} {
		for _, c := range m.Certificates {
			if slices.Contains(c.ServerNames, listed) {
				return c.Secret.Namespace
			}
		}
	}
	return ""
}

func TestOwnership_certificateNames(t *testing.T) {
	listing := func(namespace, name string, day int, routed, listed string) *networkingv1.Ingress {
		i := ingressFor(namespace, name, day, routed)
		i.Spec.TLS = []networkingv1.IngressTLS{{SecretName: "tls", Hosts: []string{listed}}}
		return i
	}
	for _, c := range []struct {
		title   string
		present []*networkingv1.Ingress
		want    map[string]string
	}{
		{"an exact name below the wildcard of another", []*networkingv1.Ingress{
			listing("shop", "wild", 2, "*.wild.example", "*.wild.example"),
			listing("other", "taker", 1, "nothing.example", "www.wild.example"),
		}, map[string]string{"www.wild.example": "shop"}},
		{"the same, without a certificate", []*networkingv1.Ingress{
			listing("other", "taker", 1, "nothing.example", "www.wild.example"),
		}, map[string]string{"www.wild.example": ""}},
		{"a routed host under the wildcard of another", []*networkingv1.Ingress{
			listing("shop", "wild", 2, "*.wild.example", "*.wild.example"),
			ingressFor("other", "plain", 2, "www.wild.example"),
		}, map[string]string{"www.wild.example": "", "a.wild.example": "shop"}},
		{"an own copy of the wildcard's certificate", []*networkingv1.Ingress{
			listing("shop", "wild", 2, "*.wild.example", "*.wild.example"),
			listing("other", "copy", 3, "www.wild.example", "*.wild.example"),
		}, map[string]string{"www.wild.example": "other", "a.wild.example": "shop"}},
		{"copies of a wildcard that no Ingress routes", []*networkingv1.Ingress{
			listing("shop", "one", 2, "a.free.example", "*.free.example"),
			listing("other", "two", 3, "b.free.example", "*.free.example"),
		}, map[string]string{"a.free.example": "shop", "b.free.example": "other", "c.free.example": "shop"}},
		{"a name that no Ingress routes", []*networkingv1.Ingress{
			listing("other", "first", 2, "", "new.example"), listing("shop", "second", 3, "", "new.example"),
		}, map[string]string{"new.example": "other"}},
		{"the same, once it is routed", []*networkingv1.Ingress{
			listing("other", "first", 2, "", "new.example"), listing("shop", "second", 3, "", "new.example"),
			ingressFor("shop", "routes", 4, "new.example"),
		}, map[string]string{"new.example": "shop"}},
		{"a younger Ingress of the owner", []*networkingv1.Ingress{
			listing("other", "first", 2, "shop.example", "shop.example"),
			listing("shop", "second", 3, "any.example", "shop.example"),
		}, map[string]string{"shop.example": "shop"}},
	} {
		t.Run(c.title, func(t *testing.T) {
			w := sharedSnapshot(t)
			w.Ingresses = append(w.Ingresses, c.present...)
			m := translate.Build(w, nil, translate.Options{TakeUnclassed: true}).Model
			for name, want := range c.want {
				if got := served(m, name); got != want {
					t.Errorf("%s is served with the certificate of %q, want %q", name, got, want)
				}
			}
		})
	}
}

// Notices about other namespaces never displace problems of the Ingress itself.
func TestOwnership_noticesAreBounded(t *testing.T) {
	w := sharedSnapshot(t)
	owner := w.Ingresses[0]
	for i := range 70 {
		owner.Spec.Rules = append(owner.Spec.Rules, ingressFor("shop", "owner", 1, fmt.Sprintf("h%d.example", i)).Spec.Rules...)
		taker := ingressFor("other", fmt.Sprintf("taker%d", i), 2, fmt.Sprintf("h%d.example", i))
		taker.Annotations[translate.AnnotationMinVersion] = "1.3"
		w.Ingresses = append(w.Ingresses, taker)
	}
	own := func() (mine, foreign int) {
		for _, r := range translate.Build(w, nil, translate.Options{TakeUnclassed: true}).Reports {
			for _, p := range r.Problems {
				if r.Ref == ownerRef && p.Reason == translate.ReasonServiceNotFound {
					mine++
				} else if r.Ref == ownerRef {
					foreign++
				}
			}
		}
		return mine, foreign
	}
	if mine, foreign := own(); mine != 0 || foreign != 9 {
		t.Errorf("%d problems of its own and %d of others, want 0 and 8 with a word that there are more", mine, foreign)
	}
	w.Services = nil
	if mine, foreign := own(); mine != 64 || foreign != 1 {
		t.Errorf("%d problems of its own and %d of others, want 64 and a word that there are more", mine, foreign)
	}
}

// An Ingress owns a host only if it routes something there, and while it is not being deleted.
func TestOwnership_whoOwns(t *testing.T) {
	for title, change := range map[string]func(*networkingv1.Ingress){
		"no paths":      func(i *networkingv1.Ingress) { i.Spec.Rules[0].HTTP = nil },
		"wrong path":    func(i *networkingv1.Ingress) { i.Spec.Rules[0].HTTP.Paths[0].Path = "relative" },
		"canary":        annotated("nginx.ingress.kubernetes.io/canary", "true"),
		"wrong canary":  annotated("nginx.ingress.kubernetes.io/canary", "yes"),
		"being deleted": func(i *networkingv1.Ingress) { i.DeletionTimestamp = ptr.To(metav1.Now()) },
	} {
		w := sharedSnapshot(t)
		claim := ingressFor("other", "claim", 1, "new.example")
		claim.Annotations[translate.AnnotationMinVersion] = "1.3"
		w.Ingresses = append(w.Ingresses, claim, ingressFor("shop", "later", 2, "new.example"))
		build := func() ownershipOutcome {
			return ownershipOutcome{translate.Build(w, nil, translate.Options{TakeUnclassed: true}), model.Ref{}}
		}
		if build().hostOf("new.example").MinVersion != model.TLS13 {
			t.Errorf("%s: without it, the older Ingress does not own the host", title)
		}
		change(claim)
		if build().hostOf("new.example").MinVersion != 0 {
			t.Errorf("%s: the Ingress owns the host", title)
		}
	}
}
