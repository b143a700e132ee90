package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

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
	Ingresses int `json:"ingresses"`
	Exact     int `json:"exact"`
	Differing int `json:"withDifferences"`
	Closed    int `json:"closed"`
	// Implicit are the settings that apply to Ingresses of classes of ingress-nginx without an annotation.
	Implicit []translate.ImplicitSetting `json:"implicit,omitempty"`
	// Config is the part of the ConfigMap of ingress-nginx, or nil.
	Config  *configReport   `json:"nginxConfigMap,omitempty"`
	Reports []ingressReport `json:"reports"`
	// Unserved are the Ingresses that Limpet does not serve because of their class. They do not count in Ingresses.
	Unserved []unservedIngresses `json:"unserved,omitempty"`
}

// unservedIngresses are the Ingresses that are not served for the same reason.
type unservedIngresses struct {
	Message   string   `json:"message"`
	Ingresses []string `json:"ingresses"`
}

// configReport is the part of the ConfigMap of ingress-nginx. Exact keys have no notes.
type configReport struct {
	ConfigMap string                        `json:"configMap"`
	Notes     []translate.AnnotationVerdict `json:"notes,omitempty"`
	Problems  []translate.Problem           `json:"problems,omitempty"`
}

// ingressReport is the part of one Ingress. Exact ones have neither notes nor problems.
type ingressReport struct {
	Ingress string `json:"ingress"`
	Result  string `json:"result"`
	// Implicit are the settings that apply to it without an annotation.
	Implicit []translate.ImplicitSetting   `json:"implicit,omitempty"`
	Notes    []translate.AnnotationVerdict `json:"notes,omitempty"`
	Problems []translate.Problem           `json:"problems,omitempty"`
}

// newCheckReport returns the report on the served Ingresses of a Snapshot that was translated with these options.
func newCheckReport(w *translate.Snapshot, o translate.Options, reports []translate.Report, assumeSecrets bool) *checkReport {
	ingresses := make(map[model.Ref]*networkingv1.Ingress, len(w.Ingresses))
	for _, in := range w.Ingresses {
		ingresses[model.Ref{Kind: model.KindIngress, Namespace: in.Namespace, Name: in.Name}] = in
	}
	implicit := translate.ImplicitSettings(w, o)
	out := &checkReport{Reports: []ingressReport{}}
	for i := range reports {
		r := &reports[i]
		switch {
		case r.Ref.Kind == model.KindConfigMap && r.Ref.Namespace == o.NginxConfigMap.Namespace && r.Ref.Name == o.NginxConfigMap.Name:
			out.Config = &configReport{r.Ref.Namespace + "/" + r.Ref.Name, implicit.KeyVerdicts(), r.Problems}
		case isUnserved(r):
			out.addUnserved(r)
		case r.Ref.Kind == model.KindIngress:
			in := ingresses[r.Ref]
			one := reportIngress(r, in, assumeSecrets)
			if in != nil && implicit.Applies(in) {
				out.Implicit, one.Implicit = implicit.Settings(), implicit.Of(in)
			}
			out.add(one)
		}
	}
	return out
}

// isUnserved reports whether Limpet does not serve the Ingress, because of its class.
func isUnserved(r *translate.Report) bool { return slices.ContainsFunc(r.Problems, isOtherClass) }

func isOtherClass(p translate.Problem) bool { return p.Reason == translate.ReasonOtherClass }

// addUnserved adds an Ingress to those that are not served for the same reason.
func (c *checkReport) addUnserved(r *translate.Report) {
	message := r.Problems[slices.IndexFunc(r.Problems, isOtherClass)].Message
	i := slices.IndexFunc(c.Unserved, func(u unservedIngresses) bool { return u.Message == message })
	if i < 0 {
		i = len(c.Unserved)
		c.Unserved = append(c.Unserved, unservedIngresses{Message: message})
	}
	c.Unserved[i].Ingresses = append(c.Unserved[i].Ingresses, r.Ref.Namespace+"/"+r.Ref.Name)
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
	c.writeConfig(w)
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
	if len(c.Unserved) > 0 {
		fmt.Fprintf(w, "\n%s:\n", unservedIntro)
	}
	for _, u := range c.Unserved {
		fmt.Fprintf(w, "  %s: %s\n", strings.Join(u.Ingresses, ", "), u.Message)
	}
	return nil
}

// unservedIntro precedes the Ingresses that Limpet does not serve.
const unservedIntro = "Not served, because of their class"

// implicitIntro precedes the settings that apply without an annotation.
const implicitIntro = "Without an annotation, Ingresses of classes of ingress-nginx have"

// writeConfig writes what applies to Ingresses of classes of ingress-nginx without an annotation.
func (c *checkReport) writeConfig(w io.Writer) {
	if len(c.Implicit) > 0 {
		fmt.Fprintln(w, implicitIntro, c.implicitText())
	}
	if c.Config == nil || len(c.Config.Notes)+len(c.Config.Problems) == 0 {
		return
	}
	fmt.Fprintf(w, "\nConfigMap %s:\n", c.Config.ConfigMap)
	for _, n := range c.Config.Notes {
		fmt.Fprintf(w, "  %s: %s\n", n.Annotation, noteText(&n))
	}
	for _, p := range c.Config.Problems {
		fmt.Fprintf(w, "  %s: %s\n", p.Reason, p.Message)
	}
}

// implicitText lists the settings that apply without an annotation.
func (c *checkReport) implicitText() string {
	texts := make([]string, len(c.Implicit))
	for i, s := range c.Implicit {
		texts[i] = s.Key + ": " + s.Value
	}
	return strings.Join(texts, ", ")
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
