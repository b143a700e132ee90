package main

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/utils/ptr"
)

// The Service whose endpoint is replaced again and again. It has one endpoint at a time, so that each request shows which one is
// chosen.
const (
	removalNamespace = "removal"
	removalHost      = "removal.example.com"
)

// removal replaces an endpoint, and measures how long the old one is still chosen.
type removal struct {
	fleet  *fleet
	client *client
	turn   int
	events <-chan watch.Event
}

func removalAddress(turn int) string { return fmt.Sprint("10.250.0.", 1+turn%2) }

func removalSlice(turn int) *discoveryv1.EndpointSlice {
	return &discoveryv1.EndpointSlice{
		ObjectMeta: metav1.ObjectMeta{Namespace: removalNamespace, Name: "removal",
			Labels: map[string]string{discoveryv1.LabelServiceName: "removal"}},
		AddressType: discoveryv1.AddressTypeIPv4,
		Ports:       []discoveryv1.EndpointPort{{Name: ptr.To(""), Port: ptr.To[int32](podPort)}},
		Endpoints:   []discoveryv1.Endpoint{{Addresses: []string{removalAddress(turn)}}},
	}
}

// prepareRemoval writes the objects.
func (f *fleet) prepareRemoval(ctx context.Context) error {
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: removalNamespace}}
	if _, err := f.api.CoreV1().Namespaces().Create(ctx, namespace, metav1.CreateOptions{}); err != nil {
		return err
	}
	service := serviceObject(0)
	service.Namespace, service.Name = removalNamespace, "removal"
	if _, err := f.api.CoreV1().Services(removalNamespace).Create(ctx, service, metav1.CreateOptions{}); err != nil {
		return err
	}
	slices := f.api.DiscoveryV1().EndpointSlices(removalNamespace)
	if _, err := slices.Create(ctx, removalSlice(0), metav1.CreateOptions{}); err != nil {
		return err
	}
	ingress := &networkingv1.Ingress{
		ObjectMeta: metav1.ObjectMeta{Namespace: removalNamespace, Name: "removal"},
		Spec: networkingv1.IngressSpec{IngressClassName: ptr.To(class), Rules: []networkingv1.IngressRule{{Host: removalHost,
			IngressRuleValue: networkingv1.IngressRuleValue{HTTP: &networkingv1.HTTPIngressRuleValue{
				Paths: []networkingv1.HTTPIngressPath{{Path: "/", PathType: ptr.To(networkingv1.PathTypePrefix),
					Backend: networkingv1.IngressBackend{Service: &networkingv1.IngressServiceBackend{
						Name: "removal", Port: networkingv1.ServiceBackendPort{Number: 80}}}}}}}}}},
	}
	_, err := f.api.NetworkingV1().Ingresses(removalNamespace).Create(ctx, ingress, metav1.CreateOptions{})
	return err
}

// measure replaces the endpoint that many times, with pauses, or until ctx is done.
func (m *removal) measure(ctx context.Context, times int) (durations, error) {
	watching, cancel := context.WithCancel(ctx)
	defer cancel()
	slices := m.fleet.api.DiscoveryV1().EndpointSlices(removalNamespace)
	current, err := slices.Update(ctx, removalSlice(m.turn), metav1.UpdateOptions{})
	if err != nil {
		return nil, err
	}
	watcher, err := slices.Watch(watching, metav1.ListOptions{ResourceVersion: current.ResourceVersion})
	if err != nil {
		return nil, err
	}
	defer watcher.Stop()
	m.events = watcher.ResultChan()
	var all durations
	for range times {
		took, err := m.replace(ctx)
		if ctx.Err() != nil {
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		all = append(all, took)
		pause(ctx, 20*time.Millisecond)
	}
	return all, nil
}

// replace replaces the endpoint. It returns the time from the watch event until a request is sent that the new endpoint gets. It
// is zero if a request before the event got it already.
func (m *removal) replace(ctx context.Context) (time.Duration, error) {
	m.turn++
	seen, failed := make(chan time.Time, 1), make(chan error, 1)
	go func() {
		<-m.events
		seen <- time.Now()
	}()
	go func() {
		_, err := m.fleet.api.DiscoveryV1().EndpointSlices(removalNamespace).Update(ctx, removalSlice(m.turn), metav1.UpdateOptions{})
		failed <- err
	}()
	want := fmt.Sprint(removalAddress(m.turn), ":", podPort)
	for deadline := time.Now().Add(time.Minute); ; pause(ctx, time.Millisecond/2) {
		sent := time.Now()
		_, pod, err := m.client.get(ctx, removalHost, "/")
		if err != nil {
			return 0, err
		}
		if pod == want {
			return max(0, sent.Sub(<-seen)), <-failed
		}
		if sent.After(deadline) {
			return 0, fmt.Errorf("the removed endpoint %s still gets requests after a minute", pod)
		}
	}
}
