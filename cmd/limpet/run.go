package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"
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
	watched        namespaces
	kubeconfig     string
	shadow         bool
	reviewsTokens  bool
	deletionCost   bool
	kubeAPI        kubeAPIOptions
}

// kubeAPIOptions are the flags that bound the load that this process puts on the API server.
type kubeAPIOptions struct{ qps, burst, statusWorkers int64 }

func (k *kubeAPIOptions) register(f flagSet) {
	k.qps, k.burst = controllers.DefaultKubeAPIQPS, controllers.DefaultKubeAPIBurst
	k.statusWorkers = controllers.DefaultStatusWorkers
	f.number(&k.qps, 1, 10_000, "kube-api-qps", "The maximum `rate` of requests to the API server, per second. Requests for the"+
		" lease do not count.")
	f.number(&k.burst, 1, 20_000, "kube-api-burst", "The `number` of requests to the API server that may exceed --kube-api-qps"+
		" for a moment.")
	f.number(&k.statusWorkers, 1, 100, "status-workers", "The `number` of objects whose status the leader writes concurrently.")
}

// apply sets the options of the controllers.
func (k *kubeAPIOptions) apply(to *controllers.Options) {
	to.KubeAPIQPS, to.KubeAPIBurst, to.StatusWorkers = int(k.qps), int(k.burst), int(k.statusWorkers)
}

func (c *clusterOptions) register(f flagSet) {
	f.StringVar(&c.kubeconfig, "kubeconfig", "", "The kubeconfig `file` with which to reach the API server. If empty,"+
		" $KUBECONFIG, the service account of the pod and ~/.kube/config are tried in this order.")
	f.StringVar(&c.namespace, "namespace", os.Getenv("POD_NAMESPACE"),
		"The `namespace` of the lease and the key Secret. Defaults to $POD_NAMESPACE.")
	f.Var(&c.publishService, "publish-service",
		"The Service, as `namespace/name`, whose address is written into the status of Ingresses.")
	f.Var(&c.publishAddress, "publish-address", "An IP `address` or host name to write into the status of"+
		" Ingresses. May be repeated. Excludes --publish-service.")
	f.StringVar(&c.affinitySecret, "affinity-secret", controllers.DefaultKeySecret, "The `name` of the Secret in which the leader"+
		" keeps the keys of session tokens. Not used with --affinity-keys.")
	f.Var(&c.secrets, "secret-namespaces", "The comma-separated `namespaces` in which Secrets are read, besides Limpet's own. If"+
		" empty, all.")
	f.Var(&c.watched, "watch-namespace", "The comma-separated `namespaces` whose Ingresses are served. May be repeated. If empty,"+
		" all. Otherwise Limpet needs no permissions in the cluster, reads no IngressClasses, and serves only Ingresses that name"+
		" their class.")
	f.StringVar(&c.leaderLease, "leader-lease", "", "The `name` of the Lease with which the replicas elect a leader. If empty,"+
		" limpet-leader. Two installations in one namespace need different names.")
	f.DurationVar(&c.keyRotation, "key-rotation", controllers.DefaultKeyRotation, "How long a key seals new tokens before the"+
		" leader replaces it. At least 1h. Zero disables rotation.")
	f.BoolVar(&c.shadow, "shadow", false, "Serve beside another controller of the same class, and write nothing about Ingresses: no"+
		" status, no Events, and no lease. What would be written is logged. A missing key Secret is created, and its"+
		" keys are not rotated.")
	f.BoolVar(&c.reviewsTokens, "admin-token-review", false, "Accept Kubernetes tokens for the audience limpet.dev on the admin"+
		" listener. With the verb get on admin.limpet.dev in Limpet's namespace, a user may read debug pages, and with update also"+
		" control.")
	f.BoolVar(&c.deletionCost, "pod-deletion-cost", false, "Write the number of sessions of each pod into its annotation"+
		" controller.kubernetes.io/pod-deletion-cost, so that scaling down removes the pods with the fewest sessions first. The"+
		" leader needs the permission to patch pods. Requires --publish-service.")
	c.kubeAPI.register(f)
}

