package translate

import (
	"slices"

	networkingv1 "k8s.io/api/networking/v1"
)

// verdicts are the possible values of AnnotationVerdict.Verdict.
var verdicts = [...]string{VerdictExact, VerdictReplaced, VerdictDiffers, VerdictIgnored, VerdictClosed}

// verdictCounts are numbers of annotations of ingress-nginx, by index of verdicts.
type verdictCounts [len(verdicts)]int32

// countVerdicts counts the annotations of ingress-nginx of an Ingress, which may be nil.
func countVerdicts(ingress *networkingv1.Ingress) (out verdictCounts) {
	if ingress == nil || len(ingress.Annotations) == 0 {
		return out
	}
	for _, v := range Verdicts(ingress) {
		out[slices.Index(verdicts[:], v.Verdict)]++
	}
	return out
}

// setVerdicts updates the counts for the new state of an Ingress, nil if Limpet does not serve it.
func (e *Engine) setVerdicts(n *node, ingress *networkingv1.Ingress) {
	now := countVerdicts(ingress)
	for i := range verdicts {
		e.verdicts[i] += int(now[i] - n.verdicts[i])
	}
	n.verdicts = now
}

// verdictTotals returns the number of annotations of ingress-nginx of all served Ingresses, by verdict.
func (e *Engine) verdictTotals() map[string]int {
	out := make(map[string]int, len(verdicts))
	for i, name := range verdicts {
		out[name] = e.verdicts[i]
	}
	return out
}
