package explain

import (
	"strings"
	"testing"
	"time"

	"github.com/limpet-dev/limpet/pkg/model"
)

// noHosts is a filter.Hosts without TLS settings.
type noHosts struct{}

func (noHosts) TLS([]byte) *model.Host { return nil }

func TestRequest_describe(t *testing.T) {
	r := Request{URL: "https://Shop.example.com:8443/a%2fb?c=d", Headers: []string{"X-Session: 7", "x-session:8"},
		Cookies: []string{"a=1", "b=2"}, SourceIP: "2001:db8::1"}
	d, err := r.describe(noHosts{}, time.Unix(5, 0))
	if err != nil {
		t.Fatal(err)
	}
	if d.Host != "Shop.example.com:8443" || d.Target != "/a%2fb?c=d" || d.TLS == nil || d.TLS.ServerName != "shop.example.com" {
		t.Errorf("got host %q, target %q, TLS %+v", d.Host, d.Target, d.TLS)
	}
	if got := strings.Join(d.Header["X-Session"], ","); got != "7,8" || d.Header.Get("Cookie") != "a=1; b=2" {
		t.Errorf("got header %v", d.Header)
	}
	if d.Peer.String() != "2001:db8::1" || d.Time.Unix() != 5 {
		t.Errorf("got peer %v, time %v", d.Peer, d.Time)
	}
}

func TestRequest_describe_invalid(t *testing.T) {
	for name, c := range map[string]struct {
		request Request
		want    string
	}{
		"no scheme":         {Request{URL: "shop.example.com/cart"}, "invalid URL"},
		"other scheme":      {Request{URL: "ftp://shop.example.com/"}, "invalid URL"},
		"no host":           {Request{URL: "http:///cart"}, "invalid URL"},
		"header":            {Request{URL: "http://a/", Headers: []string{"X-Session 7"}}, "invalid header"},
		"Host":              {Request{URL: "http://a/", Headers: []string{"host: b"}}, "set the host in the URL"},
		"cookie":            {Request{URL: "http://a/", Cookies: []string{"secret"}}, "invalid cookie"},
		"address":           {Request{URL: "http://a/", SourceIP: "10.0.0.0/8"}, "invalid source IP"},
		"address of a name": {Request{URL: "http://a/", SourceIP: "localhost"}, "invalid source IP"},
	} {
		_, err := c.request.describe(noHosts{}, time.Now())
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: the error has the cookie: %v", name, err)
		}
	}
}

func TestRequest_time(t *testing.T) {
	for after, want := range map[string]int64{"": 100, "0s": 100, "2h": 7300} {
		r := Request{After: after}
		if got, err := r.time(time.Unix(100, 0)); err != nil || got.Unix() != want {
			t.Errorf("after %q: got %v, %v", after, got, err)
		}
	}
	for _, after := range []string{"-1s", "2 hours", "1d"} {
		r := Request{After: after}
		if _, err := r.time(time.Now()); err == nil {
			t.Errorf("after %q is accepted", after)
		}
	}
}
