package controllers

import (
	"reflect"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

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
	if _, err := stripConfigMap(c); err != nil {
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
	if got, err := stripConfigMap("a tombstone"); got != "a tombstone" || err != nil {
		t.Errorf("got %v, %v", got, err)
	}
}
