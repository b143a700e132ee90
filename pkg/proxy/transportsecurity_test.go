package proxy

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

func TestHSTS_tls(t *testing.T) {
	const own = "Strict-Transport-Security: max-age=1\r\nstrict-transport-security: max-age=2\r\n"
	for name, c := range map[string]struct {
		route     string
		app       string
		inClear   []string // header lines, nil: over TLS
		want      string
		otherwise string // of a response of Limpet's own
	}{
		"over TLS":                    {"max-age=9", "", nil, "[max-age=9]", "[max-age=9]"},
		"the route overrides the app": {"max-age=9", own, nil, "[max-age=9]", "[max-age=9]"},
		"left to the app":             {"", own, nil, "[max-age=1 max-age=2]", "[]"},
		"cleartext":                   {"max-age=9", "", []string{"X-A: b"}, "[]", "[]"},
		"cleartext from the app":      {"max-age=9", own, []string{"X-A: b"}, "[max-age=1 max-age=2]", "[]"},
		"TLS of a proxy":              {"max-age=9", own, []string{"X-Forwarded-Proto: https"}, "[max-age=9]", "[max-age=9]"},
	} {
		t.Run(name, func(t *testing.T) {
			r, secure := tlsRig(t, trusting())
			r.replace(cart, startAnswering(t, "pod-a", okHead+c.app+"Content-Length: 0\r\n\r\n").endpoint("Ready"))
			here, nobody := routeTo(cart, nil), routeTo(cart, nil)
			here.TransportSecurity, nobody.TransportSecurity = c.route, c.route
			nobody.Path, nobody.Backends = "/nobody", nil
			r.publish(here, nobody)
			client := r.dial()
			if c.inClear == nil {
				client, _ = dialTLS(t, secure, "shop.example")
			}
			for path, want := range map[string]string{"/": c.want, "/nobody": c.otherwise} {
				a := client.get(path, c.inClear...)
				if got := fmt.Sprint(a.header["Strict-Transport-Security"]); got != want {
					t.Errorf("%s: got %s, want %s", path, got, want)
				}
			}
		})
	}
}

func TestHSTS_http2(t *testing.T) {
	r, secure := tlsRig(t)
	r.replace(cart, startAnswering(t, "pod-a", okHead+"strict-transport-security: max-age=1\r\nContent-Length: 0\r\n\r\n").endpoint("Ready"))
	route := routeTo(cart, nil)
	route.TransportSecurity = "max-age=9"
	r.publish(route)
	got := do(t, http2Client(t), newRequest(t, http.MethodGet, "https://"+secure+"/", nil))
	if field := strings.Join(got.header["Strict-Transport-Security"], " | "); field != "max-age=9" || got.major != 2 {
		t.Errorf("HTTP/%d with %q", got.major, field)
	}
}
