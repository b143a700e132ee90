package filter

import (
	"sync/atomic"
	"testing"

	"github.com/limpet-dev/limpet/pkg/http1"
)

func TestTransportSecurity(t *testing.T) {
	f := NewTransportSecurity("max-age=9").(ResponseFilter)
	for end, want := range map[TLSEnd]string{
		TLSNone: "app", TLSAtLimpet: "max-age=9", TLSAtBalancer: "max-age=9", TLSAtProxy: "max-age=9",
	} {
		r := requestFor(t)
		r.TLSEnd = end
		var head http1.Response
		head.Add([]byte("strict-transport-security"), []byte("app"))
		f.FilterResponse(r, &head)
		if got := valueOf(t, &head, "Strict-Transport-Security"); got != want {
			t.Errorf("%d: got %q, want %q", end, got, want)
		}
	}
}

func TestAltSvc(t *testing.T) {
	for _, c := range []struct {
		host, want string
		tls, on    bool
	}{
		{"shop.example", `h3=":443"; ma=3600`, true, true},
		{"shop.example:8443", `h3=":8443"; ma=3600`, true, true},
		{"[::1]:8443", `h3=":8443"; ma=3600`, true, true},
		{"[::1]", `h3=":443"; ma=3600`, true, true},
		{"shop.example:", `h3=":443"; ma=3600`, true, true},
		{"shop.example", "app", true, false},
		{"shop.example", "app", false, true},
	} {
		var on atomic.Bool
		on.Store(c.on)
		r := requestFor(t)
		if r.Head.Host = []byte(c.host); c.tls {
			r.overTLS("shop.example")
		}
		var head http1.Response
		head.Add([]byte("Alt-Svc"), []byte("app"))
		AltSvc{On: &on}.FilterResponse(r, &head)
		if got := valueOf(t, &head, "Alt-Svc"); got != c.want {
			t.Errorf("%+v: got %q", c, got)
		}
	}
	for _, end := range []TLSEnd{TLSAtBalancer, TLSAtProxy} {
		var on atomic.Bool
		on.Store(true)
		r := requestFor(t)
		r.TLSEnd = end
		var head http1.Response
		if AltSvc.FilterResponse(AltSvc{On: &on}, r, &head); head.Fields != nil {
			t.Errorf("TLS ends at %d: got %q", end, head.Fields)
		}
	}
}

func TestLocalFields(t *testing.T) {
	for status, allow := range map[int]string{404: "", 405: string(allowed)} {
		var head http1.Response
		head.Status = status
		LocalFields{}.FilterResponse(requestFor(t, "X-Request-ID: abc"), &head)
		if got := valueOf(t, &head, "X-Request-ID"); got != "abc" {
			t.Errorf("%d: the ID is %q", status, got)
		}
		if got := valueOf(t, &head, "Allow"); got != allow {
			t.Errorf("%d: Allow is %q", status, got)
		}
	}
}

func TestNewText(t *testing.T) {
	r := NewText(503, "Later.").With([]byte("Retry-After"), []byte("5")).Closing()
	if string(r.Body) != "Later.\n" || !r.Close || len(r.Fields) != 2 || string(r.Fields[1].Value) != "5" {
		t.Errorf("got %+v", r)
	}
}
