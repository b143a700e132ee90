package main

import "slices"

// mechanism is the reason for a loss of a subject. It is printed only where the run counted the loss.
type mechanism struct {
	subjects  []string
	loss      string
	scenarios []string // empty for all others
	why       string
}

var (
	tokensNamePods = []string{"haproxy", "caddy", "ingress-nginx"}
	hashing        = []string{"nginx", "ingress-nginx-balanced"}
	scaling        = []string{"scale-1-2", "scale-3-6"}
)

var mechanisms = []mechanism{
	{hashing, "moved", scaling,
		"A consistent hash places some of the clients of every pod on a new pod. No setting of this hash avoids that."},
	{hashing, "moved", nil,
		"A pod that terminates is not ready, so it leaves the hash while it still serves, and a new pod takes clients of every " +
			"other. A pod marked `down` leaves the hash as well."},
	{hashing, "moved again", nil,
		"The hash alone places clients, so those of a pod that left move back when it returns, or on to the next new pod."},
	{hashing, "inherited", nil, "The hash is over addresses, so a pod inherits the clients of its address."},
	{[]string{"haproxy", "caddy"}, "moved", []string{keyRotation},
		"There is one key at a time, so all tokens are void when it changes."},
	{[]string{"nginx"}, "extra cookies", []string{canarySplit, webSockets},
		"The hash does not know the side of a client, so a second cookie names it, which earlier clients get as well."},
	{[]string{"haproxy-table"}, "moved", []string{proxyRestart},
		"The table is in memory. The only replica begins with an empty one."},
	{[]string{"haproxy-table"}, "moved", nil,
		"After a reload, the new process has an empty table until the old one has sent its own, some milliseconds later. Sessions " +
			"with a request in that time are placed again. The suite sends thousands of requests per second, so more sessions have one " +
			"than with less traffic."},
	{tokensNamePods, "moved", nil,
		"A pod that terminates is not ready, so it is removed while it still serves. We found no setting by which an upstream gets " +
			"only the requests whose token names it."},
	{tokensNamePods, "inherited", nil,
		"The token is a hash of the address, so it names any later pod there. That pod gets the requests of sessions that it does " +
			"not know."},
	{[]string{"limpet", "limpet-busy", "limpet-in-cluster"}, "split bursts", nil,
		"Requests without a token are placed one by one. `newSession.pick: Hash` places them by the address of the client."},
	{[]string{"nginx", "haproxy", "haproxy-table", "caddy", "ingress-nginx", "ingress-nginx-balanced"}, "split bursts", nil,
		"Requests without a cookie are placed one by one. Placing them by client address would put all clients of one NAT on one pod."},
	{[]string{"caddy"}, "failed", nil,
		"Connections of clients were reset during a reload. A likely reason is that it opens a second listener (SO_REUSEPORT) and " +
			"closes the first one with the connections in its queue. Not every run shows it."},
	{[]string{"caddy"}, "extra cookies", nil,
		"Each attempt that chooses a pod adds a Set-Cookie field, so the response to a retried request has several."},
	{[]string{"nginx"}, "new on draining", nil,
		"An old worker accepted a connection after the reload."},
}

// Reasons for which a proxy has no result for a scenario.
const (
	notAdopted  = "it does not read the cookies of ingress-nginx"
	notLearned  = "it does not learn the sessions of an app"
	notEnforced = "it does not enforce a lifetime of cookies"
)

// whyLost returns the mechanism of a loss, the one for the scenario first.
func whyLost(subject, scenario, loss string) string {
	for _, specific := range []bool{true, false} {
		for _, m := range mechanisms {
			listed := slices.Contains(m.scenarios, scenario)
			if slices.Contains(m.subjects, subject) && m.loss == loss && listed == specific && (listed || m.scenarios == nil) {
				return m.why
			}
		}
	}
	return "Not explained yet. `make stay SCENARIO=" + scenario + " SUBJECT=" + subject + " STAY_FLAGS=-v` prints the first events."
}
