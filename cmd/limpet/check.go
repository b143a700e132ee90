package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/limpet-dev/limpet/pkg/manifest"
	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/translate"
)

// checkOptions are the flags of limpet check.
type checkOptions struct {
	paths         []string
	format        string
	html          string // file of the report as a page; empty writes none
	assumeSecrets bool
	classes       list
	tenants       tenantOptions
	nginx         nginxOptions
	trusted       prefixes
	proxyProtocol prefixes
	cluster       clusterInput
}

func newCheckCommand(std streams) *cobra.Command {
	o := checkOptions{classes: list{values: []string{translate.DefaultClass}}}
	cmd := &cobra.Command{
		Use:   "check [-f FILE|DIR] [--cluster] [flags]",
		Short: "Check that Limpet can serve manifests as they are written",
		Long: `Print the routes of manifests with the affinity of each backend, and check that Limpet serves them as they are written.

Routes are printed to standard output. Problems are printed to standard error, as are the objects that Limpet does not
read, such as Deployments. So are Ingresses of a class that Limpet does not serve: they are problems only if Limpet serves
none of the Ingresses.

With --cluster and -f, it prints what changes in the cluster if you apply the manifests: routes that stop or go
elsewhere, sessions that start again, protection that changes, and new problems. Nothing is applied.

The exit status is 0 if there are no problems, 1 if there are or if something stops, and 2 if a file cannot be
read.`,
		Example: `limpet check -f shop

# What a chart renders
helm template shop | limpet check -f -

# The objects of a cluster before you switch. Secrets are not read, so their content is not checked
limpet check --cluster --ingress-class nginx --nginx-configmap ingress-nginx/ingress-nginx-controller -o report

# What stops working if I apply this file?
limpet check --cluster -f shop.yaml

# The objects of a cluster from a file
kubectl get -A -o yaml ingresses,ingressclasses,services,endpointslices,affinitypolicies > all.yaml
limpet check -f all.yaml --ingress-class nginx --assume-secrets`,
		Args:    noArguments,
		PreRunE: readEnvironment,
		RunE: func(cmd *cobra.Command, _ []string) error {
			for _, v := range unknownVariables(cmd.Root(), os.Environ()) {
				fmt.Fprintf(std.err, "limpet: warning: %v\n", v)
			}
			if o.isPreview() && !isGiven(cmd, "output") {
				o.format = formatTable
			}
			return runCheck(cmd.Context(), &o, cmd.InOrStdin(), std)
		},
	}
	f := flagSet{cmd.Flags()}
	f.StringArrayVarP(&o.paths, "filename", "f", nil,
		"The `path` of a file or folder with manifests, or - for standard input. May be repeated.")
	o.cluster.register(f)
	f.StringVarP(&o.format, "output", "o", formatYAML, "The `format`: table, yaml or json print the routes, report and"+
		" report-json how each Ingress is handled.")
	f.StringVar(&o.html, "html", "", "The `file` to which to write the report on all Ingresses as a page.")
	f.Var(&o.classes, "ingress-class", "The `name` of an IngressClass to serve. May be repeated.")
	f.BoolVar(&o.assumeSecrets, "assume-secrets", false,
		"Whether to assume that Secrets which the manifests do not contain exist and are valid.")
	o.tenants.register(f)
	o.nginx.register(f)
	f.Var(&o.trusted, "trusted-proxies", "The comma-separated `CIDRs` of trusted proxies, as for run.")
	f.Var(&o.proxyProtocol, "proxy-protocol", "The comma-separated `CIDRs` of load balancers that send a PROXY protocol header, as"+
		" for run.")
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(formats, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// runCheck prints the routes and problems of manifests. It returns an error if there are problems.
func runCheck(ctx context.Context, o *checkOptions, stdin io.Reader, std streams) error {
	if err := o.cluster.validate(len(o.paths) > 0); err != nil {
		return err
	}
	if err := o.nginx.validate(); err != nil {
		return err
	}
	run := func() error { return o.preview(ctx, stdin, std) }
	if !o.isPreview() {
		write, err := routeWriter(o.format)
		if err != nil {
			return err
		}
		run = func() error { return check(ctx, o, stdin, std, write) }
	}
	var err error
	whileLoading(func() { err = run() })
	return err
}

// check is runCheck with a function that writes the routes.
func check(
	ctx context.Context, o *checkOptions, stdin io.Reader, std streams, write func(io.Writer, *model.Model) error,
) error {
	t := o.translation()
	w, err := o.read(ctx, stdin, std, t)
	if err != nil {
		return inputError{err}
	}
	result := translate.Build(w, nil, t)
	if err := write(std.out, result.Model); err != nil {
		return err
	}
	report := newCheckReport(w, t, result.Reports, o.assumeSecrets)
	if err := o.writeReport(report, std.out); err != nil {
		return err
	}
	if o.isReport() {
		return countProblems(result.Reports, o.assumeSecrets)
	}
	return reportProblems(result.Reports, o.assumeSecrets, std)
}

// read returns the objects to check.
func (o *checkOptions) read(ctx context.Context, stdin io.Reader, std streams, t translate.Options) (*translate.Snapshot, error) {
	if o.cluster.isOn {
		o.assumeSecrets = true
		return o.cluster.read(ctx, std, t)
	}
	found, err := manifest.Load(o.paths, stdin)
	if err != nil {
		return nil, err
	}
	for _, s := range found.Skipped {
		fmt.Fprintln(std.err, s)
	}
	return found.Snapshot, nil
}

// translation returns the options for translating the objects.
func (o *checkOptions) translation() translate.Options {
	t := translate.Options{
		Classes: o.classes.values, TakeUnclassed: true, ReportUnserved: true,
		TrustsProxies: len(o.trusted) > 0, ReadsProxyProtocol: len(o.proxyProtocol) > 0,
	}
	o.tenants.apply(&t)
	o.nginx.apply(&t)
	return t
}

// isReport reports whether the output describes Ingresses instead of routes.
func (o *checkOptions) isReport() bool {
	return o.format == formatReport || o.format == formatReportJSON
}

// writeReport writes the report in the formats that the flags select.
func (o *checkOptions) writeReport(c *checkReport, out io.Writer) error {
	if o.html != "" {
		if err := c.writePage(o.html); err != nil {
			return fmt.Errorf("--html: %w", err)
		}
	}
	switch o.format {
	case formatReport:
		return c.writeText(out)
	case formatReportJSON:
		return c.writeJSON(out)
	}
	return nil
}

// countProblems returns an error if there are problems, without printing them.
func countProblems(reports []translate.Report, assumeSecrets bool) error {
	return reportProblems(reports, assumeSecrets, streams{io.Discard, io.Discard})
}

// reportProblems prints all problems. It returns an error if there are any. Those of Ingresses of other classes count only if no
// Ingress is served: the flags are wrong then.
func reportProblems(reports []translate.Report, assumeSecrets bool, std streams) error {
	problems, assumed, served, unserved := 0, 0, 0, 0
	for i := range reports {
		r := &reports[i]
		counted := &problems
		switch {
		case isUnserved(r):
			counted = &unserved
		case r.Ref.Kind == model.KindIngress:
			served++
		}
		for _, p := range r.Problems {
			if assumeSecrets && isMissingSecret(&p) {
				assumed++
				continue
			}
			*counted++
			fmt.Fprintf(std.err, "%s: %s%s: %s\n", r.Ref, fieldPrefix(p.Field), p.Reason, p.Message)
		}
	}
	if assumed > 0 {
		fmt.Fprintf(std.err, "not checked: %d references to Secrets that were not read\n", assumed)
	}
	if served == 0 {
		problems += unserved
	}
	return problemsFound(problems)
}

// problemsFound returns an error unless n is zero.
func problemsFound(n int) error {
	switch n {
	case 0:
		return nil
	case 1:
		return errors.New("1 problem found")
	}
	return fmt.Errorf("%d problems found", n)
}

// isMissingSecret reports whether a problem is that the manifests do not contain a Secret. A reference without a name is
// another problem.
func isMissingSecret(p *translate.Problem) bool {
	return p.Reason == translate.ReasonSecretNotFound && strings.Contains(p.Message, "does not exist")
}

// fieldPrefix returns a field with a colon, or "" for a problem of the whole object.
func fieldPrefix(field string) string {
	if field == "" {
		return ""
	}
	return field + ": "
}
