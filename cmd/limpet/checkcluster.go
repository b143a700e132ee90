package main

import (
	"context"
	"fmt"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/limpet-dev/limpet/controllers"
	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/translate"
)

// kubeconfigOptions are the flags for the credentials of the caller.
type kubeconfigOptions struct{ kubeconfig, context string }

// register registers the flags. intro is the beginning of their descriptions.
func (k *kubeconfigOptions) register(f flagSet, intro string) {
	f.StringVar(&k.kubeconfig, "kubeconfig", "", intro+" kubeconfig `file`. If empty, $KUBECONFIG and ~/.kube/config.")
	f.StringVar(&k.context, "context", "", intro+" `name` of a context of the kubeconfig. If empty, the current one.")
}

// config returns the client configuration of the caller.
func (k *kubeconfigOptions) config() (*rest.Config, error) { return k.load().ClientConfig() }

// configAndNamespace returns the client configuration of the caller, and the namespace of the context.
func (k *kubeconfigOptions) configAndNamespace() (*rest.Config, string, error) {
	loader := k.load()
	config, err := loader.ClientConfig()
	if err != nil {
		return nil, "", err
	}
	namespace, _, err := loader.Namespace()
	return config, namespace, err
}

func (k *kubeconfigOptions) load() clientcmd.ClientConfig {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = k.kubeconfig
	overrides := &clientcmd.ConfigOverrides{CurrentContext: k.context}
	return clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, overrides)
}

// clusterInput are the flags of limpet check for reading the objects of a cluster.
type clusterInput struct {
	kubeconfigOptions
	isOn       bool
	namespaces namespaces

	reader *controllers.SnapshotReader // set by read
}

func (c *clusterInput) register(f flagSet) {
	f.BoolVar(&c.isOn, "cluster", false, "Whether to check the objects of a cluster, which are only read. Secrets are not read: as"+
		" with --assume-secrets, they are assumed to be valid. With -f, print what changes if you apply the manifests.")
	c.kubeconfigOptions.register(f, "With --cluster: the")
	f.VarP(&c.namespaces, "namespace", "n", "With --cluster: the comma-separated `namespaces` to check. If empty, all.")
}

// validate checks the combination of the flags. hasFiles is true if -f is set.
func (c *clusterInput) validate(hasFiles bool) error {
	switch {
	case !c.isOn && !hasFiles:
		return usagef("-f or --cluster is required")
	case !c.isOn && (c.kubeconfig != "" || c.context != "" || len(c.namespaces) > 0):
		return usagef("--kubeconfig, --context and --namespace require --cluster")
	}
	return nil
}

// read reads the objects, and then those to which they refer.
func (c *clusterInput) read(ctx context.Context, std streams, t translate.Options) (*translate.Snapshot, error) {
	config, err := c.config()
	if err != nil {
		return nil, err
	}
	reader := controllers.SnapshotReader{Config: config, Namespaces: c.namespaces}
	w, unread, err := reader.Read(ctx)
	if err != nil {
		return nil, err
	}
	for _, kind := range unread {
		fmt.Fprintf(std.err, "not read: %s\n", kind)
	}
	c.reader = &reader
	c.complete(ctx, w, std, t)
	return w, nil
}

// complete reads the objects to which those of w refer. A ConfigMap may refer to others.
func (c *clusterInput) complete(ctx context.Context, w *translate.Snapshot, std streams, t translate.Options) {
	seen := map[model.Ref]bool{}
	for _, o := range w.ConfigMaps {
		seen[model.Ref{Kind: model.KindConfigMap, Namespace: o.Namespace, Name: o.Name}] = true
	}
	for _, o := range w.Services {
		seen[model.Ref{Kind: model.KindService, Namespace: o.Namespace, Name: o.Name}] = true
	}
	for isComplete := false; !isComplete; {
		isComplete = true
		for ref := range translate.Build(w, nil, t).Referenced {
			if seen[ref] {
				continue
			}
			seen[ref], isComplete = true, false
			if err := c.reader.ReadObject(ctx, w, ref); err != nil {
				fmt.Fprintf(std.err, "not read: %v\n", err)
			}
		}
	}
}
