package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// subject is a proxy under test with the generator of its configuration.
type subject interface {
	// about describes the subject for the report.
	about() about
	// cannot returns why the subject cannot run a scenario, or "".
	cannot(scenario string) string
	// start starts one more replica. With reversed, it learns of the pods in the opposite order.
	start(s *state, reversed bool) error
	// address returns where a replica listens.
	address(replica int) string
	// apply makes all replicas apply the state, and returns when they have.
	apply(s *state) error
	// restart ends a replica gracefully, and starts it again with the state.
	restart(replica int, s *state) error
	// stop ends all replicas.
	stop()
}

// about describes a subject in the report.
type about struct {
	name, version string
	// files are the templates of its configuration, in the directory config.
	files []string
	// notes say what was configured in its favour, and what the subject does not show.
	notes []string
	// timed is set if a real program applies the changes, so that their time is worth reporting.
	timed bool
	// learns is set if the app has its own sessions in all scenarios.
	learns bool
	// slow is set if a cell takes long, so that it is run once.
	slow bool
	// podsAt is the address on which pods listen, with a port each. If it is empty, each pod has an address.
	podsAt string
	// busy is set if routes have filters, and there are 1,000 routes of other hosts, in all scenarios.
	busy bool
}

// client sends requests about the state of a proxy, each over a new connection.
var client = &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}

// awaitRevision returns when the proxy responds as the revision of the state demands.
func awaitRevision(address string, revision int, ended <-chan struct{}) error {
	return await(fmt.Sprintf("revision %d at %s", revision, address), ended, func() bool {
		r, err := http.NewRequest(http.MethodGet, fmt.Sprintf("http://%s/%d", address, revision), nil)
		if err != nil {
			return false
		}
		r.Host = revisionHost
		resp, err := client.Do(r)
		if err != nil {
			return false
		}
		resp.Body.Close()
		return resp.StatusCode != http.StatusNotFound
	})
}

// await checks a condition every millisecond, up to 20 s.
func await(what string, ended <-chan struct{}, holds func() bool) error {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	for !holds() {
		select {
		case <-ended:
			return errors.New("the proxy ended")
		case <-ctx.Done():
			return fmt.Errorf("waited 20 s in vain for %s", what)
		case <-time.After(time.Millisecond):
		}
	}
	return nil
}
