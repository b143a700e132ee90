package controllers

import (
	"context"
	"slices"
	"testing"
	"time"

	networkingv1 "k8s.io/api/networking/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/translate"
)

const reader = "system:serviceaccount:" + limpetNamespace + ":reads-few-secrets"

// grantFewSecrets gives reader the permissions of Limpet, with Secrets limited to Limpet's own namespace and the
// given one.
func grantFewSecrets(t *testing.T, namespace string) {
	t.Helper()
	all := get(t, &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: "limpet"}})
	few := &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: "reads-few-secrets"}, Rules: all.Rules}
	for i := range few.Rules {
		r := &few.Rules[i]
		r.Resources = slices.DeleteFunc(r.Resources, func(name string) bool { return name == "secrets" })
	}
	subjects := []rbacv1.Subject{{Kind: rbacv1.UserKind, APIGroup: rbacv1.GroupName, Name: reader}}
	roleOf := func(kind, name string) rbacv1.RoleRef {
		return rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: kind, Name: name}
	}
	objects := []client.Object{few,
		&rbacv1.ClusterRoleBinding{ObjectMeta: few.ObjectMeta, Subjects: subjects, RoleRef: roleOf("ClusterRole", few.Name)},
		&rbacv1.RoleBinding{ObjectMeta: metav1.ObjectMeta{Namespace: limpetNamespace, Name: "reads-few-own"}, Subjects: subjects,
			RoleRef: roleOf("Role", "limpet")},
	}
	for _, ns := range []string{limpetNamespace, namespace} {
		meta := metav1.ObjectMeta{Namespace: ns, Name: "reads-few-secrets"}
		objects = append(objects,
			&rbacv1.Role{ObjectMeta: meta, Rules: []rbacv1.PolicyRule{
				{APIGroups: []string{""}, Resources: []string{"secrets"}, Verbs: []string{"list", "watch"}}}},
			&rbacv1.RoleBinding{ObjectMeta: meta, Subjects: subjects, RoleRef: roleOf("Role", meta.Name)})
	}
	create(t, objects...)
	t.Cleanup(func() {
		for _, o := range objects {
			if err := admin.Delete(context.WithoutCancel(t.Context()), o); err != nil {
				t.Error(err)
			}
		}
	})
}

func TestSecretNamespaces_limitReads(t *testing.T) {
	seen, unseen := newNamespace(t), newNamespace(t)
	grantFewSecrets(t, seen)
	for _, ns := range []string{seen, unseen} {
		i := ingress(ns, "in-"+ns)
		i.Spec.TLS = []networkingv1.IngressTLS{{SecretName: "pair"}}
		create(t, tlsSecret(t, ns, "pair", time.Now().Add(time.Hour)), i)
	}
	r := newReplica("a")
	r.start(t, func(o *Options) {
		o.Config.Impersonate.UserName = reader
		o.SecretNamespaces = []string{seen}
	})
	eventually(t, "only the certificate in the readable namespace", r.publisher.locked(func(p *fakePublisher) bool {
		return p.last.Model != nil && len(p.last.Model.Certificates) == 1 && p.last.Model.Certificates[0].Secret.Namespace == seen
	}))
	eventually(t, "keys", func() bool { return r.keys.Load() != nil })
	r.publisher.locked(func(p *fakePublisher) bool {
		ref := model.Ref{Kind: model.KindIngress, Namespace: unseen, Name: "in-" + unseen}
		for _, report := range p.last.Reports {
			if report.Ref == ref && !slices.ContainsFunc(report.Problems, isMissingSecret) {
				t.Errorf("problems of %s = %v, want SecretNotFound", ref, report.Problems)
			}
		}
		return true
	})()
}

func isMissingSecret(p translate.Problem) bool { return p.Reason == translate.ReasonSecretNotFound }
