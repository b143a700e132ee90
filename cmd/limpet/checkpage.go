package main

import (
	"bufio"
	_ "embed"
	"fmt"
	"html"
	"os"
	"strings"

	"github.com/limpet-dev/limpet/pkg/translate"
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

// writeHTML writes the page. Flush of w returns the errors.
//
// It uses no template, for the reason that printUsage states: with html/template the binary had 70 MB instead of 46 MB. All
// text passes through html.EscapeString, and no text becomes part of an attribute, a script or a style.
func (c *checkReport) writeHTML(w *bufio.Writer) {
	fmt.Fprint(w, checkPageHead)
	fmt.Fprintf(w, "<h1>%s</h1>\n", html.EscapeString(c.summary()))
	if len(c.Implicit) > 0 {
		fmt.Fprintf(w, "<p>%s <code>%s</code></p>\n", implicitIntro, html.EscapeString(c.implicitText()))
	}
	if config := c.Config; config != nil {
		writeFindings(w, "", "ConfigMap "+config.ConfigMap, config.Notes, config.Problems)
	}
	for i := range c.Reports {
		r, class := &c.Reports[i], ""
		if r.Result == resultClosed {
			class = ` class="closed"`
		}
		writeFindings(w, class, r.Ingress+": "+r.Result, r.Notes, r.Problems)
	}
	c.writeUnserved(w)
	fmt.Fprint(w, "</body>\n</html>\n")
}

// writeUnserved writes a section about Ingresses of other classes, if there are any.
func (c *checkReport) writeUnserved(w *bufio.Writer) {
	if len(c.Unserved) == 0 {
		return
	}
	fmt.Fprintf(w, "<h2>%s</h2>\n<ul>\n", unservedIntro)
	for _, u := range c.Unserved {
		fmt.Fprintf(w, "<li>%s: %s</li>\n", html.EscapeString(strings.Join(u.Ingresses, ", ")), html.EscapeString(u.Message))
	}
	fmt.Fprint(w, "</ul>\n")
}

// writeFindings writes a section, unless it has neither notes nor problems. class is an attribute of its title.
func writeFindings(w *bufio.Writer, class, title string, notes []translate.AnnotationVerdict, problems []translate.Problem) {
	if len(notes)+len(problems) == 0 {
		return
	}
	fmt.Fprintf(w, "<h2%s>%s</h2>\n<ul>\n", class, html.EscapeString(title))
	for i := range notes {
		n := &notes[i]
		fmt.Fprintf(w, "<li><code>%s</code>: %s</li>\n", html.EscapeString(n.Annotation), html.EscapeString(noteText(n)))
	}
	for i := range problems {
		p := &problems[i]
		fmt.Fprintf(w, "<li>%s: %s</li>\n", html.EscapeString(p.Reason), html.EscapeString(p.Message))
	}
	fmt.Fprint(w, "</ul>\n")
}