func newRunCommand(std streams) *cobra.Command {
	var o options
	var c clusterOptions
	cmd := &cobra.Command{
		Use:   "run [flags]",
		Short: "Serve the Ingresses of a cluster",
		Long: `Watch the Ingresses, Services and AffinityPolicies of a cluster, and serve them.

It usually runs in a pod. Outside a cluster, set --namespace, and --kubeconfig if it is not in its usual place.`,
		Example: `# In a pod
limpet run --publish-service limpet-system/limpet

# Serve the class nginx, too
limpet run --ingress-class limpet,nginx

# Serve the class nginx beside ingress-nginx, before taking over
limpet run --ingress-class nginx --shadow

# From outside the cluster, without admin pages
limpet run --kubeconfig ~/.kube/config --namespace limpet-system --admin-addr ''`,
		Args:    noArguments,
		PreRunE: readEnvironment,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.unknown = unknownVariables(cmd.Root(), os.Environ())
			return runCluster(cmd.Context(), o, c, std)
		},
	}
	f := flagSet{cmd.Flags()}
	o.register(f, clusterDefaults)
	c.register(f)
	return cmd
}

// runCluster watches a cluster and serves its Ingresses.
func runCluster(ctx context.Context, o options, c clusterOptions, std streams) error {
	if err := o.validate(); err != nil {
		return err
	}
	o.inCluster = true
	o.keysFromCluster, o.ownService = o.affinityKeys == "", types.NamespacedName(c.publishService)
	t := o.translation()
	t.WithoutClasses = len(c.watched) > 0
	n, err := newNode(o, t, std)
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

// controllerOptions returns the options of the controllers for the flags.
func (n *node) controllerOptions(c clusterOptions) (controllers.Options, error) {
	config, err := restConfig(c.kubeconfig)
	if err != nil {
		return controllers.Options{}, inputError{err}
	}
	co := controllers.Options{Config: config, Log: n.log.WithName("controllers"), Namespace: c.namespace,
		LeaseName: c.leaderLease, KeyRotation: c.keyRotation, PublishAddresses: c.publishAddress.values,
		PublishService: types.NamespacedName(c.publishService), SecretNamespaces: c.secrets.values,
		NginxConfigMap: types.NamespacedName(n.options.nginx.configMap), WatchNamespaces: c.watched,
		Shadow: c.shadow, Leading: &n.leading, MissingFields: func(fields []string) { n.metrics.MissingFields(len(fields)) }}
	n.elects = !c.shadow
	c.kubeAPI.apply(&co)
	if c.deletionCost {
		co.PodSessions = n.podSessions
	}
	if n.options.keysFromCluster {
		co.KeySecret = c.affinitySecret
	}
	if err := errors.Join(co.Validate(), n.options.checkWatched(&co)); err != nil {
		return co, usageError{err}
	}
	ctrl.SetLogger(n.log)
	if c.reviewsTokens {
		if n.options.admin.review, err = n.tokenReview(&co); err != nil {
			return co, err
		}
	}
	return co, nil
}

// checkWatched returns an error for each flag that names an object that is not read because of --watch-namespace.
func (o *options) checkWatched(co *controllers.Options) error {
	var errs []error
	for _, named := range []struct {
		flag string
		name types.NamespacedName
	}{
		{"publish-service", co.PublishService}, {"nginx-configmap", co.NginxConfigMap},
		{"default-backend-service", types.NamespacedName(o.nginx.defaultBackend)},
		{"default-certificate", types.NamespacedName(o.tls.defaultCertificate)},
	} {
		if named.name.Name != "" && !co.Watches(named.name.Namespace) {
			errs = append(errs, fmt.Errorf("--%s names an object of namespace %s, which is neither in --watch-namespace nor"+
				" Limpet's own", named.flag, named.name.Namespace))
		}
	}
	return errors.Join(errs...)
}

// restConfig loads the named kubeconfig. If kubeconfig is empty, it uses the defaults of controller-runtime.
func restConfig(kubeconfig string) (*rest.Config, error) {
	if kubeconfig == "" {
		return ctrl.GetConfig()
	}
	return clientcmd.BuildConfigFromFlags("", kubeconfig)
}
