package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"
	ctrlclient "sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
)

// apply writes the objects of the state. The Ingress with the revision is the last one.
func (c *inCluster) apply(s *state) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for _, route := range s.Routes {
		if err := errors.Join(c.writeService(ctx, route.Name), c.writeSlices(ctx, route)); err != nil {
			return err
		}
		if err := c.writeIngress(ctx, route.Name, route.host, route.path, route.Name, c.annotationsOf(s)); err != nil {
			return err
		}
	}
	if err := c.writeOthers(ctx, s); err != nil {
		return err
	}
	c.revision++
	path := fmt.Sprintf("/%d", c.revision)
	if err := c.writeIngress(ctx, "revision", revisionHost, path, "other", nil); err != nil {
		return err
	}
	if err := awaitRevision(c.clusterSettings.address, c.revision, ctx.Done()); err != nil {
		return err
	}
	for _, route := range s.Routes {
		if err := c.awaitPods(ctx, route); err != nil {
			return err
		}
	}
	return nil
}

func (c *inCluster) annotationsOf(s *state) map[string]string {
	all := maps.Clone(c.annotations)
	if name, format, found := strings.Cut(c.edit, "="); found {
		all[name] = fmt.Sprintf(format, s.Timeout)
	}
	return all
}

func (c *inCluster) writeService(ctx context.Context, name string) error {
	service := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: clusterNamespace, Name: name}}
	_, err := controllerutil.CreateOrUpdate(ctx, c.client, service, func() error {
		service.Spec.Ports = []corev1.ServicePort{{Name: "http", Port: 80, TargetPort: intstr.FromString("http")}}
		return nil
	})
	return err
}

// writeSlices writes one EndpointSlice for each pod, because each pod has its own port, and deletes the others of the route.
func (c *inCluster) writeSlices(ctx context.Context, of *route) error {
	wanted := map[string]bool{}
	for _, p := range of.Pods {
		slice := &discoveryv1.EndpointSlice{ObjectMeta: metav1.ObjectMeta{Namespace: clusterNamespace, Name: of.Name + "-" + p.name}}
		wanted[slice.Name] = true
		_, err := controllerutil.CreateOrUpdate(ctx, c.client, slice, func() error {
			slice.Labels = map[string]string{discoveryv1.LabelServiceName: of.Name, discoveryv1.LabelManagedBy: "stay.limpet.dev"}
			slice.AddressType = discoveryv1.AddressTypeIPv4
			slice.Ports = []discoveryv1.EndpointPort{{Name: ptr.To("http"), Port: ptr.To(int32(p.port))}} //nolint:gosec // below 65536
			slice.Endpoints = []discoveryv1.Endpoint{{
				Addresses: []string{p.ip},
				Conditions: discoveryv1.EndpointConditions{Ready: ptr.To(p.Condition == ready),
					Serving: ptr.To(p.Condition != notReady), Terminating: ptr.To(p.Condition == terminating)},
				TargetRef: &corev1.ObjectReference{Kind: "Pod", Namespace: clusterNamespace, Name: p.name, UID: types.UID(p.uid)},
			}}
			return nil
		})
		if err != nil {
			return err
		}
	}
	var slices discoveryv1.EndpointSliceList
	if err := c.client.List(ctx, &slices, ctrlclient.InNamespace(clusterNamespace),
		ctrlclient.MatchingLabels{discoveryv1.LabelServiceName: of.Name}); err != nil {
		return err
	}
	for i := range slices.Items {
		if !wanted[slices.Items[i].Name] {
			if err := c.client.Delete(ctx, &slices.Items[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

// writeOthers writes the Ingresses of other hosts, and deletes those that are left over.
func (c *inCluster) writeOthers(ctx context.Context, s *state) error {
	if err := c.writeService(ctx, "other"); err != nil {
		return err
	}
	wanted := map[string]bool{}
	for _, n := range s.Numbers() {
		name := fmt.Sprintf("other-%d", n)
		wanted[name] = true
		if err := c.writeIngress(ctx, name, name+".example.com", fmt.Sprintf("/%d", s.Edition), "other", nil); err != nil {
			return err
		}
	}
	for name := range c.written {
		if strings.HasPrefix(name, "other-") && !wanted[name] {
			old := &networkingv1.Ingress{ObjectMeta: metav1.ObjectMeta{Namespace: clusterNamespace, Name: name}}
			if err := c.client.Delete(ctx, old); err != nil {
				return err
			}
			delete(c.written, name)
		}
	}
	return nil
}

// writeIngress writes an Ingress unless it is known to be as it should.
func (c *inCluster) writeIngress(ctx context.Context, name, host, path, service string, annotations map[string]string) error {
	described := fmt.Sprint(host, path, service, annotations)
	if c.written[name] == described {
		return nil
	}
	ingress := &networkingv1.Ingress{ObjectMeta: metav1.ObjectMeta{Namespace: clusterNamespace, Name: name}}
	_, err := controllerutil.CreateOrUpdate(ctx, c.client, ingress, func() error {
		ingress.Annotations = annotations
		ingress.Spec = networkingv1.IngressSpec{
			IngressClassName: ptr.To(c.class),
			Rules: []networkingv1.IngressRule{{Host: host, IngressRuleValue: networkingv1.IngressRuleValue{
				HTTP: &networkingv1.HTTPIngressRuleValue{Paths: []networkingv1.HTTPIngressPath{{
					Path: path, PathType: ptr.To(networkingv1.PathTypePrefix),
					Backend: networkingv1.IngressBackend{Service: &networkingv1.IngressServiceBackend{
						Name: service, Port: networkingv1.ServiceBackendPort{Number: 80}}},
				}}}}}},
		}
		return nil
	})
	if err == nil {
		c.written[name] = described
	}
	return err
}

// awaitPods returns when requests without cookies reach all ready pods of a route, and no others, in many requests in a row.
func (c *inCluster) awaitPods(ctx context.Context, of *route) error {
	wanted := map[string]bool{}
	for _, p := range of.Pods {
		if p.Condition == ready {
			wanted[p.name] = true
		}
	}
	seen := map[string]bool{}
	return await(fmt.Sprintf("the ready pods of %s", of.Name), ctx.Done(), func() bool {
		clear(seen)
		for range 30 * len(wanted) {
			name := podOf(c.clusterSettings.address, of)
			if !wanted[name] {
				return false
			}
			seen[name] = true
		}
		return len(seen) == len(wanted)
	})
}

// podOf returns the name of the pod that serves a request without cookies.
func podOf(address string, of *route) string {
	r, err := http.NewRequest(http.MethodGet, "http://"+address+of.path, nil)
	if err != nil {
		return ""
	}
	r.Host = of.host
	resp, err := client.Do(r)
	if err != nil {
		return ""
	}
	resp.Body.Close()
	return resp.Header.Get("X-Pod")
}
