package preview

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/translate"
)

// namesOf returns the Secrets and fingerprints of the certificates by server name.
func namesOf(m *model.Model) map[string]string {
	out := map[string]string{}
	for i := range m.Certificates {
		c := &m.Certificates[i]
		for _, name := range c.ServerNames {
			name = cmp.Or(name, "unknown names")
			out[name] = strings.TrimPrefix(out[name]+" and "+fmt.Sprintf("%s (%.8s)", c.Secret, c.Fingerprint), " and ")
		}
	}
	return out
}

func (c *comparison) certificates(before, after map[string]string) {
	for name, old := range before {
		switch now := after[name]; now {
		case old:
		case "":
			c.add(TLS, name, "has no certificate of its own any more; it had %s", old)
		default:
			c.add(TLS, name, "gets the certificate of %s instead of %s", now, old)
		}
	}
	for name, now := range after {
		if before[name] == "" {
			c.add(TLS, name, "gets the certificate of %s", now)
		}
	}
}

// finding is a problem of an object.
type finding struct{ object, text string }

func problemsOf(reports []translate.Report, ignore func(*translate.Problem) bool) map[finding]bool {
	out := map[finding]bool{}
	for i := range reports {
		for _, p := range reports[i].Problems {
			if ignore == nil || !ignore(&p) {
				field := p.Field
				if field != "" {
					field += ": "
				}
				out[finding{reports[i].Ref.String(), field + p.Reason + ": " + p.Message}] = true
			}
		}
	}
	return out
}

func (c *comparison) problems(before, after map[finding]bool) {
	for f := range after {
		if !before[f] {
			c.add(Problem, f.object, "%s", f.text)
		}
	}
	for f := range before {
		if !after[f] {
			c.add(Solved, f.object, "%s", f.text)
		}
	}
}
