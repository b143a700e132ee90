package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
)

// caddy has the ready pods as upstreams, and loads each change by its admin API.
type caddy struct{ path string }

func (c caddy) about() about {
	return about{
		name: "caddy", version: firstLine(c.path, "version"), files: []string{"Caddyfile"}, timed: true,
		notes: []string{
			"`lb_policy cookie` with a secret, and a name for each backend.",
			"`fail_duration` and `lb_retries` replace a pod that refuses connections, which is not the default. With `lb_try_duration`, " +
				"a reload ended requests that waited for their next attempt with 502, so it is not used.",
			"The pods of a canary are upstreams of the same route, with weights (`fallback weighted_round_robin`).",
			"`stream_close_delay` keeps WebSockets over reloads, which is not the default.",
		},
	}
}

func (caddy) cannot(scenario string) string {
	switch scenario {
	case idleReplay:
		return notEnforced
	case adoption, adoptionBalanced:
		return notAdopted
	case storeLost:
		return notLearned
	}
	return ""
}

func (c caddy) command(r *replica) []string {
	return []string{c.path, "run", "--config", r.Dir + "/Caddyfile"}
}

func (caddy) update(r *replica, _ *state) error {
	text, err := os.ReadFile(r.Dir + "/Caddyfile")
	if err != nil {
		return err
	}
	resp, err := client.Post("http://"+r.Admin+"/load", "text/caddyfile", bytes.NewReader(text))
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		problem, _ := io.ReadAll(io.LimitReader(resp.Body, 1000))
		return fmt.Errorf("caddy: %s", problem)
	}
	return nil
}

func (caddy) await(r *replica) error { return awaitRevision(r.Address, r.State.Revision, r.ended) }
