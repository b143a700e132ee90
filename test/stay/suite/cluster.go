package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/clientcmd"
	ctrlclient "sigs.k8s.io/controller-runtime/pkg/client"
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
	written  map[string]string // the Ingresses in the cluster, described, by name
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
	notes := []string{
		fmt.Sprintf("The controller of the class `%s`, in a cluster. Each time includes the API server and its watches.", c.class),
	}
	for _, name := range slices.Sorted(maps.Keys(c.annotations)) {
		notes = append(notes, fmt.Sprintf("Annotation: `%s: %s`.", name, c.annotations[name]))
	}
	return about{name: c.name, version: "as installed in the cluster", notes: notes, timed: true, podsAt: c.podsAddress}
}

func (c *inCluster) cannot(scenario string) string {
	switch scenario {
	case proxyRestart, proxyUpgrade, keyRotation, "replica":
		return "the suite does not restart controllers in a cluster"
	case "order":
		return "each pod has an EndpointSlice of its own, so no order shows"
	case storeLost, idleReplay, adoption, adoptionBalanced, canarySplit:
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
	c.written = map[string]string{}
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
