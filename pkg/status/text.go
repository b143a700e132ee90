package status

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// WriteText writes a summary for people.
func (s *Summary) WriteText(w io.Writer, now time.Time) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "REPLICA\tNODE\tREADY\tROLE\tVERSION\tTABLE\tGENERATION\tBUILT")
	for i := range s.Members {
		m := &s.Members[i]
		if m.Replica == nil {
			fmt.Fprintf(table, "%s\t%s\tunknown\t-\t-\t-\t-\t-\n", printable(m.Name), cmp.Or(m.Node, "-"))
			continue
		}
		r := m.Replica
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%d\t%s\n", printable(m.Name), cmp.Or(m.Node, "-"), yesNo(r.Ready),
			cmp.Or(r.Role, "-"), printable(r.Version), digestText(r.Digest), r.Generation, ago(now, r.BuiltAt))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(w)
	lines := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	s.writeLines(lines, now)
	return lines.Flush()
}

func (s *Summary) writeLines(w io.Writer, now time.Time) {
	responding := s.responding()
	fmt.Fprintf(w, "replicas\t%d of %d respond, %s\n", len(responding), len(s.Members), s.agreement(len(responding)))
	if len(responding) > 0 {
		r := responding[0]
		fmt.Fprintf(w, "serves\troutes: %d, pools: %d, pools without a ready pod: %d\n", r.Routes, r.Pools, r.EmptyPools)
		fmt.Fprintf(w, "problems\t%s\n", describeProblems(r.Problems))
		fmt.Fprintf(w, "certificates\t%s\n", describeCertificates(r.Certificates, now))
		fmt.Fprintf(w, "sessions\t%s\n", describeStore(r.Store))
	}
	if len(s.Attention) == 0 {
		fmt.Fprintf(w, "attention\tnone\n")
	}
	for i, text := range s.Attention {
		key := ""
		if i == 0 {
			key = "attention"
		}
		fmt.Fprintf(w, "%s\t%s\n", key, printable(text))
	}
}

func (s *Summary) agreement(responding int) string {
	switch {
	case s.Agree:
		return "and serve the same table"
	case responding < len(s.Members):
		return "so it is unknown whether all serve the same table"
	}
	return "but do not serve the same table"
}

func describeProblems(problems map[string]int) string {
	total, parts := 0, []string{}
	for _, reason := range slices.Sorted(maps.Keys(problems)) {
		if n := problems[reason]; n > 0 {
			total += n
			parts = append(parts, fmt.Sprintf("%s %d", printable(reason), n))
		}
	}
	if total == 0 {
		return "none"
	}
	return fmt.Sprintf("%d: %s", total, strings.Join(parts, ", "))
}

func describeCertificates(all []Certificate, now time.Time) string {
	if len(all) == 0 {
		return "none"
	}
	secret, left := printable(all[0].Secret), all[0].Expires.Sub(now)
	if left <= 0 {
		return "that of Secret " + secret + " has expired"
	}
	return fmt.Sprintf("the first to expire is in Secret %s, in %d days", secret, int(left/(24*time.Hour)))
}

func describeStore(s Store) string {
	switch {
	case !s.Shared:
		return "learned ones are in the memory of each replica"
	case s.Up:
		return "learned ones are in a shared store, which is available"
	}
	return "learned ones are in a shared store, which is not available"
}

func yesNo(is bool) string {
	if is {
		return "yes"
	}
	return "no"
}

// ago returns how long ago a time is.
func ago(now, at time.Time) string {
	if at.IsZero() {
		return "never"
	}
	d := now.Sub(at)
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%ds ago", max(int(d/time.Second), 0))
	case d < time.Hour:
		return fmt.Sprintf("%dm ago", int(d/time.Minute))
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh ago", int(d/time.Hour))
	}
	return fmt.Sprintf("%dd ago", int(d/(24*time.Hour)))
}

// printable replaces the control characters of a text from the network.
func printable(text string) string {
	return strings.Map(func(c rune) rune {
		if c < ' ' || c == 0x7f {
			return '?'
		}
		return c
	}, text)
}
