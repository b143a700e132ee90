package main

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// counts are the results of one scenario for one subject.
type counts struct {
	sessions, requests int

	movedServing  int // sessions moved though their pod still served
	movedAgain    int // sessions moved again after they had left a pod that was gone
	failed        int // requests without a response of a pod, or with status 5xx
	streamsCut    int // WebSockets closed though their pod still served
	newOnDraining int // new sessions on terminating pods
	extraCookies  int // Set-Cookie fields beyond one for each binding
	overwritten   int // cookies of one backend that another replaced
	forged        int // tokens that chose a pod and were not issued for the backend
	inherited     int // sessions on a new pod by a token for an older pod
	replayed      int // tokens that chose a pod after their idle timeout
	splitBursts   int // sessions whose parallel first requests reached several pods

	placed map[string]int // new sessions by pod
	effect time.Duration  // the longest time from a change to its effect
}

// losses are the counters of promises, with the names in the report.
func (c *counts) losses() []loss {
	return []loss{
		{"moved", c.movedServing}, {"moved again", c.movedAgain}, {"failed", c.failed}, {"cut", c.streamsCut},
		{"new on draining", c.newOnDraining}, {"extra cookies", c.extraCookies}, {"overwritten", c.overwritten},
		{"forged", c.forged}, {"inherited", c.inherited}, {"replayed", c.replayed},
		{"split bursts", c.splitBursts},
	}
}

type loss struct {
	name  string
	count int
}

// String returns the losses as in a cell of the table: "0" without losses.
func (c *counts) String() string { return lossesOf([]*counts{c}) }

// lossesOf returns the losses of several rounds, with their ranges.
func lossesOf(rounds []*counts) string {
	var parts []string
	for i, l := range rounds[0].losses() {
		least, most := l.count, l.count
		for _, c := range rounds[1:] {
			n := c.losses()[i].count
			least, most = min(least, n), max(most, n)
		}
		switch {
		case most == 0:
		case least == most:
			parts = append(parts, fmt.Sprintf("%s %d", l.name, most))
		default:
			parts = append(parts, fmt.Sprintf("%s %d to %d", l.name, least, most))
		}
	}
	if parts == nil {
		return "0"
	}
	return strings.Join(parts, ", ")
}

// lost reports whether any round had the loss with the given index.
func (c cell) lost(i int) bool {
	return slices.ContainsFunc(c.rounds, func(r *counts) bool { return r.losses()[i].count > 0 })
}

// effect returns the longest time from a change to its effect in any round, zero if nothing was changed.
func (c cell) effect() time.Duration {
	longest := time.Duration(0)
	for _, r := range c.rounds {
		longest = max(longest, r.effect)
	}
	return longest
}

// skew returns the new sessions of the fullest of n pods, divided by the mean.
func (c *counts) skew(n int) float64 {
	most, total := 0, 0
	for _, sessions := range c.placed {
		most, total = max(most, sessions), total+sessions
	}
	if total == 0 {
		return 0
	}
	return float64(most*n) / float64(total)
}
