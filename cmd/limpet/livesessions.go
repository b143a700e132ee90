package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/limpet-dev/limpet/pkg/adminclient"
	"github.com/limpet-dev/limpet/pkg/sessions"
)

// sessionsOptions are the flags of limpet sessions.
type sessionsOptions struct {
	query  sessions.Query
	format string
	reach  reachOptions
}

func newSessionsCommand(std streams) *cobra.Command {
	var o sessionsOptions
	cmd := &cobra.Command{
		Use:   "sessions [flags]",
		Short: "Print how many sessions each pod has",
		Long: `Print how many live sessions each pod has, counted by all replicas.

A session counts until it has had no request for the idle timeout of its policy, or for 30 minutes without
one. It is idle after 5 minutes. The numbers are estimates with a standard error of 1.6 %.`,
		Example: `# All pods
limpet sessions

# The pods of one Service
limpet sessions --pool shop/cart:80

# In a cluster
limpet sessions --namespace limpet-system --pod cart-7d9f`,
		Args:    noArguments,
		PreRunE: readEnvironment,
		RunE:    func(cmd *cobra.Command, _ []string) error { return runSessions(cmd, &o, std) },
	}
	f := flagSet{cmd.Flags()}
	f.StringVar(&o.query.Pool, "pool", "", "The `name` of a pool, as namespace/service:port. If empty, all.")
	f.StringVar(&o.query.Pod, "pod", "", "The `name` of a pod, as name or namespace/name. If empty, all.")
	f.StringVarP(&o.format, "output", "o", "table", "The `format` of the output: table or json.")
	o.reach.register(f, "namespace")
	return cmd
}

func runSessions(cmd *cobra.Command, o *sessionsOptions, std streams) error {
	if o.format != "table" && o.format != "json" {
		return usagef("--output is %q, but must be table or json", o.format)
	}
	client, err := o.reach.client(cmd.Context(), cmd)
	if err != nil {
		return inputError{err}
	}
	report, err := readSessions(cmd.Context(), client, o.query)
	if err != nil {
		return inputError{err}
	}
	if o.format == "json" {
		encoder := json.NewEncoder(std.out)
		encoder.SetIndent("", "  ")
		return encoder.Encode(report)
	}
	warnMissing(report, std.err)
	return writeSessions(report, std.out)
}

// readSessions returns the sessions over all replicas.
func readSessions(ctx context.Context, client *adminclient.Client, q sessions.Query) (*sessions.Report, error) {
	values := url.Values{"replicas": {"all"}}
	for name, value := range map[string]string{"pool": q.Pool, "pod": q.Pod} {
		if value != "" {
			values.Set(name, value)
		}
	}
	report := &sessions.Report{}
	return report, client.Get(ctx, "/sessions?"+values.Encode(), report)
}

// warnMissing names the replicas that are not in the numbers.
func warnMissing(report *sessions.Report, to io.Writer) {
	for _, r := range report.Missing() {
		name := ""
		if r.Name != "" || r.Address != "" {
			name = fmt.Sprintf(" what replica %s (%s) has counted:", r.Name, r.Address)
		} else {
			name = " what other replicas have counted:"
		}
		fmt.Fprintf(to, "Warning: missing is%s %s\n", name, r.Error)
	}
	if report.Truncated {
		fmt.Fprintln(to, "Warning: there are more pods. Set --pool or --pod")
	}
}

func writeSessions(report *sessions.Report, out io.Writer) error {
	if len(report.Pools) == 0 {
		_, err := fmt.Fprintln(out, "No pods found.")
		return err
	}
	w := tabwriter.NewWriter(out, 0, 0, 3, ' ', 0)
	fmt.Fprintln(w, "POOL\tPOD\tSESSIONS\tIDLE\tSHARE\tNEW/MIN\tIN FLIGHT\tSTREAMS\tSTATE")
	for i := range report.Pools {
		for _, p := range report.Pools[i].Pods {
			name, state := p.Pod, "ready"
			if name == "" {
				name = p.Address
			}
			if p.Draining {
				state = "draining"
			}
			if p.Incomplete {
				state += ", incomplete"
			}
			fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%.0f%%\t%.0f\t%d\t%d\t%s\n", report.Pools[i].Pool, name, p.Sessions, p.Idle, 100*p.Share,
				p.NewPerMinute, p.InFlight, p.Streams, state)
		}
	}
	return w.Flush()
}
