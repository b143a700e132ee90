package filter

import (
	"testing"

	"github.com/limpet-dev/limpet/pkg/model"
)

func TestClientCertificates(t *testing.T) {
	want := &model.ClientCertificates{Required: true, Fingerprint: "a"}
	optional := &model.ClientCertificates{Fingerprint: "o"}
	asking := func(c *model.ClientCertificates) *model.Host { return &model.Host{Clients: c} }
	other := asking(&model.ClientCertificates{Required: true, Fingerprint: "b"})
	for _, c := range []struct {
		name   string
		route  *model.ClientCertificates
		path   string // of the route
		tls    *TLSSession
		hosts  hosts
		covers certificates
		status int // 0 if the request may proceed
	}{
		{name: "cleartext"},
		{name: "cleartext, required", route: want, status: 403},
		{name: "cleartext, optional", route: optional},
		{name: "challenge", route: want, path: "/.well-known/acme-challenge/token"},
		{name: "no challenge", route: want, path: "/.well-known", status: 403},
		{
			name: "challenge over TLS", route: want, path: "/.well-known/acme-challenge/token",
			tls: &TLSSession{ServerName: "shop.example"}, status: 403,
		},
		{name: "TLS", tls: &TLSSession{ServerName: "shop.example"}},
		{name: "verified", route: want, tls: &TLSSession{ServerName: "shop.example", Host: asking(want)}},
		{name: "not asked, required", route: want, tls: &TLSSession{ServerName: "shop.example"}, status: 403},
		{
			name: "asked for another", route: want, tls: &TLSSession{ServerName: "shop.example", Host: other}, status: 403,
		},
		{
			name: "required since the handshake", route: want, tls: &TLSSession{ServerName: "shop.example"},
			hosts: hosts{"shop.example": asking(want)}, status: 421,
		},
		{name: "another name", tls: &TLSSession{ServerName: "blog.example"}, status: 421},
		{
			name: "another name that is covered", tls: &TLSSession{ServerName: "blog.example"},
			covers: certificates{"blog.example": "shop.example"},
		},
		{
			name: "covered, and asks for certificates", tls: &TLSSession{ServerName: "blog.example"},
			covers: certificates{"blog.example": "shop.example"}, hosts: hosts{"shop.example": asking(want)}, status: 421,
		},
		{
			name: "covered, and asks for a newer version", tls: &TLSSession{ServerName: "blog.example", Version: model.TLS12},
			covers: certificates{"blog.example": "shop.example"}, hosts: hosts{"shop.example": {MinVersion: model.TLS12 + 1}},
			status: 421,
		},
		{name: "no name", tls: &TLSSession{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := requestFor(t)
			r.TLS, r.Hosts, r.Certificates = c.tls, c.hosts, c.covers
			var chain Chain
			chain.Add(NewClientCertificates(c.route, model.IsChallenge(c.path)))
			chain.Add(NewTLSOnly(c.route, model.IsChallenge(c.path)))
			got := chain.FilterRequest(r)
			if status := statusOf(got); status != c.status {
				t.Errorf("got %d, want %d", status, c.status)
			}
			if got != nil && (len(got.Body) == 0 || got.Close) {
				t.Errorf("the response is %+v", got)
			}
		})
	}
}

func TestClientCertificates_trustedProxy(t *testing.T) {
	r := requestFor(t).overTLS("blog.example")
	r.Trusted = true
	if got := NewClientCertificates(nil, false).(RequestFilter).FilterRequest(r); got != nil {
		t.Errorf("got %d", got.Status)
	}
}

// statusOf returns the status of a response, or 0 for a nil response.
func statusOf(r *Response) int {
	if r == nil {
		return 0
	}
	return r.Status
}
