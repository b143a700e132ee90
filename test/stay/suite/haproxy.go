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
	Weight  int // zero keeps sessions and gets no new ones
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

func (haproxy) cannot(scenario string) string { return withoutStore(scenario) }

func (haproxy) command(r *replica) []string {
	return []string{"haproxy", "-db", "-f", r.Dir + "/haproxy.cfg"}
}

// assign keeps the pods of a route in their slots, and puts new ones into free slots.
func assign(slots []slot, of *route) []slot {
	if slots == nil {
		slots = make([]slot, slotCount)
	}
	slots = slices.Clone(slots)
	wanted := wantedSlots(of)
	for i := range slots {
		at := slices.IndexFunc(wanted, func(w slot) bool { return w.Address == slots[i].Address })
		if at < 0 {
			slots[i] = slot{}
			continue
		}
		slots[i] = wanted[at]
		wanted = slices.Delete(wanted, at, at+1)
	}
	for _, w := range wanted {
		slots[slices.Index(slots, slot{})] = w
	}
	return slots
}

// wantedSlots returns the servers of a route. Those of a canary share its weight.
func wantedSlots(of *route) []slot {
	var wanted []slot
	add := func(pods []podState, weight int) {
		for _, p := range pods {
			switch p.Condition {
			case ready:
				wanted = append(wanted, slot{p.address(), weight})
			case terminating:
				wanted = append(wanted, slot{p.address(), 0})
			}
		}
	}
	if of.Canary == nil {
		add(of.Pods, 100)
		return wanted
	}
	add(of.Pods, of.Canary.Rest())
	add(of.Canary.Pods, of.Canary.Weight)
	return wanted
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
	return []string{
		fmt.Sprintf("set server %s addr %s port %s", server, host, port),
		fmt.Sprintf("set server %s weight %d", server, s.Weight),
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
