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
	workers          = 32     // concurrent requests to the API server
)

// fleet is the objects of a cluster: Ingresses with one host and two paths, each with a Service of ten endpoints.
type fleet struct {
	api       kubernetes.Interface
	etcd      string // its URL
	size      int
	templates templates
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

// grow adds Ingresses with their Services, EndpointSlices and pods until there are that many. The objects of the first Ingress
// are created through the API server. The others are copies of them in etcd.
func (f *fleet) grow(ctx context.Context, size int) error {
	first := f.size
	for i := first; i < size; i++ {
		if i%perNamespace == 0 {
			namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespaceOf(i)}}
			if _, err := f.api.CoreV1().Namespaces().Create(ctx, namespace, metav1.CreateOptions{}); err != nil {
				return err
			}
		}
		f.versions, f.pods = append(f.versions, 0), append(f.pods, make([]types.UID, endpointsPerPool))
	}
	f.size = size
	if first == 0 {
		if err := f.createFirst(ctx); err != nil {
			return err
		}
		first = 1
	}
	const perBatch = 10
	return inParallel((size-first+perBatch-1)/perBatch, func(n int) error {
		var objects []stored
		for i := first + n*perBatch; i < min(first+(n+1)*perBatch, size); i++ {
			objects = append(objects, f.copies(i)...)
		}
		return f.put(ctx, objects)
	})
}

// templates are objects as the API server stores them.
type templates struct {
	pod     *corev1.Pod
	service *corev1.Service
	slice   *discoveryv1.EndpointSlice
	ingress *networkingv1.Ingress
}

// createFirst creates the first Ingress, and what it refers to, through the API server.
func (f *fleet) createFirst(ctx context.Context) (err error) {
	t, namespace := &f.templates, namespaceOf(0)
	for j := range endpointsPerPool {
		if t.pod, err = f.api.CoreV1().Pods(namespace).Create(ctx, podObject(0, j), metav1.CreateOptions{}); err != nil {
			return err
		}
		f.pods[0][j] = t.pod.UID
	}
	if t.service, err = f.api.CoreV1().Services(namespace).Create(ctx, serviceObject(0), metav1.CreateOptions{}); err != nil {
		return err
	}
	slices := f.api.DiscoveryV1().EndpointSlices(namespace)
	if t.slice, err = slices.Create(ctx, f.slice(0, true), metav1.CreateOptions{}); err != nil {
		return err
	}
	t.ingress, err = f.api.NetworkingV1().Ingresses(namespace).Create(ctx, f.ingress(0), metav1.CreateOptions{})
	return err
}

// copies returns the objects of an Ingress, and what it refers to.
func (f *fleet) copies(i int) []stored {
	t, core := &f.templates, corev1.SchemeGroupVersion
	var all []stored
	for j := range endpointsPerPool {
		pod := t.pod.DeepCopy()
		pod.ObjectMeta = podObject(i, j).ObjectMeta
		adopt(pod, t.pod)
		f.pods[i][j] = pod.UID
		all = append(all, stored{"pods", core.WithKind("Pod"), pod})
	}
	service := t.service.DeepCopy()
	service.ObjectMeta, service.Spec.Selector = serviceObject(i).ObjectMeta, serviceObject(i).Spec.Selector
	adopt(service, t.service)
	slice, ingress := f.slice(i, true), f.ingress(i)
	adopt(slice, t.slice)
	adopt(ingress, t.ingress)
	slice.Ports[0].Protocol = t.slice.Ports[0].Protocol
	return append(all,
		stored{"services/specs", core.WithKind("Service"), service},
		stored{"endpointslices", discoveryv1.SchemeGroupVersion.WithKind("EndpointSlice"), slice},
		stored{"ingress", networkingv1.SchemeGroupVersion.WithKind("Ingress"), ingress})
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
