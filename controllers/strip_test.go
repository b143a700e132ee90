package controllers

import (
	"reflect"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/limpet-dev/limpet/pkg/translate"
)

func TestStripMetadata(t *testing.T) {
	in := ingress("shop", "cart")
	in.ManagedFields = []metav1.ManagedFieldsEntry{{Manager: "kubectl"}}
	in.Annotations = map[string]string{corev1.LastAppliedConfigAnnotation: "{}", translate.AnnotationAffinity: "cookie"}
	got, err := stripMetadata(in)
	stripped, _ := got.(*networkingv1.Ingress)
	if err != nil || stripped.ManagedFields != nil ||
		!reflect.DeepEqual(stripped.Annotations, map[string]string{translate.AnnotationAffinity: "cookie"}) {
		t.Errorf("error %v, %+v", err, stripped.ObjectMeta)
	}
	if got, err := stripMetadata("a tombstone"); got != "a tombstone" || err != nil {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestStripConfigMap(t *testing.T) {
	long := strings.Repeat("x", 2*translate.MaxConfigMapValue)
	c := &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "c", Labels: map[string]string{"app": "c"}},
		Data:       map[string]string{"X-Frame-Options": "DENY", "app.properties": long, "X-Long": long},
		BinaryData: map[string][]byte{"logo": []byte(long)},
	}
	strip := stripConfigMaps(types.NamespacedName{Namespace: "nginx", Name: "kept"})
	if _, err := strip(c); err != nil {
		t.Fatal(err)
	}
	want := &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "c"},
		Data: map[string]string{
			"X-Frame-Options": "DENY", "app.properties": "", "X-Long": long[:translate.MaxConfigMapValue+1],
		},
	}
	if !reflect.DeepEqual(c, want) {
		t.Errorf("got %+v", c)
	}
	kept := &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Namespace: "nginx", Name: "kept"}, Data: map[string]string{"whitelist-source-range": long},
	}
	if _, err := strip(kept); err != nil || kept.Data["whitelist-source-range"] != long {
		t.Errorf("the ConfigMap of ingress-nginx has %d bytes, error %v", len(kept.Data["whitelist-source-range"]), err)
	}
	if got, err := strip("a tombstone"); got != "a tombstone" || err != nil {
		t.Errorf("got %v, %v", got, err)
	}
}
