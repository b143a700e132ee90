package proxy

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"testing"
	"time"

	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/test/certificates"
)

// inResponse makes a host refuse clients by a response, as ingress-nginx does.
func inResponse(h model.Host, change ...func(*model.ClientCertificates)) model.Host {
	h.Clients.InResponse, h.Clients.MaxIntermediates = true, 1
	h.Clients.Fingerprint += " in response"
	for _, c := range change {
		c(h.Clients)
	}
	return h
}

// below returns an intermediate CA of a.
func (a *authority) below(name string) *authority {
	a.t.Helper()
	return &authority{a.t, certificates.Signed(a.t, x509.Certificate{
		Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}, nil, a.pair)}
}

// issueChain is issue for a client that sends the intermediate CAs too.
func (a *authority) issueChain(name pkix.Name, intermediates ...*authority) func(*tls.Config) {
	return func(c *tls.Config) {
		a.issue(name)(c)
		get := c.GetClientCertificate
		c.GetClientCertificate = func(info *tls.CertificateRequestInfo) (*tls.Certificate, error) {
			pair, err := get(info)
			if err != nil {
				return nil, err
			}
			chain := *pair
			for _, ca := range intermediates {
				chain.Certificate = append(chain.Certificate, ca.pair.Leaf.Raw)
			}
			return &chain, nil
		}
	}
}

func TestClientResponses(t *testing.T) {
	partners, others := newAuthority(t, "partners"), newAuthority(t, "others")
	middle := partners.below("middle")
	low := middle.below("low")
	alice, bob := pkix.Name{CommonName: "alice"}, pkix.Name{CommonName: "bob", Organization: []string{"alice"}}
	expired := func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) }
	optional := func(c *model.ClientCertificates) { c.Required = false }
	anyIssuer := func(c *model.ClientCertificates) { c.Required, c.IgnoresIssuer = false, true }
	onlyAlice := func(c *model.ClientCertificates) { c.Subject = "CN=alice" }
	page := func(c *model.ClientCertificates) { c.ErrorPage = "https://example.com/denied" }
	none := func(c *model.ClientCertificates) { c.CAs = nil }
	deep := func(c *model.ClientCertificates) { c.MaxIntermediates = 2 }
	lowest := low.below("lowest")
	twoCAs := func(c *model.ClientCertificates) { c.CAs = append(c.CAs, middle.pair.Leaf, low.pair.Leaf) }
	type changes []func(*model.ClientCertificates)
	for name, c := range map[string]struct {
		client func(*tls.Config)
		host   changes
		want   int
	}{
		"a partner":                       {partners.issue(alice), nil, 200},
		"no certificate":                  {func(*tls.Config) {}, nil, 400},
		"no certificate, optional":        {func(*tls.Config) {}, changes{optional}, 200},
		"a stranger":                      {others.issue(alice), nil, 400},
		"a stranger, optional":            {others.issue(alice), changes{optional}, 400},
		"a stranger, any issuer":          {others.issue(alice), changes{anyIssuer}, 200},
		"out of date":                     {partners.issue(alice, expired), nil, 400},
		"out of date, any issuer":         {partners.issue(alice, expired), changes{anyIssuer}, 400},
		"a stranger out of date":          {others.issue(alice, expired), changes{anyIssuer}, 400},
		"one intermediate":                {middle.issueChain(alice, middle), nil, 200},
		"one intermediate, not sent":      {middle.issue(alice), nil, 400},
		"two intermediates":               {low.issueChain(alice, low, middle), nil, 400},
		"two intermediates, depth two":    {low.issueChain(alice, low, middle), changes{deep}, 200},
		"three intermediates, depth two":  {lowest.issueChain(alice, lowest, low, middle), changes{deep}, 400},
		"two intermediates of the bundle": {low.issue(alice), changes{twoCAs}, 400},
		"right subject":                   {partners.issue(alice), changes{onlyAlice}, 200},
		"wrong subject":                   {partners.issue(bob), changes{onlyAlice}, 403},
		"no certificate, with a subject":  {func(*tls.Config) {}, changes{optional, onlyAlice}, 403},
		"error page":                      {others.issue(alice), changes{page}, 302},
		"error page, no certificate":      {func(*tls.Config) {}, changes{page}, 302},
		"error page, wrong subject":       {partners.issue(bob), changes{page, onlyAlice}, 403},
		"no CA":                           {partners.issue(alice), changes{none}, 503},
		"no CA, optional":                 {func(*tls.Config) {}, changes{optional, none}, 503},
	} {
		t.Run(name, func(t *testing.T) {
			h := inResponse(asking("shop.example", true, partners), c.host...)
			_, addr, p := clientRig(t, h)
			client, _ := dialTLS(t, addr, "shop.example", c.client)
			for range 2 { // the connection is still usable
				got := client.get("/", "ssl-client-verify: SUCCESS", "ssl-client-subject-dn: CN=root")
				got.expectStatus(t, c.want)
				if location := got.header.Get("Location"); (location == h.Clients.ErrorPage) != (c.want == 302 || h.Clients.ErrorPage == "") {
					t.Errorf("Location %q", location)
				}
			}
			if got := len(p.requests()); (got == 2) != (c.want == 200) {
				t.Errorf("the pod received %d requests", got)
			}
		})
	}
}

func TestClientResponses_fields(t *testing.T) {
	partners, others := newAuthority(t, "partners"), newAuthority(t, "others")
	h := inResponse(asking("shop.example", false, partners), func(c *model.ClientCertificates) { c.IgnoresIssuer = true })
	_, addr, p := clientRig(t, h)
	forged := "ssl-client-verify: SUCCESS"
	for _, c := range []struct {
		client func(*tls.Config)
		want   []string
	}{
		{partners.issue(pkix.Name{CommonName: "alice"}), []string{
			"ssl-client-verify: SUCCESS", "ssl-client-subject-dn: CN=alice", "ssl-client-issuer-dn: CN=partners"}},
		{others.issue(pkix.Name{CommonName: "alice"}), []string{
			"ssl-client-verify: FAILED:unable to verify the first certificate", "ssl-client-subject-dn: CN=alice",
			"ssl-client-issuer-dn: CN=others"}},
		{func(*tls.Config) {}, []string{"ssl-client-verify: NONE", "ssl-client-subject-dn:", "ssl-client-issuer-dn:"}},
	} {
		client, _ := dialTLS(t, addr, "shop.example", c.client)
		client.get("/", forged).expectOK(t, "")
		sent := p.requests()
		expectFields(t, sent[len(sent)-1], c.want...)
	}
}

// A resumed session is verified again, and a ticket of another kind of verification does not count.
func TestClientResponses_resumed(t *testing.T) {
	partners, others := newAuthority(t, "partners"), newAuthority(t, "others")
	_, addr, _ := clientRig(t, inResponse(asking("shop.example", true, partners)))
	for issuer, want := range map[*authority]int{partners: 200, others: 400} {
		cache := tls.NewLRUClientSessionCache(2)
		resumed := false
		for range 2 {
			client, _ := dialTLS(t, addr, "shop.example", issuer.issue(pkix.Name{CommonName: "alice"}),
				func(c *tls.Config) { c.ClientSessionCache = cache })
			client.get("/").expectStatus(t, want)
			resumed = client.Conn.(*tls.Conn).ConnectionState().DidResume
		}
		if !resumed {
			t.Error("the session was not resumed")
		}
	}
}
