package main

import (
	"bufio"
	_ "embed"
	"fmt"
	"html"
	"os"
)

// checkPageHead is everything before the title of the page.
//
//go:embed checkpage.html
var checkPageHead string

// writePage writes the report to a file, as a page that needs no other file.
func (c *checkReport) writePage(file string) error {
	out, err := os.Create(file)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(out)
	c.writeHTML(w)
	if err := w.Flush(); err != nil {
		out.Close()
		return err
	}
	return out.Close()
}

// writeHTML writes the page. Errors of w are those of its Flush.
//
// It uses no template, for the reason that printUsage states: with html/template the binary had 70 MB instead of 46 MB. All
// text passes through html.EscapeString, and no text becomes part of an attribute, a script or a style.
func (c *checkReport) writeHTML(w *bufio.Writer) {
	fmt.Fprint(w, checkPageHead)
	fmt.Fprintf(w, "<h1>%s</h1>\n", html.EscapeString(c.summary()))
	for i := range c.Reports {
		if r := &c.Reports[i]; len(r.Notes)+len(r.Problems) > 0 {
			r.writeHTML(w)
		}
	}
	fmt.Fprint(w, "</body>\n</html>\n")
}

func (r *ingressReport) writeHTML(w *bufio.Writer) {
	class := ""
	if r.Result == resultClosed {
		class = ` class="closed"`
	}
	fmt.Fprintf(w, "<h2%s>%s: %s</h2>\n<ul>\n", class, html.EscapeString(r.Ingress), html.EscapeString(r.Result))
	for i := range r.Notes {
		n := &r.Notes[i]
		fmt.Fprintf(w, "<li><code>%s</code>: %s</li>\n", html.EscapeString(n.Annotation), html.EscapeString(noteText(n)))
	}
	for i := range r.Problems {
		p := &r.Problems[i]
		fmt.Fprintf(w, "<li>%s: %s</li>\n", html.EscapeString(p.Reason), html.EscapeString(p.Message))
	}
	fmt.Fprint(w, "</ul>\n")
}
