package exchange

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/limpet-dev/limpet/pkg/filter"
	"github.com/limpet-dev/limpet/pkg/http1"
)

// originCase is a request and how it came from its client.
type originCase struct {
	name      string
	untrusted bool
	tls       bool // to Limpet
	balancer  bool // the PROXY protocol reports TLS
	forwarded bool // Forwarded names the client
	fields    []string
	want      string // client, scheme, end of TLS, authority, port
}

func (c *originCase) connection() *Connection {
	e := &Engine{Config: Config{
		TrustedProxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")},
		ClientHeaders:  []http1.FieldID{http1.FieldXForwardedFor},
	}}
	if c.forwarded {
		e.ClientHeaders = []http1.FieldID{http1.FieldForwarded, http1.FieldXForwardedFor}
	}
	conn := &Connection{Engine: e, BalancerTLS: c.balancer}
	if c.tls {
		conn.TLS = &filter.TLSSession{}
	}
	peer := "10.0.0.1:1234"
	if c.untrusted {
		peer = "203.0.113.9:1234"
	}
	conn.SetAddresses(netip.MustParseAddrPort(peer), netip.MustParseAddrPort("198.51.100.1:8080"))
	return conn
}

func TestDecideOrigin(t *testing.T) {
	const (
		proxyTLS = "X-Forwarded-Proto: https"
		client   = "X-Forwarded-For: 203.0.113.7"
	)
	for _, c := range []originCase{
		{name: "cleartext", want: "10.0.0.1:1234 http none shop.example 8080"},
		{name: "TLS", tls: true, want: "10.0.0.1:1234 https limpet shop.example 8080"},
		{name: "PROXY protocol TLS", balancer: true, want: "10.0.0.1:1234 https balancer shop.example 8080"},
		{
			name: "untrusted", untrusted: true, fields: []string{proxyTLS, client, "X-Forwarded-Host: evil.example", "X-Forwarded-Port: 1"},
			want: "203.0.113.9:1234 http none shop.example 8080",
		},
		{
			name: "untrusted TLS", untrusted: true, tls: true, fields: []string{"X-Forwarded-Proto: http"},
			want: "203.0.113.9:1234 https limpet shop.example 8080",
		},

		{name: "proxy ends TLS", fields: []string{proxyTLS, client}, want: "203.0.113.7:0 https proxy shop.example 443"},
		{name: "proxy reports cleartext", tls: true, fields: []string{"X-Forwarded-Proto: http"}, want: "10.0.0.1:1234 http none shop.example 80"},
		{name: "upper case", fields: []string{"X-Forwarded-Proto: HTTPS"}, want: "10.0.0.1:1234 https proxy shop.example 443"},
		{name: "wss", fields: []string{"X-Forwarded-Proto: wss"}, want: "10.0.0.1:1234 https proxy shop.example 443"},
		{name: "ws", tls: true, fields: []string{"X-Forwarded-Proto: WS"}, want: "10.0.0.1:1234 http none shop.example 80"},
		{name: "list", fields: []string{"X-Forwarded-Proto: https,http"}, want: "10.0.0.1:1234 https proxy shop.example 443"},
		{name: "list with spaces", fields: []string{"X-Forwarded-Proto: , HTTP , https"}, want: "10.0.0.1:1234 http none shop.example 80"},
		{name: "several fields", fields: []string{proxyTLS, "X-Forwarded-Proto: http"}, want: "10.0.0.1:1234 https proxy shop.example 443"},
		{name: "unknown scheme", fields: []string{"X-Forwarded-Proto: gopher"}, want: "10.0.0.1:1234 http none shop.example 8080"},
		{name: "unknown scheme, TLS", tls: true, fields: []string{"X-Forwarded-Proto: \"https\""}, want: "10.0.0.1:1234 https limpet shop.example 8080"},
		{
			name: "host", fields: []string{proxyTLS, "X-Forwarded-Host: www.example.com, inner.example"},
			want: "10.0.0.1:1234 https proxy www.example.com 443",
		},
		{name: "host with port", fields: []string{"X-Forwarded-Host: www.example.com:8443"}, want: "10.0.0.1:1234 http none www.example.com:8443 8443"},
		{name: "IPv6 host", fields: []string{"X-Forwarded-Host: [2001:db8::1]"}, want: "10.0.0.1:1234 http none [2001:db8::1] 80"},
		{name: "invalid host", fields: []string{`X-Forwarded-Host: a";proto=http`}, want: "10.0.0.1:1234 http none shop.example 8080"},
		{name: "port", fields: []string{proxyTLS, "X-Forwarded-Port: 8443"}, want: "10.0.0.1:1234 https proxy shop.example 8443"},
		{name: "port list", fields: []string{proxyTLS, "X-Forwarded-Port: 443, 8080"}, want: "10.0.0.1:1234 https proxy shop.example 443"},
		{name: "invalid port", fields: []string{proxyTLS, "X-Forwarded-Port: 65536"}, want: "10.0.0.1:1234 https proxy shop.example 443"},

		{
			name: "Forwarded of a proxy that sets X-Forwarded", fields: []string{client, "Forwarded: for=192.0.2.1;proto=https;host=evil.example"},
			want: "203.0.113.7:0 http none shop.example 8080",
		},
		{
			name: "Forwarded", forwarded: true, fields: []string{"Forwarded: for=203.0.113.7;proto=https;host=www.example.com"},
			want: "203.0.113.7:0 https proxy www.example.com 443",
		},
		{
			name: "Forwarded, quoted", forwarded: true, fields: []string{`Forwarded: for="[2001:db8::7]:99";Proto="HTTPS";HOST="www.example.com:444"`},
			want: "[2001:db8::7]:0 https proxy www.example.com:444 444",
		},
		{
			name: "Forwarded beats X-Forwarded", forwarded: true, fields: []string{"Forwarded: for=203.0.113.7;proto=http", proxyTLS, client, "X-Forwarded-Port: 1"},
			want: "203.0.113.7:0 http none shop.example 80",
		},
		{
			name: "Forwarded without scheme", forwarded: true, fields: []string{"Forwarded: for=203.0.113.7", proxyTLS},
			want: "203.0.113.7:0 https proxy shop.example 443",
		},
		{
			name: "hop of the client", forwarded: true,
			fields: []string{"Forwarded: for=192.0.2.1;proto=http;host=evil.example, for=203.0.113.7;proto=https, for=10.0.0.2;proto=http"},
			want:   "203.0.113.7:0 https proxy shop.example 443",
		},
		{
			name: "hidden client", forwarded: true, fields: []string{"Forwarded: for=_hidden;proto=https"},
			want: "10.0.0.1:1234 https proxy shop.example 443",
		},
		{
			name: "repeated pair", forwarded: true, fields: []string{"Forwarded: for=203.0.113.7;proto=https;proto=http"},
			want: "10.0.0.1:1234 http none shop.example 8080",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := decideOrigin(c.connection(), originHead(t, c.fields...))
			if text := originText(&got); text != c.want {
				t.Errorf("got %s, want %s", text, c.want)
			}
		})
	}
}

func originHead(t *testing.T, fields ...string) *http1.Request {
	t.Helper()
	head, limits := new(http1.Request), http1.DefaultLimits()
	text := "GET / HTTP/1.1\r\nHost: shop.example\r\n" + strings.Join(append(fields, ""), "\r\n") + "\r\n"
	if _, err := http1.ParseRequest(head, []byte(text), &limits); err != nil {
		t.Fatal(err)
	}
	return head
}

func originText(o *filter.Origin) string {
	end := map[filter.TLSEnd]string{
		filter.TLSNone: "none", filter.TLSAtLimpet: "limpet", filter.TLSAtBalancer: "balancer", filter.TLSAtProxy: "proxy",
	}[o.TLSEnd]
	return fmt.Sprintf("%s %s %s %s %d", netip.AddrPortFrom(o.ClientIP, o.ClientPort), o.Scheme(), end, o.Authority, o.Port)
}
