package translate

import (
	"slices"
	"strings"

	networkingv1 "k8s.io/api/networking/v1"
)

// verdicts are the possible values of AnnotationVerdict.Verdict.
var verdicts = [...]string{VerdictExact, VerdictReplaced, VerdictDiffers, VerdictIgnored, VerdictClosed}

// verdictCounts are numbers of annotations of ingress-nginx, by index of verdicts.
type verdictCounts [len(verdicts)]int32

// countVerdicts counts the annotations of ingress-nginx of an Ingress, none for nil.
func countVerdicts(in *networkingv1.Ingress) (out verdictCounts) {
	if in == nil || !hasNginxAnnotation(in.Annotations) {
		return out
	}
	for _, v := range Verdicts(in) {
		out[slices.Index(verdicts[:], v.Verdict)]++
	}
	return out
}

func hasNginxAnnotation(annotations map[string]string) bool {
	for key := range annotations {
		if strings.HasPrefix(key, nginxPrefix) {
			return true
		}
	}
	return false
}

// setVerdicts updates the counts for the new state of an Ingress, nil if Limpet does not serve it.
func (e *Engine) setVerdicts(n *node, in *networkingv1.Ingress) {
	now := countVerdicts(in)
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
