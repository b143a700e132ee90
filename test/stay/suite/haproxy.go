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
	Drains  bool
}

func (haproxy) about() about {
	return about{
		name: "haproxy", version: firstLine("haproxy", "-v"), files: []string{"haproxy.cfg"}, timed: true,
		notes: []string{
			"`cookie insert indirect nocache dynamic` with `dynamic-cookie-key`: all replicas know a pod by one value.",
			"Pods are changed by the runtime API, as ingress controllers for HAProxy do, so that a pod causes no reload.",
			"A terminating pod gets weight 0 and keeps its sessions. Only haproxy-ingress offers that (`drain-support`), and off " +
				"by default. A pod that is not ready leaves.",
			"`option redispatch 1` and `retry-on conn-failure empty-response` are more than the defaults of the controllers.",
			"Old processes may serve their connections for as long as they want (no `hard-stop-after`).",
		},
	}
}

func (haproxy) cannot(string) string { return "" }

func (haproxy) command(r *replica) []string {
	return []string{"haproxy", "-db", "-f", r.Dir + "/haproxy.cfg"}
}

// assign keeps the pods in their slots, and puts new ones into free slots.
func assign(slots []slot, pods []podState) []slot {
	if slots == nil {
		slots = make([]slot, slotCount)
	}
	slots = slices.Clone(slots)
	wanted := map[string]podState{}
	for _, p := range pods {
		if p.Condition != notReady {
			wanted[p.address()] = p
		}
	}
	for i := range slots {
		p, found := wanted[slots[i].Address]
		delete(wanted, slots[i].Address)
		slots[i].Drains = found && p.Condition == terminating
		if !found {
			slots[i] = slot{}
		}
	}
	for _, p := range pods {
		if _, found := wanted[p.address()]; found {
			free := slices.Index(slots, slot{})
			slots[free] = slot{p.address(), p.Condition == terminating}
		}
	}
	return slots
}

func (h haproxy) update(r *replica, old *state) error {
	if old.Revision != r.State.Revision {
		before := r.process
		r.older = append(r.older, before)
		return r.launch(append(h.command(r), "-x", r.Dir+"/admin.sock", "-sf", fmt.Sprint(before.Pid)))
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
	weight := 100
	if s.Drains {
		weight = 0
	}
	return []string{
		fmt.Sprintf("set server %s addr %s port %s", server, host, port),
		fmt.Sprintf("set server %s weight %d", server, weight),
		"set server " + server + " state ready",
	}
}

// send sends commands to the socket of the process. Each of them takes effect before the next.
func (r *replica) send(commands []string) error {
	conn, err := net.DialTimeout("unix", r.Dir+"/admin.sock", time.Second)
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, strings.Join(commands, ";")+"\n"); err != nil {
		return err
	}
	output, err := io.ReadAll(conn)
	for line := range strings.Lines(string(output)) {
		line = strings.TrimSpace(line)
		if line != "" && !strings.Contains(line, "changed") && !strings.Contains(line, "no need to change") {
			return fmt.Errorf("haproxy: %s", line)
		}
	}
	return err
}

func (haproxy) await(r *replica) error { return awaitRevision(r.Address, r.State.Revision, r.ended) }
