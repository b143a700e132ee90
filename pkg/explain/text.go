package explain

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
)

// WriteText writes a report for people: one line for each decision.
func (r *Report) WriteText(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	t := lines{table}
	if r.Token != nil {
		t.token(r.Token)
	}
	if r.Client != "" {
		t.request(r)
	}
	return table.Flush()
}

// lines writes lines of a key and a text, aligned. Values come from manifests and from the user, so control characters are
// escaped.
type lines struct{ w io.Writer }

func (t lines) add(key, format string, args ...any) {
	text := strings.Map(printable, fmt.Sprintf(format, args...))
	_, _ = fmt.Fprintf(t.w, "%s\t%s\n", key, text) // Flush of the table returns the error
}

// printable replaces control characters by a question mark.
func printable(c rune) rune {
	if c < ' ' || c == 0x7f {
		return '?'
	}
	return c
}

func (t lines) request(r *Report) {
	t.add("client", "%s", r.Client)
	t.add("match", "host %q, path %q (table %d)", r.Host, r.Path, r.Generation)
	switch {
	case r.Passthrough:
		t.add("tls", "passed through to the pod: no route and no filter applies")
	case r.Route != nil:
		t.add("route", "host %q, path %q, %s, from %s", r.Route.Host, r.Route.Path, r.Route.PathType, r.Route.Source)
	case r.NoRoute != nil:
		t.add("route", "none: %s", r.NoRoute.Reason)
		t.add("nearest", "%s", strings.Join(r.NoRoute.Nearest, ", "))
	}
	if r.Route != nil && r.Route.Closed != "" {
		t.add("closed", "%s", r.Route.Closed)
	}
	for _, p := range r.Conflicts {
		t.add("conflict", "%s", strings.Join(nonEmpty(p.Object, p.Field, p.Reason, p.Message), ": "))
	}
	for _, f := range r.Filters {
		t.add("filter", "%s%s", f.Name, verdictOf(f))
		for _, d := range f.Decisions {
			t.add("", "%s", strings.Join(nonEmpty(strings.Join(nonEmpty(d.Annotation, "of "+d.Object), " "), d.Text), ": "))
		}
	}
	t.backend(r)
	if r.Response != nil {
		t.add("response", "%d %s", r.Response.Status, strings.TrimSpace(r.Response.Text))
		if r.Response.Location != "" {
			t.add("location", "%s", r.Response.Location)
		}
	}
	for _, p := range r.Problems {
		t.add("problem", "%s: %s: %s: %s", p.Object, p.Field, p.Reason, p.Message)
	}
}

func verdictOf(f FilterReport) string {
	if f.Status != 0 {
		return fmt.Sprintf(": responds %d", f.Status)
	}
	return ": continues"
}

func (t lines) backend(r *Report) {
	b := r.Backend
	if b == nil {
		return
	}
	t.add("backend", "%s, %d of %d endpoints ready, chosen: %s", b.Pool, b.Ready, b.Total, b.Split)
	if b.Affinity == "" {
		t.add("affinity", "none")
	} else {
		t.add("affinity", "%s", b.Affinity)
	}
	for _, m := range r.Methods {
		t.add("method", "%s", strings.Join(nonEmpty(m.Source, m.Binding, m.Name+":", m.Result, m.Pod), " "))
	}
	t.add("outcome", "%s", strings.Join(nonEmpty(r.Outcome, r.Reason), ", "))
	if r.Wait != "" {
		t.add("wait", "up to %s for the pod of the session", r.Wait)
	}
	if r.HandoffFrom != nil {
		t.add("handoff from", "%s", describePod(*r.HandoffFrom))
	}
	if r.Pod != nil {
		t.add("pod", "%s", describePod(*r.Pod))
		t.add("target", "%s", r.Forward)
	}
}

func describePod(p PodReport) string {
	return strings.Join(nonEmpty(p.Pod, p.Address, p.State, p.Zone), ", ")
}

func nonEmpty(words ...string) (out []string) {
	for _, word := range words {
		if word != "" {
			out = append(out, word)
		}
	}
	return out
}

func (t lines) token(r *TokenReport) {
	if !r.Valid {
		t.add("token", "invalid: no key of Limpet sealed it, or it was changed")
		return
	}
	t.add("token", "session started %s, renewed %s", r.Started.Format(time.RFC3339), r.Renewed.Format(time.RFC3339))
	if len(r.Backends) == 0 {
		t.add("backend", "none: no route has the scope of the token")
	}
	for _, b := range r.Backends {
		t.add("backend", "%s, affinity of %s, %s", b.Pool, b.Affinity, expiryOf(b))
	}
	for _, p := range r.Pods {
		t.add("pod", "%s of %s", describePod(p.PodReport), p.Pool)
	}
	if len(r.Backends) > 0 && len(r.Pods) == 0 {
		t.add("pod", "gone")
	}
}

func expiryOf(b TokenBackend) string {
	switch {
	case b.Expires.IsZero():
		return "does not expire"
	case b.Expired:
		return "expired " + b.Expires.Format(time.RFC3339)
	}
	return "expires " + b.Expires.Format(time.RFC3339)
}
