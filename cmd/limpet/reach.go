package main

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/limpet-dev/limpet/controllers"
	"github.com/limpet-dev/limpet/pkg/adminclient"
)

// reachOptions are the flags of commands that query a running Limpet: one admin listener by its URL, or the replicas in a
// cluster.
type reachOptions struct {
	admin     string
	tokenFile string

	cluster   kubeconfigOptions
	namespace string // of Limpet
	selector  string

	namespaceFlag string
}

// defaultNamespace is the namespace in which the documentation installs Limpet.
const defaultNamespace = "limpet-system"

// register registers the flags. namespaceFlag is the name of the flag for the namespace of Limpet.
func (r *reachOptions) register(f flagSet, namespaceFlag string) {
	r.namespaceFlag = namespaceFlag
	f.StringVar(&r.admin, "admin", "http://127.0.0.1:9090", "The `URL` of the admin listener of a running Limpet. Excludes the"+
		" flags for a cluster.")
	f.StringVar(&r.tokenFile, "admin-token-file", "", "The `file` with the bearer token for the admin listener.")
	r.cluster.register(f, "To query the Limpet of a cluster: the")
	short := ""
	if namespaceFlag == "namespace" {
		short = "n"
	}
	f.StringVarP(&r.namespace, namespaceFlag, short, defaultNamespace, "To query the Limpet of a cluster: its `namespace`.")
	f.StringVar(&r.selector, "selector", controllers.ReplicaSelector, "To query the Limpet of a cluster: the `labels` of its pods.")
}

// isCluster reports whether the command queries the replicas of a cluster. The kubectl plugin does by default.
func (r *reachOptions) isCluster(cmd *cobra.Command) (bool, error) {
	given := ""
	for _, name := range []string{"kubeconfig", "context", r.namespaceFlag, "selector"} {
		if isGiven(cmd, name) {
			given = name
		}
	}
	if !isGiven(cmd, "admin") {
		return given != "" || isPlugin(cmd), nil
	}
	if given != "" {
		return false, usagef("--admin and --%s exclude each other", given)
	}
	return false, nil
}

// isGiven reports whether a flag was set on the command line, or by the environment to another value than its default.
func isGiven(cmd *cobra.Command, name string) bool {
	f := cmd.Flags().Lookup(name)
	return f.Changed || f.Value.String() != f.DefValue
}

// isPlugin reports whether users call the program as a plugin of kubectl.
func isPlugin(cmd *cobra.Command) bool {
	return strings.HasPrefix(cmd.Root().Annotations[cobra.CommandDisplayNameAnnotation], "kubectl ")
}

// client returns a client of one replica: of a ready one, if there is one.
func (r *reachOptions) client(ctx context.Context, cmd *cobra.Command) (*adminclient.Client, error) {
	inCluster, err := r.isCluster(cmd)
	if err != nil {
		return nil, err
	}
	if !inCluster {
		return r.local()
	}
	all, err := r.replicas(ctx)
	if err != nil {
		return nil, err
	}
	return all.clients[0], nil
}

// local returns the client for --admin.
func (r *reachOptions) local() (*adminclient.Client, error) {
	u, err := url.Parse(r.admin)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("--admin is %q, but must be a URL such as http://127.0.0.1:9090", r.admin)
	}
	token, err := r.token()
	return &adminclient.Client{Name: "Limpet at " + u.Host, URL: u, Token: token}, err
}

func (r *reachOptions) token() (string, error) {
	if r.tokenFile == "" {
		return "", nil
	}
	token, err := readToken(r.tokenFile)
	if err != nil {
		return "", fmt.Errorf("--admin-token-file: %w", err)
	}
	return token, nil
}

// installation is the Limpet of a cluster.
type installation struct {
	cluster  *controllers.Replicas
	replicas []controllers.Replica
	clients  []*adminclient.Client // of replicas, in the same order
}

// replicas returns the Limpet of the cluster.
func (r *reachOptions) replicas(ctx context.Context) (*installation, error) {
	token, err := r.token()
	if err != nil {
		return nil, err
	}
	config, err := r.cluster.config()
	if err != nil {
		return nil, err
	}
	i := &installation{}
	if i.cluster, err = controllers.NewReplicas(config, r.namespace, r.selector); err != nil {
		return nil, err
	}
	if i.replicas, err = i.cluster.List(ctx); err != nil {
		return nil, err
	}
	for _, replica := range i.replicas {
		host := net.JoinHostPort("localhost", strconv.Itoa(replica.AdminPort))
		i.clients = append(i.clients, &adminclient.Client{
			Name: "pod " + replica.Pod, URL: &url.URL{Scheme: "http", Host: host}, Token: token,
			Dial: func(ctx context.Context) (net.Conn, error) { return i.cluster.Dial(ctx, replica) },
		})
	}
	return i, nil
}
