package routing

import (
	"slices"
	"testing"

	"github.com/limpet-dev/limpet/pkg/filter"
	"github.com/limpet-dev/limpet/pkg/http1"
	"github.com/limpet-dev/limpet/pkg/model"
)

// What restricts access runs before anything that a request could use to get around it.
func TestCompileFilters_order(t *testing.T) {
	m := &model.Route{Clients: &model.ClientCertificates{}, Limits: &model.Limits{MaxAttempts: 3}, TransportSecurity: "max-age=9"}
	chain := (&compiler{}).filters(m)
	r := &filter.Request{Head: new(http1.Request), TLS: new(filter.TLSSession), Origin: filter.Origin{TLSEnd: filter.TLSAtLimpet}}
	var ran []string
	r.TLS.Host = &model.Host{Clients: m.Clients}
	r.Hosts = new(Table)
	protective := true
	chain.Trace(r, func(f filter.RequestFilter, _ *filter.Response) {
		ran = append(ran, f.Name())
		if filter.Protects(f) && !protective {
			t.Errorf("%s runs after a filter that restricts nothing", f.Name())
		}
		protective = filter.Protects(f)
	})
	if want := []string{"client-certificates", "limits"}; !slices.Equal(ran, want) {
		t.Errorf("got %q, want %q", ran, want)
	}
	if r.Limits.Attempts != 3 {
		t.Errorf("the limits are %+v", r.Limits)
	}
	var head http1.Response
	if chain.FilterResponse(r, &head); len(head.Fields) != 1 || string(head.Fields[0].Value) != "max-age=9" {
		t.Errorf("the response has %q", head.Fields)
	}
}

// A route is exempt from credentials only if it serves nothing but ACME challenges.
func TestCompileFilters_challenges(t *testing.T) {
	for path, want := range map[string]bool{
		"/.well-known/acme-challenge": false, "/.well-known/acme-challenge/token": false, "/.well-known/acme-challenge/(.*)": false,
		"/.well-known/acme-challenge/|/admin": true, "/.well-known/acme-challengers": true, "/": true,
	} {
		for _, filters := range []model.Filters{
			{Access: &model.Access{Passwords: &model.Passwords{File: []byte("a:{PLAIN}b")}}},
			{ExternalAuth: &model.ExternalAuth{URL: "http://auth.example.com/"}},
		} {
			m := &model.Route{Path: path, PathType: model.PathPattern, Filters: &filters}
			chain := (&compiler{}).filters(m)
			if got := chain.ProtectsRoute(); got != want {
				t.Errorf("%s: protected %v", path, got)
			}
		}
	}
}
