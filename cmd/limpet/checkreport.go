package main

import (
	"encoding/json"
	"fmt"
	"io"

	networkingv1 "k8s.io/api/networking/v1"

	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/translate"
)

// The results for an Ingress in the report of limpet check.
const (
	resultExact   = "exact"
	resultDiffers = "with differences"
	resultClosed  = "closed"
)

// checkReport is what limpet check finds out about all served Ingresses.
type checkReport struct {
	Ingresses int             `json:"ingresses"`
	Exact     int             `json:"exact"`
	Differing int             `json:"withDifferences"`
	Closed    int             `json:"closed"`
	Reports   []ingressReport `json:"reports"`
}

// ingressReport is the part of one Ingress. Exact ones have neither notes nor problems.
type ingressReport struct {
	Ingress  string                        `json:"ingress"`
	Result   string                        `json:"result"`
	Notes    []translate.AnnotationVerdict `json:"notes,omitempty"`
	Problems []translate.Problem           `json:"problems,omitempty"`
}

// newCheckReport returns the report on the served Ingresses of a Snapshot.
func newCheckReport(w *translate.Snapshot, reports []translate.Report, assumeSecrets bool) *checkReport {
	ingresses := make(map[model.Ref]*networkingv1.Ingress, len(w.Ingresses))
	for _, in := range w.Ingresses {
		ingresses[model.Ref{Kind: model.KindIngress, Namespace: in.Namespace, Name: in.Name}] = in
	}
	out := &checkReport{Reports: []ingressReport{}}
	for i := range reports {
		if reports[i].Ref.Kind == model.KindIngress && !isUnserved(&reports[i]) {
			out.add(reportIngress(&reports[i], ingresses[reports[i].Ref], assumeSecrets))
		}
	}
	return out
}

// isUnserved reports whether Limpet does not serve the Ingress, because of its class.
func isUnserved(r *translate.Report) bool {
	return len(r.Problems) == 1 && r.Problems[0].Reason == translate.ReasonOtherClass
}

func (c *checkReport) add(r ingressReport) {
	c.Ingresses++
	switch r.Result {
	case resultExact:
		c.Exact++
	case resultDiffers:
		c.Differing++
	case resultClosed:
		c.Closed++
	}
	c.Reports = append(c.Reports, r)
}

// reportIngress returns the report on an Ingress. in is nil if it is so invalid that it was set aside.
func reportIngress(r *translate.Report, in *networkingv1.Ingress, assumeSecrets bool) ingressReport {
	out := ingressReport{Ingress: r.Ref.Namespace + "/" + r.Ref.Name, Result: resultExact}
	var verdicts []translate.AnnotationVerdict
	if in != nil {
		verdicts = translate.Verdicts(in)
	}
	for _, v := range verdicts {
		if v.Verdict != translate.VerdictExact {
			out.Notes = append(out.Notes, v)
		}
	}
	for _, p := range r.Problems {
		if !assumeSecrets || !isMissingSecret(&p) {
			out.Problems = append(out.Problems, p)
		}
		if p.Reason == translate.ReasonProtectionNotEnforced {
			out.Result = resultClosed
		}
	}
	if out.Result == resultExact && len(out.Notes)+len(out.Problems) > 0 {
		out.Result = resultDiffers
	}
	return out
}

// summary returns the first line of the report.
func (c *checkReport) summary() string {
	return fmt.Sprintf("%d Ingresses: %d exact, %d with differences, %d closed", c.Ingresses, c.Exact, c.Differing, c.Closed)
}

// writeText writes the report as text. Exact Ingresses only count in the summary.
func (c *checkReport) writeText(w io.Writer) error {
	fmt.Fprintln(w, c.summary())
	for i := range c.Reports {
		r := &c.Reports[i]
		if r.Result == resultExact {
			continue
		}
		fmt.Fprintf(w, "\nIngress %s: %s\n", r.Ingress, r.Result)
		for _, n := range r.Notes {
			fmt.Fprintf(w, "  %s: %s\n", n.Annotation, noteText(&n))
		}
		for _, p := range r.Problems {
			fmt.Fprintf(w, "  %s: %s\n", p.Reason, p.Message)
		}
	}
	return nil
}

// noteText describes a verdict with what to use instead.
func noteText(v *translate.AnnotationVerdict) string {
	text := v.Verdict
	if v.How != "" {
		text += ": " + v.How
	}
	for i, use := range v.Use {
		if i == 0 {
			text += ". Use "
		} else {
			text += ", "
		}
		text += use
	}
	return text
}

func (c *checkReport) writeJSON(w io.Writer) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	return encoder.Encode(c)
}
