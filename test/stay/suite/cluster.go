package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/utils/ptr"
	ctrlclient "sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
)

// clusterSettings select an ingress controller in a cluster as the only subject.
type clusterSettings struct {
	kubeconfig  string
	name        string // in the report
	class       string // of the Ingresses
	address     string // ip:port of the controller, for HTTP
	podsAddress string // IP address of this machine that the controller can reach
	annotations annotations
	edit        string // annotation=format of a timeout in seconds
}

// annotations is the flag for the annotations of the Ingresses: name=value, repeated.
type annotations map[string]string

// String implements flag.Value.
func (a annotations) String() string { return fmt.Sprint(map[string]string(a)) }

// Set implements flag.Value.
func (a annotations) Set(text string) error {
	name, value, found := strings.Cut(text, "=")
	if !found {
		return errors.New("want name=value")
	}
	a[name] = value
	return nil
}

// clusterNamespace is created for each scenario, and deleted after it.
const clusterNamespace = "limpet-stay"

// inCluster is a controller that runs in a cluster. Its pods are in this program: Services without selectors lead to them, by one
// EndpointSlice for each pod.
type inCluster struct {
	clusterSettings
	client   ctrlclient.Client
	revision int
	paths    map[string]string // of the present routes, by name: host and path
}

func newInCluster(s clusterSettings) (*inCluster, error) {
	config, err := clientcmd.BuildConfigFromFlags("", s.kubeconfig)
	if err != nil {
		return nil, err
	}
	config.QPS, config.Burst = 200, 400
	c, err := ctrlclient.New(config, ctrlclient.Options{Scheme: clientgoscheme.Scheme})
	return &inCluster{clusterSettings: s, client: c}, err
}

func (c *inCluster) about() about {
	notes := []string{fmt.Sprintf("The controller of the class `%s`, in a cluster. Each time includes the API server and its watches.", c.class)}
	for name, value := range c.annotations {
		notes = append(notes, fmt.Sprintf("Annotation: `%s: %s`.", name, value))
	}
	return about{name: c.name, version: "as installed in the cluster", notes: notes, timed: true, podsAt: c.podsAddress}
}

func (c *inCluster) cannot(scenario string) string {
	switch scenario {
	case proxyRestart, proxyUpgrade, keyRotation, "replica":
		return "the suite does not restart controllers in a cluster"
	case storeLost, idleReplay, adoption, adoptionBalanced, canarySplit, webSockets:
		return "it needs configuration that differs between controllers"
	case relatedEdit:
		if c.edit == "" {
			return "no annotation for a timeout was given (-edit)"
		}
	}
	return ""
}

func (c *inCluster) start(s *state, _ bool) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := c.deleteNamespace(ctx); err != nil {
		return err
	}
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: clusterNamespace}}
	if err := c.client.Create(ctx, namespace); err != nil {
		return err
	}
	c.paths = map[string]string{}
	return c.apply(s)
}

func (c *inCluster) address(int) string { return c.clusterSettings.address }

func (c *inCluster) restart(int, *state) error { return errors.ErrUnsupported }

func (c *inCluster) stop() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	_ = c.deleteNamespace(ctx) // the next start reports the problem
}

// deleteNamespace deletes the namespace and waits until it is gone.
func (c *inCluster) deleteNamespace(ctx context.Context) error {
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: clusterNamespace}}
	if err := c.client.Delete(ctx, namespace); ctrlclient.IgnoreNotFound(err) != nil {
		return err
	}
	return await("the end of the namespace "+clusterNamespace, ctx.Done(), func() bool {
		return apierrors.IsNotFound(c.client.Get(ctx, ctrlclient.ObjectKeyFromObject(namespace), namespace))
	})
}

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
	all := map[string]string{}
	for name, value := range c.annotations {
		all[name] = value
	}
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
	for name := range c.paths {
		if strings.HasPrefix(name, "other-") && !wanted[name] {
			old := &networkingv1.Ingress{ObjectMeta: metav1.ObjectMeta{Namespace: clusterNamespace, Name: name}}
			if err := c.client.Delete(ctx, old); err != nil {
				return err
			}
			delete(c.paths, name)
		}
	}
	return nil
}

// writeIngress writes an Ingress unless it is known to be as it should.
func (c *inCluster) writeIngress(ctx context.Context, name, host, path, service string, annotations map[string]string) error {
	described := fmt.Sprint(host, path, service, annotations)
	if c.paths[name] == described {
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
		c.paths[name] = described
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

// check returns an error if a setting is missing.
func (s *clusterSettings) check() error {
	if _, _, err := net.SplitHostPort(s.address); err != nil {
		return fmt.Errorf("-address %q: %w", s.address, err)
	}
	if net.ParseIP(s.podsAddress) == nil || s.class == "" {
		return errors.New("-kubeconfig needs -class, and -pods with an IP address of this machine that the controller can reach")
	}
	return nil
}
