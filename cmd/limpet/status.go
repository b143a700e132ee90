package main

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/limpet-dev/limpet/pkg/adminclient"
	"github.com/limpet-dev/limpet/pkg/status"
)

// statusOptions are the flags of limpet status.
type statusOptions struct {
	reach  reachOptions
	format string
}

func newStatusCommand(std streams) *cobra.Command {
	var o statusOptions
	cmd := &cobra.Command{
		Use:   "status [flags]",
		Short: "Print whether an installation is healthy and its replicas agree",
		Long: `Query the state of all replicas of an installation, and compare them.

The exit status is 0 if nothing needs attention, 1 if something does, and 2 if the replicas cannot be found.
Problems of objects do not count: limpet check and Events show them to their authors.`,
		Example: `# A local limpet dev
limpet status

# All replicas in a cluster
limpet status --namespace limpet-system

# Did all replicas take the change?
limpet status --namespace limpet-system -o json | jq .agree`,
		Args:    noArguments,
		PreRunE: readEnvironment,
		RunE:    func(cmd *cobra.Command, _ []string) error { return runStatus(cmd, &o, std) },
	}
	f := flagSet{cmd.Flags()}
	o.reach.register(f, "namespace")
	f.StringVarP(&o.format, "output", "o", "text", "The `format` of the output: text or json.")
	return cmd
}

func runStatus(cmd *cobra.Command, o *statusOptions, std streams) error {
	if o.format != "text" && o.format != "json" {
		return usagef("--output is %q, but must be text or json", o.format)
	}
	members, err := o.members(cmd)
	if err != nil {
		return inputError{err}
	}
	now := time.Now()
	summary := status.Summarize(members, now)
	if o.format == "text" {
		err = summary.WriteText(std.out, now)
	} else {
		encoder := json.NewEncoder(std.out)
		encoder.SetIndent("", "  ")
		err = encoder.Encode(summary)
	}
	if err == nil && len(summary.Attention) > 0 {
		err = errors.New("the installation needs attention")
	}
	return err
}

// settle is the time that replicas may need to take a change. If they disagree, they are queried again after it.
const settle = time.Second

// members queries the state of the replicas.
func (o *statusOptions) members(cmd *cobra.Command) ([]status.Member, error) {
	ctx := cmd.Context()
	inCluster, err := o.reach.isCluster(cmd)
	if err != nil {
		return nil, err
	}
	if !inCluster {
		client, err := o.reach.local()
		if err != nil {
			return nil, err
		}
		members := []status.Member{{Name: client.URL.Host}}
		askStatus(ctx, []*adminclient.Client{client}, members)
		return members, nil
	}
	all, err := o.reach.replicas(ctx)
	if err != nil {
		return nil, err
	}
	members := make([]status.Member, len(all.replicas))
	for i, replica := range all.replicas {
		members[i].Name, members[i].Node = replica.Pod, replica.Node
	}
	askStatus(ctx, all.clients, members)
	if !status.Summarize(members, time.Now()).Agree {
		select {
		case <-time.After(settle):
			askStatus(ctx, all.clients, members)
		case <-ctx.Done():
		}
	}
	return members, nil
}

// askStatus sets the Replica or the Error of each member, concurrently.
func askStatus(ctx context.Context, clients []*adminclient.Client, members []status.Member) {
	var all sync.WaitGroup
	for i, client := range clients {
		all.Go(func() {
			m := &members[i]
			m.Replica, m.Error = &status.Replica{}, ""
			if err := client.Get(ctx, "/status", m.Replica); err != nil {
				m.Replica, m.Error = nil, err.Error()
			}
		})
	}
	all.Wait()
}

// status describes this replica.
func (n *node) status() *status.Replica {
	r := &status.Replica{Version: buildVersion(), Ready: n.ready(), Problems: map[string]int{},
		Store: status.Store{Shared: n.options.sessions.url != "memory", Up: n.storeUp.Load()}}
	if n.elects {
		r.Role = status.RoleFollower
		if n.leading.Load() {
			r.Role = status.RoleLeader
		}
	}
	current, last := n.tables.Current(), n.publisher.Last()
	if current == nil || last == nil {
		return r
	}
	r.Generation, r.Digest, r.BuiltAt = current.Generation, current.Digest(), current.BuiltAt.UTC()
	r.Describe(last.Model, n.pools)
	for i := range last.Reports {
		for _, p := range last.Reports[i].Problems {
			r.Problems[p.Reason]++
		}
	}
	return r
}
