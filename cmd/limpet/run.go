package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/limpet-dev/limpet/controllers"
)

// clusterOptions are the flags that only `limpet run` has.
type clusterOptions struct {
	namespace      string
	publishService objectName
	publishAddress list
	affinitySecret string
	leaderLease    string
	keyRotation    time.Duration
	secrets        list
	kubeconfig     string
}

func (c *clusterOptions) register(f flagSet) {
	f.StringVar(&c.kubeconfig, "kubeconfig", "", "`file` that says how to reach the API server; empty: in-cluster")
	f.StringVar(&c.namespace, "namespace", os.Getenv("POD_NAMESPACE"),
		"`namespace` of the lease and the key Secret; default: $POD_NAMESPACE")
	f.Var(&c.publishService, "publish-service",
		"`namespace/name` of the Service whose address is written into the status of Ingresses")
	f.Var(&c.publishAddress, "publish-address", "`address` that is written there instead; may be repeated")
	f.StringVar(&c.affinitySecret, "affinity-secret", controllers.DefaultKeySecret,
		"`name` of the Secret in which the leader keeps the keys of the tokens; not used with --affinity-keys")
	f.Var(&c.secrets, "secret-namespaces", "`namespaces` whose Secrets are read, beside Limpet's own; default: all")
	f.StringVar(&c.leaderLease, "leader-lease", "",
		"`name` of the lease by which the replicas of one installation elect a leader; empty: limpet-leader")
	f.DurationVar(&c.keyRotation, "key-rotation", controllers.DefaultKeyRotation,
		"how long a key seals tokens before the next one does; 0: for ever")
}

// runCluster watches a cluster and serves what it says.
func runCluster(ctx context.Context, args []string, std streams) error {
	f := newFlagSet("run", std)
	var o options
	var c clusterOptions
	o.register(f, clusterDefaults)
	c.register(f)
	if err := f.parse(args); err != nil {
		return err
	}
	if err := o.validate(); err != nil {
		return err
	}
	o.keysFromCluster = o.affinityKeys == ""
	n, err := newNode(o, o.translation(), std)
	if err != nil {
		return err
	}
	co, err := n.controllerOptions(c)
	if err != nil {
		return err
	}
	return n.serve(ctx, func(ctx context.Context) error {
		return controllers.Run(ctx, co, n.publisher, n.keys)
	})
}

// controllerOptions turns flags into what the controllers take.
func (n *node) controllerOptions(c clusterOptions) (controllers.Options, error) {
	config, err := restConfig(c.kubeconfig)
	if err != nil {
		return controllers.Options{}, fmt.Errorf("%w: %w", errUsage, err)
	}
	co := controllers.Options{Config: config, Log: n.log.WithName("controllers"), Namespace: c.namespace,
		LeaseName: c.leaderLease, KeyRotation: c.keyRotation, PublishAddresses: c.publishAddress.values,
		PublishService: types.NamespacedName(c.publishService), SecretNamespaces: c.secrets.values}
	if n.options.keysFromCluster {
		co.KeySecret = c.affinitySecret
	}
	if err := co.Validate(); err != nil {
		return co, fmt.Errorf("%w: %w", errUsage, err)
	}
	ctrl.SetLogger(n.log)
	return co, nil
}

// restConfig reads the kubeconfig that was named, or what a pod is given.
func restConfig(kubeconfig string) (*rest.Config, error) {
	if kubeconfig == "" {
		return ctrl.GetConfig()
	}
	return clientcmd.BuildConfigFromFlags("", kubeconfig)
}
