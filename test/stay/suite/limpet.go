package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
)

// limpet runs limpet dev.
type limpet struct {
	path  string
	busy  bool
	store *redis // runs if the app has its own sessions
}

const limpetFile = "limpet.yaml"

func (l limpet) about() about {
	a := about{
		name: "limpet", version: firstLine(l.path, "version"), files: []string{limpetFile}, timed: true, busy: l.busy,
		notes: []string{
			"`limpet dev` with `limpet.dev/affinity: cookie`. Nothing else is configured, but in the scenarios that need it: " +
				"`idleTimeout`, a method for the cookie of the app and a Redis, and the annotations of ingress-nginx.",
			"`limpet dev` waits until its files have not changed for 50 ms, which is part of each time.",
		},
	}
	if l.busy {
		a.name = "limpet-busy"
		a.notes = []string{"As `limpet`, with 1,000 Ingresses of other hosts, and with filters on each route: allowed addresses, " +
			"a rate limit, CORS, compression and response headers. `limpet dev` reads all files for each change."}
	}
	return a
}

func (limpet) cannot(string) string { return "" }

func (l limpet) command(r *replica) []string {
	command := []string{l.path, "dev", "--manifests", r.Dir + "/manifests", "--http-addr", r.Address, "--https-addr=",
		"--admin-addr", r.Admin, "--affinity-keys", r.Dir + "/keys", "--access-log=false", "--stop-delay=0s", "--stop-timeout=2s"}
	if r.State.App {
		command = append(command, "--session-store=redis://"+redisAddress)
	}
	return command
}

// update does nothing: limpet dev notices that its files change.
func (limpet) update(*replica, *state) error { return nil }

// await also compares the pools, because a change of endpoints alone changes no table.
func (limpet) await(r *replica) error {
	if err := awaitRevision(r.Address, r.State.Revision, r.ended); err != nil {
		return err
	}
	want := map[string]string{}
	for _, route := range r.State.Routes {
		var pods []string
		for _, p := range route.Pods {
			switch p.Condition {
			case ready:
				pods = append(pods, p.name+" Ready")
			case terminating:
				pods = append(pods, p.name+" Draining")
			}
		}
		slices.Sort(pods)
		want["shop/"+route.Name+":80"] = fmt.Sprint(pods)
	}
	return await(fmt.Sprintf("pools %v", want), r.ended, func() bool {
		got := pools(r.Admin)
		maps.DeleteFunc(got, func(id, _ string) bool { return want[id] == "" })
		return maps.Equal(got, want)
	})
}

// pools returns the pods of each pool with their states, sorted.
func pools(admin string) map[string]string {
	resp, err := client.Get("http://" + admin + "/debug/table")
	if err != nil {
		return nil
	}
	defer resp.Body.Close()
	var table struct {
		Pools []struct {
			ID        string
			Endpoints []struct{ Pod, State string }
		}
	}
	if resp.StatusCode != http.StatusOK || json.NewDecoder(resp.Body).Decode(&table) != nil {
		return nil
	}
	all := map[string]string{}
	for _, p := range table.Pools {
		var pods []string
		for _, e := range p.Endpoints {
			pods = append(pods, e.Pod+" "+e.State)
		}
		slices.Sort(pods)
		all[p.ID] = fmt.Sprint(pods)
	}
	return all
}
