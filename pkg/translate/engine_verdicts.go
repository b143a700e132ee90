package translate

import "strings"

// verdicts are the possible values of AnnotationVerdict.Verdict.
var verdicts = [...]string{VerdictExact, VerdictReplaced, VerdictDiffers, VerdictIgnored, VerdictClosed}

// verdictCounts are numbers of annotations of ingress-nginx, by index of verdicts.
type verdictCounts [len(verdicts)]int32

// countVerdicts counts the annotations of ingress-nginx of an Ingress.
func countVerdicts(annotations map[string]string) (out verdictCounts) {
	for key := range annotations {
		if !strings.HasPrefix(key, nginxPrefix) {
			continue
		}
		for _, v := range Verdicts(annotations) {
			for i, name := range verdicts {
				if v.Verdict == name {
					out[i]++
				}
			}
		}
		break
	}
	return out
}

// setVerdicts updates the counts for the new annotations of an Ingress, nil if Limpet does not serve it.
func (e *Engine) setVerdicts(n *node, annotations map[string]string) {
	now := countVerdicts(annotations)
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
