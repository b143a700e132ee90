package controllers

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/translate"
)

func TestSnapshotReader_pages(t *testing.T) {
	ns, other := newNamespace(t), newNamespace(t)
	for i := range 5 {
		create(t, ingress(ns, fmt.Sprintf("shop%d", i)))
	}
	create(t, service(ns, "shop"), service(other, "pages"), policy(ns, "shop", "shop"), &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Namespace: other, Name: "controller"}, Data: map[string]string{"proxy-body-size": "8m"},
	})
	r := &SnapshotReader{Config: config, Namespaces: []string{ns}, PageSize: 2}
	w, unread, err := r.Read(t.Context())
	if err != nil || len(unread) > 0 {
		t.Fatal(unread, err)
	}
	var names []string
	for _, in := range w.Ingresses {
		names = append(names, in.Name)
	}
	if want := []string{"shop0", "shop1", "shop2", "shop3", "shop4"}; !slices.Equal(names, want) {
		t.Errorf("Ingresses %q", names)
	}
	if len(w.Services) != 1 || len(w.Policies) != 1 || len(w.ConfigMaps) != 0 || len(w.Namespaces) == 0 {
		t.Errorf("%d Services, %d policies, %d ConfigMaps, %d namespaces", len(w.Services), len(w.Policies), len(w.ConfigMaps), len(w.Namespaces))
	}
	for _, ref := range []model.Ref{
		{Kind: model.KindService, Namespace: ns, Name: "shop"}, // was listed
		{Kind: model.KindService, Namespace: other, Name: "pages"},
		{Kind: model.KindConfigMap, Namespace: other, Name: "controller"},
		{Kind: model.KindConfigMap, Namespace: other, Name: "missing"},
		{Kind: model.KindSecret, Namespace: other, Name: "secret"},
	} {
		if err := r.ReadObject(t.Context(), w, ref); err != nil {
			t.Error(err)
		}
	}
	if len(w.Services) != 2 || len(w.ConfigMaps) != 1 || w.ConfigMaps[0].Data["proxy-body-size"] != "8m" {
		t.Errorf("%d Services, ConfigMaps %v", len(w.Services), w.ConfigMaps)
	}
	if reports := translate.Build(w, nil, translate.Options{}).Reports; len(reports) < 6 {
		t.Errorf("%d reports", len(reports))
	}
}

// A user who may only read the Ingresses and Services of a namespace gets these, and the names of the other kinds.
func TestSnapshotReader_fewPermissions(t *testing.T) {
	ns := newNamespace(t)
	create(t, ingress(ns, "shop"),
		&rbacv1.Role{
			ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "reader"},
			Rules: []rbacv1.PolicyRule{
				{APIGroups: []string{"networking.k8s.io"}, Resources: []string{"ingresses"}, Verbs: []string{"list"}},
				{APIGroups: []string{""}, Resources: []string{"services"}, Verbs: []string{"list"}},
			},
		},
		&rbacv1.RoleBinding{
			ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "reader"},
			RoleRef:    rbacv1.RoleRef{APIGroup: "rbac.authorization.k8s.io", Kind: "Role", Name: "reader"},
			Subjects:   []rbacv1.Subject{{APIGroup: "rbac.authorization.k8s.io", Kind: "User", Name: "ann-" + ns}},
		})
	limited := rest.CopyConfig(config)
	limited.Impersonate.UserName = "ann-" + ns
	var w *translate.Snapshot
	eventually(t, "the role is in effect", func() bool {
		read, unread, err := (&SnapshotReader{Config: limited, Namespaces: []string{ns}}).Read(t.Context())
		w = read
		said := strings.Join(unread, "\n")
		return err == nil && strings.Contains(said, "IngressClasses") && strings.Contains(said, "AffinityPolicies") &&
			strings.Contains(said, "namespaces")
	})
	if len(w.Ingresses) != 1 {
		t.Errorf("%d Ingresses", len(w.Ingresses))
	}
	if _, _, err := (&SnapshotReader{Config: limited}).Read(t.Context()); err == nil || !strings.Contains(err.Error(), "listing Ingresses") {
		t.Errorf("all namespaces: %v", err)
	}
}
