package main

import (
	"bytes"
	"os"
	"syscall"
)

// nginx has the ready pods as servers of a consistent hash, and is reloaded after each change.
type nginx struct{}

func (nginx) about() about {
	return about{
		name: "nginx", version: firstLine("nginx", "-v"), files: []string{"nginx.conf"}, timed: true,
		notes: []string{
			"The build has no `sticky` (open source since 1.29.6). The hash is consistent, so that a change moves few clients.",
			"nginx itself issues the cookie, so that the first request is hashed by the same value as all later ones.",
			"A lost connection or a refused one is retried at another pod, three times (`proxy_next_upstream`).",
			"A canary has an upstream of its own. `split_clients` draws the side of a new client, and a second cookie keeps it.",
			"Old workers may serve their connections for as long as they want (no `worker_shutdown_timeout`).",
		},
	}
}

func (nginx) cannot(scenario string) string {
	switch scenario {
	case keyRotation:
		return "it has no keys"
	case idleReplay:
		return notEnforced
	case adoption, adoptionBalanced:
		return notAdopted
	case storeLost:
		return notLearned
	case tampered, foreign:
		return "a cookie that is hashed names no pod"
	}
	return ""
}

func (nginx) command(r *replica) []string {
	return []string{"nginx", "-p", r.Dir, "-c", r.Dir + "/nginx.conf"}
}

func (nginx) update(r *replica, _ *state) error {
	r.Reloads++
	return r.process.Signal(syscall.SIGHUP)
}

// await waits for the new workers, and until the old ones accept no connections any more, which they log.
func (nginx) await(r *replica) error {
	if err := awaitRevision(r.Address, r.Writes, r.ended); err != nil {
		return err
	}
	return await("the end of the old workers", r.ended, func() bool {
		output, err := os.ReadFile(r.log())
		return err == nil && bytes.Count(output, []byte("gracefully shutting down")) >= nginxWorkers*r.Reloads
	})
}

// nginxWorkers is worker_processes.
const nginxWorkers = 2
