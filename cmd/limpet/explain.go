package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/limpet-dev/limpet/pkg/explain"
	"github.com/limpet-dev/limpet/pkg/manifest"
	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/publish"
)

// explainOptions are the flags of limpet explain.
type explainOptions struct {
	request explain.Request
	at      string
	format  string

	reach reachOptions // a running Limpet

	// Manifests instead of a running Limpet:
	path    string
	offline options
}

func (e *explainOptions) register(f flagSet) {
	r := &e.request
	f.StringVar(&r.URL, "url", "", "The `URL` of the request, such as https://shop.example.com/cart.")
	f.StringVar(&r.Method, "method", http.MethodGet, "The request `method`.")
	f.StringArrayVarP(&r.Headers, "header", "H", nil, "A header `field` of the request, as \"Name: value\". May be repeated.")
	f.StringArrayVar(&r.Cookies, "cookie", nil, "A `cookie` of the request, as name=value. May be repeated.")
	f.StringVar(&r.SourceIP, "source-ip", "", "The `address` from which the connection comes. If empty, 203.0.113.1.")
	f.StringVar(&r.Token, "token", "", "A `token` that Limpet issued, to print which pod it names and when it expires. - reads it"+
		" from standard input.")
	f.StringArrayVar(&r.WithoutPods, "without-pod", nil, "Explain as if the pod of this `name` were deleted. May be repeated.")
	f.StringArrayVar(&r.Scale, "scale", nil, "Explain as if this `service` had another number of endpoints, such as shop/cart=5."+
		" Added endpoints are made up. May be repeated.")
	f.StringVar(&e.at, "at", "+0s", "Explain as if this `time` had passed, such as +2h.")
	f.StringVarP(&e.format, "output", "o", "text", "The `format` of the output: text or json.")
	e.reach.register(f, "namespace")
	f.StringVarP(&e.path, "filename", "f", "", "The `path` of manifests to explain with, instead of a running Limpet.")
	e.registerOffline(f)
}

// registerOffline registers the flags for manifests. All other options have the defaults of limpet dev.
func (e *explainOptions) registerOffline(f flagSet) {
	o := &e.offline
	o.register(flagSet{pflag.NewFlagSet("", pflag.ContinueOnError)}, devDefaults)
	f.StringVar(&o.affinityKeys, "affinity-keys", "", "With -f: the `file` with the keys that protect session tokens.")
	f.Var(&o.classes, "ingress-class", "With -f: the `name` of an IngressClass to serve. May be repeated.")
	f.Var(&o.trusted, "trusted-proxies", "With -f: the comma-separated `CIDRs` of trusted proxies.")
	f.Var(&o.edge.proxyProtocol, "proxy-protocol", "With -f: the comma-separated `CIDRs` of load balancers that send a PROXY"+
		" protocol header.")
	f.Var(&o.nginx.configMap, "nginx-configmap", "With -f: the ConfigMap of ingress-nginx, as `namespace/name`.")
	f.Var(&o.nginx.unenforced, "nginx-unenforced-keys", "With -f: the `keys` of --nginx-configmap whose protection is waived.")
	f.Var(&o.nginx.defaultBackend, "default-backend-service", "With -f: the default backend, as `namespace/name`.")
}

func newExplainCommand(std streams) *cobra.Command {
	var e explainOptions
	cmd := &cobra.Command{
		Use:   "explain --url URL | --token TOKEN [flags]",
		Short: "Print what happens to a request, and why",
		Long: `Print which route matches a request, which filters run, which pod gets it, and why.

The decisions are made by the code that serves requests, but no request is sent to a pod. By default it
queries a running Limpet through its admin listener, and with a flag such as --namespace a replica in a
cluster, as kubectl port-forward does. With -f, it reads manifests instead.`,
		Example: `# Which pod gets this user, and why?
limpet explain --url https://shop.example.com/cart --cookie "limpet=$TOKEN"

# Which pod does a token name, and until when?
limpet explain --token "$TOKEN"

# In a cluster
limpet explain --namespace limpet-system --url https://shop.example.com/

# Before you apply manifests
limpet explain -f shop --url https://shop.example.com/`,
		Args:    noArguments,
		PreRunE: readEnvironment,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runExplain(cmd, &e, std)
		},
	}
	e.register(flagSet{cmd.Flags()})
	return cmd
}

func runExplain(cmd *cobra.Command, e *explainOptions, std streams) error {
	if e.request.URL == "" && e.request.Token == "" {
		return usagef("--url or --token is required")
	}
	if e.format != "text" && e.format != "json" {
		return usagef("--output is %q, but must be text or json", e.format)
	}
	e.request.After = strings.TrimPrefix(e.at, "+")
	if e.request.Token == "-" {
		text, err := io.ReadAll(io.LimitReader(os.Stdin, explain.MaxBytes))
		if err != nil {
			return fmt.Errorf("standard input: %w", err)
		}
		e.request.Token = strings.TrimSpace(string(text))
	}
	report, err := e.report(cmd)
	if err != nil {
		return inputError{err}
	}
	if e.format == "text" {
		return report.WriteText(std.out)
	}
	encoder := json.NewEncoder(std.out)
	encoder.SetIndent("", "  ")
	return encoder.Encode(report)
}

func (e *explainOptions) report(cmd *cobra.Command) (*explain.Report, error) {
	if e.path != "" {
		return e.explainManifests()
	}
	client, err := e.reach.client(cmd.Context(), cmd)
	if err != nil {
		return nil, err
	}
	report := &explain.Report{}
	return report, client.Post(cmd.Context(), "/explain", &e.request, report)
}

// explainManifests explains the request with manifests.
func (e *explainOptions) explainManifests() (*explain.Report, error) {
	found, err := manifest.Load([]string{e.path}, os.Stdin)
	if err != nil {
		return nil, err
	}
	o := e.offline
	o.access.isEnabled = false
	t := o.translation()
	t.TakeUnclassed = true
	n, err := newNode(o, t, streams{out: io.Discard, err: io.Discard})
	if err != nil {
		return nil, err
	}
	defer n.close()
	n.publisher.Publish(found.Snapshot, publish.SnapshotEndpoints(found.Snapshot), time.Now())
	return n.explainer().Explain(&e.request)
}

// explainer returns an Explainer for the current table.
func (n *node) explainer() *explain.Explainer {
	return &explain.Explainer{Engine: n.server.Engine, Pools: n.pools,
		Model: func() *model.Model {
			if last := n.publisher.Last(); last != nil {
				return last.Model
			}
			return nil
		},
		Problems: n.problemsOf, Conflicts: n.conflictsOf, Annotation: n.publisher.Annotation,
	}
}

// problemsOf returns the problems of objects.
func (n *node) problemsOf(objects []model.Ref) (problems []explain.Problem) {
	for _, r := range n.publisher.Reports(objects) {
		for _, p := range r.Problems {
			problems = append(problems, explain.Problem{Object: r.Ref.String(), Field: p.Field, Reason: p.Reason, Message: p.Message})
		}
	}
	return problems
}

// conflictsOf returns the problems of objects that lost a conflict for a host.
func (n *node) conflictsOf(host string) (conflicts []explain.Problem) {
	last := n.publisher.Last()
	if last == nil {
		return nil
	}
	for _, r := range last.Problems() {
		for _, p := range r.Problems {
			if p.IsConflictOver(host) {
				conflicts = append(conflicts, explain.Problem{Object: r.Ref.String(), Field: p.Field, Reason: p.Reason, Message: p.Message})
			}
		}
	}
	return conflicts
}
