package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
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

	// A running Limpet:
	admin     string
	tokenFile string

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
	f.StringVar(&e.at, "at", "+0s", "Explain as if this `time` had passed, such as +2h.")
	f.StringVarP(&e.format, "output", "o", "text", "The `format` of the output: text or json.")
	f.StringVar(&e.admin, "admin", "http://127.0.0.1:9090", "The `URL` of the admin listener of a running Limpet.")
	f.StringVar(&e.tokenFile, "admin-token-file", "", "The `file` with the bearer token for the admin listener.")
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
reads the table of a running Limpet through its admin listener. With -f, it reads manifests instead.`,
		Example: `# Which pod gets this user, and why?
limpet explain --url https://shop.example.com/cart --cookie "limpet=$TOKEN"

# Which pod does a token name, and until when?
limpet explain --token "$TOKEN"

# In a cluster
kubectl port-forward --namespace limpet-system deployment/limpet 9091 &
limpet explain --admin http://localhost:9091 --url https://shop.example.com/

# Before you apply manifests
limpet explain -f shop --url https://shop.example.com/`,
		Args:    noArguments,
		PreRunE: readEnvironment,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runExplain(cmd.Context(), &e, std)
		},
	}
	e.register(flagSet{cmd.Flags()})
	return cmd
}

func runExplain(ctx context.Context, e *explainOptions, std streams) error {
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
	report, err := e.report(ctx)
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

func (e *explainOptions) report(ctx context.Context) (*explain.Report, error) {
	if e.path != "" {
		return e.explainManifests()
	}
	return e.explainRunning(ctx)
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

// explainTimeout bounds the request to the admin listener.
const explainTimeout = 30 * time.Second

// maxReport bounds the response of the admin listener in bytes.
const maxReport = 16 << 20

// explainRunning sends the request to a running Limpet.
func (e *explainOptions) explainRunning(ctx context.Context) (*explain.Report, error) {
	address, err := url.Parse(e.admin)
	if err != nil || address.Host == "" {
		return nil, fmt.Errorf("--admin is %q, but must be a URL such as http://127.0.0.1:9090", e.admin)
	}
	body, err := json.Marshal(&e.request)
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address.JoinPath("explain").String(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	if e.tokenFile != "" {
		token, err := readToken(e.tokenFile)
		if err != nil {
			return nil, fmt.Errorf("--admin-token-file: %w", err)
		}
		request.Header.Set("Authorization", "Bearer "+token)
	}
	return readReport(request)
}

func readReport(request *http.Request) (*explain.Report, error) {
	response, err := (&http.Client{Timeout: explainTimeout}).Do(request)
	if err != nil {
		return nil, fmt.Errorf("no response of Limpet: %w. Set --admin to its admin listener, or -f to explain with manifests", err)
	}
	defer func() { _ = response.Body.Close() }() // it was only read
	text, err := io.ReadAll(io.LimitReader(response.Body, maxReport))
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s responded %s: %s", request.URL, response.Status, strings.TrimSpace(string(text)))
	}
	var report explain.Report
	if err := json.Unmarshal(text, &report); err != nil {
		return nil, fmt.Errorf("%s: invalid response: %w", request.URL, err)
	}
	return &report, nil
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
		Problems: n.problemsOf, Annotation: n.publisher.Annotation,
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
