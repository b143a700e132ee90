package controllers

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// ReplicaSelector is the default label selector of Replicas.
const ReplicaSelector = "app.kubernetes.io/name=limpet"

// Replica is a pod of Limpet that runs.
type Replica struct {
	Pod, Node string
	IsReady   bool
	// AdminPort is the port named admin, 9091 if no container names it.
	AdminPort int
}

// Replicas finds and reaches the replicas of an installation with the credentials of an operator.
type Replicas struct {
	config    *rest.Config
	clients   kubernetes.Interface
	namespace string
	selector  string
}

// NewReplicas returns the Replicas with a label selector in a namespace.
func NewReplicas(config *rest.Config, namespace, selector string) (*Replicas, error) {
	clients, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("creating a client for pods: %w", err)
	}
	return &Replicas{rest.CopyConfig(config), clients, namespace, cmp.Or(selector, ReplicaSelector)}, nil
}

// List returns the replicas, the ready ones first. It returns an error if there is no replica.
func (r *Replicas) List(ctx context.Context) ([]Replica, error) {
	pods, err := r.clients.CoreV1().Pods(r.namespace).List(ctx, metav1.ListOptions{LabelSelector: r.selector})
	if err != nil {
		return nil, fmt.Errorf("listing the pods of Limpet: %w", err)
	}
	var found []Replica
	for i := range pods.Items {
		if replica, runs := replicaOf(&pods.Items[i]); runs {
			found = append(found, replica)
		}
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("no pod of Limpet runs in namespace %s with labels %s: set --namespace and --selector", r.namespace,
			r.selector)
	}
	slices.SortFunc(found, func(a, b Replica) int {
		if a.IsReady != b.IsReady {
			return map[bool]int{true: -1, false: 1}[a.IsReady]
		}
		return cmp.Compare(a.Pod, b.Pod)
	})
	return found, nil
}

func replicaOf(pod *corev1.Pod) (r Replica, runs bool) {
	r = Replica{Pod: pod.Name, Node: pod.Spec.NodeName, AdminPort: 9091}
	for i := range pod.Spec.Containers {
		for _, port := range pod.Spec.Containers[i].Ports {
			if port.Name == "admin" {
				r.AdminPort = int(port.ContainerPort)
			}
		}
	}
	for _, c := range pod.Status.Conditions {
		r.IsReady = r.IsReady || c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
	}
	return r, pod.Status.Phase == corev1.PodRunning
}
