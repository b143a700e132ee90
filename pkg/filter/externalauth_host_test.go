package filter

import (
	"testing"
	"time"

	"github.com/limpet-dev/limpet/pkg/model"
)

// The parts of a key of two clients add up to the same text, but a decision about one does not apply to the other.
func TestExternalAuth_cacheKeyParts(t *testing.T) {
	s := &service{resp: &Subresponse{Status: 200}}
	check, _ := authFor(model.ExternalAuth{
		URL: "http://auth/", CacheKey: "$cookie_user$cookie_token", CacheTimes: []model.CacheTime{{Status: 200, For: time.Hour}},
	})
	shared := askedRequest(t, s).Shared
	ask := func(cookie string) (wasAsked bool) {
		r := askedRequest(t, s, "Cookie: "+cookie)
		r.Shared, s.last = shared, nil
		check.CheckAccess(r)
		return s.last != nil
	}
	for _, c := range []struct {
		cookie string
		want   bool
	}{
		{"user=ann; token=12", true}, {"user=ann; token=12", false}, {"user=ann1; token=2", true}, {"user=a; token=nn12", true},
		{"user=; token=ann12", true}, {"user=ann12", true}, {"x=y", true}, {"x=y", true},
	} {
		if got := ask(c.cookie); got != c.want {
			t.Errorf("%s: the service was asked: %v", c.cookie, got)
		}
	}
}

// A trusted proxy forwards an X-Forwarded-Host of the client: the route is found by Host, so the decision must be about that
// host.
func TestExternalAuth_forwardedHost(t *testing.T) {
	for _, text := range []string{"http://$http_host/auth", "http://$best_http_host/auth", "http://$host/auth"} {
		s := &service{resp: &Subresponse{Status: 200}}
		check, _ := authFor(model.ExternalAuth{
			URL: text, Headers: []model.HeaderField{{Name: "X-Host", Value: "$http_host"}}, Redirect: "http://$best_http_host/",
		})
		r := askedRequest(t, s)
		r.Authority = []byte("other.example")
		check.CheckAccess(r)
		header := s.last.Header
		if s.last.URL != "http://shop.example/auth" || header.Get("X-Original-URL") != "http://shop.example/cart" ||
			header.Get("X-Host") != "shop.example" {
			t.Errorf("%s: the service got %s with %v", text, s.last.URL, header)
		}
		if got := header.Get("X-Auth-Request-Redirect"); got != "http://other.example/" {
			t.Errorf("clients return to %s", got)
		}
	}
}
