package main

import (
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"time"
)

// haproxy has slots for servers, which it changes by the runtime API. It is replaced by a new process only for other changes.
type haproxy struct{}

const slotCount = 16

// slot is one server of a backend. It has no pod if Address is empty.
type slot struct {
	Address string
	Weight  int
}

func (haproxy) about() about {
	return about{
		name: "haproxy", version: firstLine("haproxy", "-v"), files: []string{"haproxy.cfg"}, timed: true,
		notes: []string{
			"`cookie insert indirect nocache dynamic` with `dynamic-cookie-key`: all replicas know a pod by one value.",
			"Pods are changed by the runtime API, as ingress controllers for HAProxy do, so that a pod causes no reload.",
			"A terminating pod gets weight 0 and keeps its sessions. Only haproxy-ingress offers that (`drain-support`), and off " +
				"by default. A pod that is not ready leaves.",
			"The pods of a canary are servers of the same backend, with weights, so that their sessions are as sticky as all others.",
			"`option redispatch 1` and `retry-on conn-failure empty-response` are more than the defaults of the controllers.",
			"Old processes may serve their connections for as long as they want (no `hard-stop-after`).",
		},
	}
}

func (haproxy) cannot(scenario string) string {
	switch scenario {
	case adoption, adoptionBalanced:
		return notAdopted
	case storeLost:
		return "its tokens need no store; see haproxy-table"
	}
	return ""
}

func (haproxy) command(r *replica) []string {
	return []string{"haproxy", "-db", "-f", r.Dir + "/haproxy.cfg"}
}

// assign keeps the pods in their slots, and puts new ones into free slots. The pods of a canary are servers of the same backend,
// with weights by its part.
func assign(slots []slot, of *route) []slot {
	if slots == nil {
		slots = make([]slot, slotCount)
	}
	slots = slices.Clone(slots)
	wanted := weighted(of)
	for i := range slots {
		weight, found := wanted[slots[i].Address]
		delete(wanted, slots[i].Address)
		slots[i].Weight = weight
		if !found {
			slots[i] = slot{}
		}
	}
	for _, p := range slices.Concat(of.Pods, of.Canary) {
		if weight, found := wanted[p.address()]; found {
			slots[slices.Index(slots, slot{})] = slot{p.address(), weight}
		}
	}
	return slots
}

// weighted returns the weight of each address. It is zero for a pod that terminates. A pod that is not ready is left out.
func weighted(of *route) map[string]int {
	all := map[string]int{}
	for _, p := range slices.Concat(of.Pods, of.Canary) {
		switch p.Condition {
		case ready:
			all[p.address()] = 100
		case terminating:
			all[p.address()] = 0
		}
	}
	if of.Canary != nil {
		weights := of.Weights()
		for i, address := range slices.Concat(of.Ready(), of.ReadyCanary()) {
			all[address] = weights[i] * 256 / (100 * len(weights))
		}
	}
	return all
}

func (h haproxy) update(r *replica, old *state) error {
	return r.updateHAProxy(h.command(r), old)
}

// updateHAProxy changes servers in the running process, and starts a new one for any other change.
func (r *replica) updateHAProxy(command []string, old *state) error {
	if old.Revision != r.State.Revision {
		before := r.process
		r.older = append(r.older, before)
		return r.launch(append(command, "-x", r.Dir+"/admin.sock", "-sf", fmt.Sprint(before.Pid)))
	}
	var commands []string
	for _, route := range r.State.Routes {
		for i, s := range r.Slots[route.Name] {
			commands = append(commands, s.commands(fmt.Sprintf("%s/srv%d", route.Name, i))...)
		}
	}
	return r.send(commands)
}

// commands returns the commands of the runtime API that make a server as s demands.
func (s slot) commands(server string) []string {
	if s.Address == "" {
		return []string{"set server " + server + " state maint"}
	}
	host, port, _ := net.SplitHostPort(s.Address)
	return []string{
		fmt.Sprintf("set server %s addr %s port %s", server, host, port),
		fmt.Sprintf("set server %s weight %d", server, s.Weight),
		"set server " + server + " state ready",
	}
}

// send sends commands to the socket of the process. Each of them takes effect before the next.
func (r *replica) send(commands []string) error {
	output, err := r.query(strings.Join(commands, ";"))
	for line := range strings.Lines(output) {
		line = strings.TrimSpace(line)
		if line != "" && !strings.Contains(line, "changed") && !strings.Contains(line, "no need to change") {
			return fmt.Errorf("haproxy: %s", line)
		}
	}
	return err
}

// query sends a line of commands to the socket of the process, and returns its output.
func (r *replica) query(line string) (string, error) {
	conn, err := net.DialTimeout("unix", r.Dir+"/admin.sock", time.Second)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, line+"\n"); err != nil {
		return "", err
	}
	output, err := io.ReadAll(conn)
	return string(output), err
}

func (haproxy) await(r *replica) error { return awaitRevision(r.Address, r.State.Revision, r.ended) }
