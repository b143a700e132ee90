package controllers

import (
	"context"
	"encoding/json"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/limpet-dev/limpet/pkg/translate"
)

// Pods drains pods with the credentials of an operator.
type Pods struct{ clients kubernetes.Interface }

// NewPods returns a Pods.
func NewPods(config *rest.Config) (*Pods, error) {
	clients, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("creating a client for pods: %w", err)
	}
	return &Pods{clients}, nil
}

// SetDrain adds the annotation that drains a pod, or removes it. It changes nothing else of the pod.
func (p *Pods) SetDrain(ctx context.Context, pod types.NamespacedName, drain bool) error {
	var value any // null removes the annotation
	if drain {
		value = "true"
	}
	annotations := map[string]any{translate.AnnotationDrain: value}
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"annotations": annotations}})
	if err != nil {
		return err
	}
	_, err = p.clients.CoreV1().Pods(pod.Namespace).Patch(ctx, pod.Name, types.MergePatchType, patch, metav1.PatchOptions{})
	if err != nil {
		return fmt.Errorf("annotating pod %s: %w", pod, err)
	}
	return nil
}

// Exists reports whether the pod is there.
func (p *Pods) Exists(ctx context.Context, pod types.NamespacedName) (bool, error) {
	_, err := p.clients.CoreV1().Pods(pod.Namespace).Get(ctx, pod.Name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return false, nil
	}
	return err == nil, err
}
