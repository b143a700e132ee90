package main

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/utils/ptr"
)

const (
	class            = "limpet"
	limpetNamespace  = "limpet-system"
	endpointsPerPool = 10
	perNamespace     = 100 // Ingresses
	podPort          = 8080
	maxIngresses     = 13_000 // their endpoints have an address each, on two ports of 10.250.0.0/16
	workers          = 32     // requests to the API server at once
)

// fleet is the objects in the API server: Ingresses with one host and two paths, each with a Service of ten endpoints.
type fleet struct {
	api  kubernetes.Interface
	size int
	// versions has the second path of each Ingress, as written last.
	versions []int
	// pods has the UIDs of the pods of each Service.
	pods [][]types.UID
}

func namespaceOf(i int) string { return fmt.Sprintf("n%d", i/perNamespace) }
func nameOf(i int) string      { return fmt.Sprintf("shop-%d", i) }
func hostOf(i int) string      { return nameOf(i) + ".example.com" }
func podOf(i, j int) string    { return fmt.Sprintf("shop-%d-%d", i, j) }

// versionPath returns the second path of an Ingress. The first one, /app, is always the same.
func versionPath(version int) string { return fmt.Sprintf("/v%d", version) }

// addressOf returns the address and port of an endpoint.
func addressOf(i, j int) (address string, port int32) {
	n := i*endpointsPerPool + j
	const perPort = 0xff00
	at := n%perPort + 0x80
	return fmt.Sprintf("10.250.%d.%d", at>>8, at&0xff), int32(podPort + n/perPort)
}

// prepare writes the objects that the fleet shares.
func (f *fleet) prepare(ctx context.Context) error {
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: limpetNamespace}}
	if _, err := f.api.CoreV1().Namespaces().Create(ctx, namespace, metav1.CreateOptions{}); err != nil {
		return err
	}
	object := &networkingv1.IngressClass{ObjectMeta: metav1.ObjectMeta{Name: class},
		Spec: networkingv1.IngressClassSpec{Controller: "limpet.dev/ingress"}}
	_, err := f.api.NetworkingV1().IngressClasses().Create(ctx, object, metav1.CreateOptions{})
	return err
}

// grow adds Ingresses with their Services, EndpointSlices and pods until there are that many.
func (f *fleet) grow(ctx context.Context, size int) error {
	for i := f.size; i < size; i++ {
		if i%perNamespace == 0 {
			namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespaceOf(i)}}
			if _, err := f.api.CoreV1().Namespaces().Create(ctx, namespace, metav1.CreateOptions{}); err != nil {
				return err
			}
		}
		f.versions, f.pods = append(f.versions, 0), append(f.pods, make([]types.UID, endpointsPerPool))
	}
	first := f.size
	f.size = size
	return inParallel(size-first, func(n int) error { return f.create(ctx, first+n) })
}

// create writes one Ingress and what it refers to.
func (f *fleet) create(ctx context.Context, i int) error {
	for j := range endpointsPerPool {
		pod, err := f.api.CoreV1().Pods(namespaceOf(i)).Create(ctx, podObject(i, j), metav1.CreateOptions{})
		if err != nil {
			return err
		}
		f.pods[i][j] = pod.UID
	}
	if _, err := f.api.CoreV1().Services(namespaceOf(i)).Create(ctx, serviceObject(i), metav1.CreateOptions{}); err != nil {
		return err
	}
	slices := f.api.DiscoveryV1().EndpointSlices(namespaceOf(i))
	if _, err := slices.Create(ctx, f.slice(i, true), metav1.CreateOptions{}); err != nil {
		return err
	}
	_, err := f.api.NetworkingV1().Ingresses(namespaceOf(i)).Create(ctx, f.ingress(i), metav1.CreateOptions{})
	return err
}

func podObject(i, j int) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespaceOf(i), Name: podOf(i, j), Labels: map[string]string{"app": nameOf(i)}},
		Spec:       corev1.PodSpec{NodeName: "node", Containers: []corev1.Container{{Name: "app", Image: "none"}}},
	}
}

func serviceObject(i int) *corev1.Service {
	return &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespaceOf(i), Name: nameOf(i)},
		Spec: corev1.ServiceSpec{ClusterIP: corev1.ClusterIPNone, Selector: map[string]string{"app": nameOf(i)},
			Ports: []corev1.ServicePort{{Port: 80}}},
	}
}

// slice returns the EndpointSlice of a Service. Its last endpoint is ready or not.
func (f *fleet) slice(i int, lastIsReady bool) *discoveryv1.EndpointSlice {
	_, port := addressOf(i, 0)
	s := &discoveryv1.EndpointSlice{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespaceOf(i), Name: nameOf(i),
			Labels: map[string]string{discoveryv1.LabelServiceName: nameOf(i)}},
		AddressType: discoveryv1.AddressTypeIPv4,
		Ports:       []discoveryv1.EndpointPort{{Name: ptr.To(""), Port: ptr.To(port)}},
	}
	for j := range endpointsPerPool {
		address, _ := addressOf(i, j)
		ready := lastIsReady || j < endpointsPerPool-1
		s.Endpoints = append(s.Endpoints, discoveryv1.Endpoint{
			Addresses:  []string{address},
			Conditions: discoveryv1.EndpointConditions{Ready: ptr.To(ready), Serving: ptr.To(ready)},
			TargetRef:  &corev1.ObjectReference{Kind: "Pod", Namespace: namespaceOf(i), Name: podOf(i, j), UID: f.pods[i][j]},
			NodeName:   ptr.To("node"), Zone: ptr.To("zone-a"),
		})
	}
	return s
}

// ingress returns an Ingress with its current version.
func (f *fleet) ingress(i int) *networkingv1.Ingress {
	rule := networkingv1.IngressRule{Host: hostOf(i)}
	rule.HTTP = &networkingv1.HTTPIngressRuleValue{}
	for _, path := range []string{"/app", versionPath(f.versions[i])} {
		rule.HTTP.Paths = append(rule.HTTP.Paths, networkingv1.HTTPIngressPath{
			Path: path, PathType: ptr.To(networkingv1.PathTypePrefix),
			Backend: networkingv1.IngressBackend{Service: &networkingv1.IngressServiceBackend{
				Name: nameOf(i), Port: networkingv1.ServiceBackendPort{Number: 80}}},
		})
	}
	return &networkingv1.Ingress{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespaceOf(i), Name: nameOf(i)},
		Spec:       networkingv1.IngressSpec{IngressClassName: ptr.To(class), Rules: []networkingv1.IngressRule{rule}},
	}
}

// changeIngress writes the next version of an Ingress. Changes of one Ingress must not be concurrent.
func (f *fleet) changeIngress(ctx context.Context, i int) error {
	f.versions[i]++
	_, err := f.api.NetworkingV1().Ingresses(namespaceOf(i)).Update(ctx, f.ingress(i), metav1.UpdateOptions{})
	return err
}

// changeSlice makes the last endpoint of a Service ready or not.
func (f *fleet) changeSlice(ctx context.Context, i int, lastIsReady bool) error {
	_, err := f.api.DiscoveryV1().EndpointSlices(namespaceOf(i)).Update(ctx, f.slice(i, lastIsReady), metav1.UpdateOptions{})
	return err
}
