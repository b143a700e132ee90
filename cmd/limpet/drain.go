package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/types"

	"github.com/limpet-dev/limpet/controllers"
	"github.com/limpet-dev/limpet/pkg/adminclient"
	"github.com/limpet-dev/limpet/pkg/sessions"
)

// drainOptions are the flags of limpet drain.
type drainOptions struct {
	pod     types.NamespacedName
	wait    bool
	timeout time.Duration
	undo    bool
	reach   reachOptions
}

// drainInterval is the time between two counts while limpet drain waits.
const drainInterval = 2 * time.Second

func newDrainCommand(std streams) *cobra.Command {
	var o drainOptions
	cmd := &cobra.Command{
		Use:   "drain POD [flags]",
		Short: "Drain a pod, so that it can be deleted without losing sessions",
		Long: `Drain a pod: it keeps its sessions and gets no new ones. Then print how many sessions it has.

It annotates the pod with limpet.dev/drain=true, with your own credentials, and deletes nothing. With limpet
dev there is no pod to annotate: add the annotation to the Pod in its manifest.`,
		Example: `# Drain a pod, and delete it when its sessions are gone
limpet drain cart-7d9f -n shop --wait --timeout 30m && kubectl delete pod cart-7d9f -n shop

# Let it have new sessions again
limpet drain cart-7d9f -n shop --undo`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usagef("the name of one pod is required")
			}
			return nil
		},
		PreRunE: readEnvironment,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.pod.Name = args[0]
			return runDrain(cmd, &o, std)
		},
	}
	f := flagSet{cmd.Flags()}
	f.StringVarP(&o.pod.Namespace, "namespace", "n", "", "The `namespace` of the pod. If empty, that of the context.")
	f.BoolVar(&o.wait, "wait", false, "Wait until the pod has no sessions and no active requests, or is gone.")
	f.DurationVar(&o.timeout, "timeout", 0, "With --wait: the `time` after which to fail. Zero waits without limit.")
	f.BoolVar(&o.undo, "undo", false, "Stop draining the pod.")
	o.reach.register(f, "limpet-namespace")
	return cmd
}

func runDrain(cmd *cobra.Command, o *drainOptions, std streams) error {
	if o.undo && o.wait {
		return usagef("--undo and --wait exclude each other")
	}
	if !o.wait && o.timeout != 0 {
		return usagef("--timeout requires --wait")
	}
	config, namespace, err := o.reach.cluster.configAndNamespace()
	if err != nil {
		return inputError{fmt.Errorf("%w. limpet dev has no cluster: annotate the Pod in its manifest instead", err)}
	}
	if o.pod.Namespace == "" {
		o.pod.Namespace = namespace
	}
	pods, err := controllers.NewPods(config)
	if err != nil {
		return err
	}
	ctx := cmd.Context()
	if err := pods.SetDrain(ctx, o.pod, !o.undo); err != nil {
		return err
	}
	if o.undo {
		_, err := fmt.Fprintf(std.out, "pod %s may get new sessions\n", o.pod)
		return err
	}
	client, err := o.client(ctx, cmd)
	if err != nil {
		return fmt.Errorf("pod %s drains, but its sessions cannot be counted: %w", o.pod, err)
	}
	d := drain{pod: o.pod, pods: pods, client: client, std: std}
	return d.run(ctx, o)
}

// client returns a client of the admin listener in --admin or, if that is not given, of a replica in the cluster.
func (o *drainOptions) client(ctx context.Context, cmd *cobra.Command) (*adminclient.Client, error) {
	if isGiven(cmd, "admin") {
		return o.reach.local()
	}
	all, err := o.reach.replicas(ctx)
	if err != nil {
		return nil, err
	}
	return all.clients[0], nil
}

// drain watches the sessions of a pod.
type drain struct {
	pod    types.NamespacedName
	pods   *controllers.Pods
	client *adminclient.Client
	std    streams
	last   string // what was printed last
}

func (d *drain) run(ctx context.Context, o *drainOptions) error {
	if !o.wait {
		_, err := d.count(ctx)
		return err
	}
	if o.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, o.timeout)
		defer cancel()
	}
	ticker := time.NewTicker(drainInterval)
	defer ticker.Stop()
	for {
		done, err := d.count(ctx)
		if err != nil && ctx.Err() == nil {
			d.print(d.std.err, "Warning: "+err.Error())
		}
		if done {
			return nil
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return fmt.Errorf("pod %s cannot be deleted yet: %s", d.pod, d.last)
		}
	}
}

// count prints what the pod still has, and reports whether it can be deleted.
func (d *drain) count(ctx context.Context) (done bool, err error) {
	report, err := readSessions(ctx, d.client, sessions.Query{Pod: d.pod.String()})
	if err != nil {
		return false, err
	}
	missing := report.Missing()
	if len(missing) > 0 {
		warnMissing(report, d.std.err)
	}
	left, found := report.Left(sessions.PodRef{Namespace: d.pod.Namespace, Name: d.pod.Name})
	if !found {
		return d.gone(ctx)
	}
	d.print(d.std.out, describe(&left))
	return left.Draining && report.IsEmpty(&left), nil
}

// gone decides for a pod that is in no pool: either it was deleted, or no Ingress leads to it.
func (d *drain) gone(ctx context.Context) (done bool, err error) {
	exists, err := d.pods.Exists(ctx, d.pod)
	if err != nil {
		return false, err
	}
	if exists {
		d.print(d.std.out, "the pod is in no pool: it is not ready, or no route leads to it")
		return true, nil
	}
	d.print(d.std.out, "the pod is gone")
	return true, nil
}

// print prints a line, unless it was the last one.
func (d *drain) print(to io.Writer, line string) {
	if line != d.last {
		fmt.Fprintln(to, line)
		d.last = line
	}
}

// describe returns what a pod still has: "37 sessions left, 12 of them idle for more than 5 minutes".
func describe(left *sessions.Pod) string {
	text := count(left.Sessions, "session") + " left"
	if left.Idle > 0 {
		text += fmt.Sprintf(", %d of them idle for more than 5 minutes", left.Idle)
	}
	if left.InFlight > 0 {
		text += ", " + count(left.InFlight, "active request")
	}
	if left.Streams > 0 {
		text += fmt.Sprintf(" (%s)", count(left.Streams, "stream"))
	}
	if !left.Draining {
		text += ", not draining yet"
	}
	return text
}

// count returns a number with a noun.
func count(n int64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
