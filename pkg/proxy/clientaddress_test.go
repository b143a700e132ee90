package proxy

import (
	"slices"
	"strings"
	"testing"

	"github.com/limpet-dev/limpet/pkg/http1"
)

// reading makes these the headers in which trusted proxies name the client.
func reading(ids ...http1.FieldID) func(*Options) {
	return func(o *Options) { o.ClientHeaders = ids }
}

func TestClientAddress_forwarded(t *testing.T) {
	r := newRig(t, trusting("10.0.0.0/8"), reading(http1.FieldForwarded))
	p := startEcho(t, "pod-a")
	r.serve(nil, p)
	for value, want := range map[string]string{
		"for=192.0.2.1":                          "192.0.2.1",
		"FOR=192.0.2.1;proto=https;by=_hidden":   "192.0.2.1",
		"proto=https;for=192.0.2.1":              "192.0.2.1",
		"proto=https ; for=192.0.2.1":            "192.0.2.1",
		`for="192.0.2.1"`:                        "192.0.2.1",
		`for="192.0.2.1:4711"`:                   "192.0.2.1",
		`for="192.0.2.1:_port"`:                  "192.0.2.1",
		`for="[2001:db8::1]"`:                    "2001:db8::1",
		`for="[2001:db8::1]:4711"`:               "2001:db8::1",
		`for="[::ffff:192.0.2.1]"`:               "192.0.2.1",
		"for=203.0.113.7, for=192.0.2.1":         "192.0.2.1",
		"for=192.0.2.1, for=10.0.0.1":            "192.0.2.1",
		"for=192.0.2.1,, ,for=10.0.0.1":          "192.0.2.1",
		"for=10.0.0.3, for=10.0.0.2":             "10.0.0.3",
		`for=192.0.2.1;host="a,b;for=10.0.0.1"`:  "192.0.2.1",
		`for=192.0.2.1;ext="\";for=203.0.113.7"`: "192.0.2.1",
		"for=_hidden, for=192.0.2.1":             "192.0.2.1",

		"for=unknown":                              "127.0.0.1",
		"for=_hidden":                              "127.0.0.1",
		`for="_hidden:_port"`:                      "127.0.0.1",
		"for=192.0.2.1, for=unknown":               "127.0.0.1",
		"for=192.0.2.1, for=_hidden, for=10.0.0.1": "10.0.0.1",
		"for=192.0.2.1, by=10.0.0.1":               "127.0.0.1",
		`for=""`:                                   "127.0.0.1",
		`for="2001:db8::1"`:                        "127.0.0.1", // without brackets
		`for="[192.0.2.1]"`:                        "127.0.0.1",
		`for="[2001:db8::1"`:                       "127.0.0.1",
		`for="[2001:db8::1]x"`:                     "127.0.0.1",
		`for="[fe80::1%eth0]"`:                     "127.0.0.1",
		`for="192.0.2.1:"`:                         "127.0.0.1",
		`for="192.0.2.1:65536"`:                    "127.0.0.1",
		"for=192.0.2.1:80":                         "127.0.0.1", // without quotes
		"for=[2001:db8::1]":                        "127.0.0.1",
		"for =192.0.2.1":                           "127.0.0.1",
		"for= 192.0.2.1":                           "127.0.0.1",
		"for=192.0.2.1 10.0.0.1":                   "127.0.0.1",
		"for=192.0.2.1;for=203.0.113.7":            "127.0.0.1",
		"for":                                      "127.0.0.1",
		"192.0.2.1":                                "127.0.0.1",
		`for="192.0.2.1`:                           "127.0.0.1",
		`for="x, for=192.0.2.1`:                    "127.0.0.1",
		`for="192.0.2.1"x`:                         "127.0.0.1",
		strings.Repeat("for=10.0.0.1,", 99) + "for=10.0.0.2":    "10.0.0.1",
		"for=192.0.2.1" + strings.Repeat(",for=10.0.0.1", 16-1): "192.0.2.1",
		"for=192.0.2.1" + strings.Repeat(",for=10.0.0.1", 16):   "10.0.0.1", // further back than is looked
	} {
		expectFields(t, r.asked(p, "Forwarded: "+value), "X-Real-IP: "+want)
	}
	expectFields(t, r.asked(p, "Forwarded: for=192.0.2.1", "Forwarded: for=10.0.0.1"), "X-Real-IP: 192.0.2.1")
	expectFields(t, r.asked(p, "Forwarded: for=192.0.2.1", `Forwarded: for="10.0.0.1`), "X-Real-IP: 127.0.0.1")
}

// After an unterminated quote, pods could not parse the client address that Limpet appends.
func TestForwarded_invalidIsDropped(t *testing.T) {
	r := newRig(t, trusting("192.0.2.1/32"), reading(http1.FieldForwarded))
	p := startEcho(t, "pod-a")
	r.serve(nil, p)
	expectFields(t, r.asked(p, `Forwarded: for="x`, "Forwarded: for=192.0.2.1"),
		`Forwarded: for=192.0.2.1;host="shop.example";proto=http, for=127.0.0.1`)
}

// A header that the proxy does not set is forwarded by it as the client has sent it.
func TestSources_firstHeader(t *testing.T) {
	fields := []string{"X-Real-IP: 192.0.2.1", "Forwarded: for=192.0.2.2", "X-Forwarded-For: 192.0.2.3"}
	for _, c := range []struct {
		headers []http1.FieldID
		without string
		want    string
	}{
		{[]http1.FieldID{http1.FieldXForwardedFor}, "", "192.0.2.3"},
		{[]http1.FieldID{http1.FieldXForwardedFor}, "X-Forwarded-For", "127.0.0.1"},
		{[]http1.FieldID{http1.FieldXRealIP}, "", "192.0.2.1"},
		{[]http1.FieldID{http1.FieldForwarded, http1.FieldXRealIP}, "", "192.0.2.2"},
		{[]http1.FieldID{http1.FieldForwarded, http1.FieldXRealIP}, "Forwarded", "192.0.2.1"},
		{nil, "", "127.0.0.1"},
	} {
		r := newRig(t, trusting(), reading(c.headers...))
		p := startEcho(t, "pod-a")
		r.serve(nil, p)
		sent := slices.DeleteFunc(slices.Clone(fields), func(f string) bool {
			return c.without != "" && strings.HasPrefix(f, c.without)
		})
		expectFields(t, r.asked(p, sent...), "X-Real-IP: "+c.want)
	}
}
