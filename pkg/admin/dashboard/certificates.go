package dashboard

import (
	"cmp"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/limpet-dev/limpet/pkg/model"
)

// certificate is the JSON form of a certificate, without its key.
type certificate struct {
	Secret model.Ref `json:"secret"`
	// ServerNames are at most maxServerNames of the names for which it is presented. "" is the default.
	ServerNames []string  `json:"serverNames"`
	Algorithm   string    `json:"algorithm"`
	Issuer      string    `json:"issuer"`
	NotBefore   time.Time `json:"notBefore"`
	NotAfter    time.Time `json:"notAfter"`
	Fingerprint string    `json:"fingerprint"`
}

// maxServerNames bounds the names of one certificate in a document.
const maxServerNames = 20

// certificates lists the certificates in use, the one that expires first at the top.
func (d *Dashboard) certificates(values url.Values) (any, error) {
	q, err := parseQuery(values, "expiry")
	if err != nil {
		return nil, err
	}
	all := d.states.get().Certificates
	var selected []*model.Certificate
	for i := range all {
		c := &all[i]
		if q.selects(c.Secret.Namespace) && q.matches(c.Secret.Namespace+"/"+c.Secret.Name, strings.Join(c.ServerNames, " ")) {
			selected = append(selected, c)
		}
	}
	slices.SortStableFunc(selected, func(a, b *model.Certificate) int {
		return cmp.Or(a.Pair.Leaf.NotAfter.Compare(b.Pair.Leaf.NotAfter), cmp.Compare(a.Secret.String(), b.Secret.String()))
	})
	return paginate(q, selected, describeCertificate), nil
}

func describeCertificate(c *model.Certificate) certificate {
	leaf := c.Pair.Leaf
	return certificate{Secret: c.Secret, ServerNames: c.ServerNames[:min(len(c.ServerNames), maxServerNames)],
		Algorithm: c.Algorithm, Issuer: leaf.Issuer.String(), NotBefore: leaf.NotBefore, NotAfter: leaf.NotAfter,
		Fingerprint: c.Fingerprint}
}
