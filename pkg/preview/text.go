package preview

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// WriteText writes a line for each change.
func (r *Report) WriteText(w io.Writer) error {
	if len(r.Changes) == 0 {
		_, err := fmt.Fprintln(w, "nothing changes")
		return err
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for i := range r.Changes {
		c := &r.Changes[i]
		_, _ = fmt.Fprintf(table, "%s\t%s\t%s\n", c.Kind, printable(c.Where), printable(c.Text)) // Flush returns the error
	}
	if err := table.Flush(); err != nil {
		return err
	}
	var counts []string
	for _, kind := range order {
		if n := r.Counts[kind]; n > 0 {
			counts = append(counts, fmt.Sprintf("%s %d", kind, n))
		}
	}
	_, err := fmt.Fprintf(w, "\ntotal: %s\n", strings.Join(counts, ", "))
	return err
}

// printable replaces the control characters of a text that comes from objects.
func printable(text string) string {
	return strings.Map(func(c rune) rune {
		if c < ' ' || c == 0x7f {
			return '?'
		}
		return c
	}, text)
}
